"""What a backend is asked and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.candidates.lineage import LossPoint
from harness.errors import InputError
from harness.train.config import BackendName, TrainConfig
from harness.train.tokens import Tokenised


@dataclass(frozen=True)
class SftJob:
    """One supervised fine-tuning.

    Attributes:
        base: model directory.
        sequences: one epoch.
        work: folder of the checkpoints.
        checkpoint: resume from it.
        target: the finished adapter is written there.
        logged: called with each line of the log.
        saved: called when a checkpoint stands whole on disk.
    """

    config: TrainConfig
    base: Path
    sequences: tuple[Tokenised, ...]
    steps: int
    work: Path
    checkpoint: Path | None
    target: Path
    logged: Callable[[LossPoint], None]
    saved: Callable[[Path], None]


@dataclass(frozen=True)
class Trained:
    """What came out. `peak_memory` in bytes of the GPU, None on a CPU; `seconds` of this start."""

    losses: tuple[LossPoint, ...]
    seconds: float
    device: str
    peak_memory: int | None
    versions: dict[str, str]


class Backend(Protocol):
    """Trains."""

    @property
    def name(self) -> str: ...

    def sft(self, job: SftJob) -> Trained:
        """Train and write the adapter.

        Raises:
            InputError: the model or a setting does not allow it.
            IncompleteError: out of memory, a loss that is no number, a full disk.
        """
        ...


def choose_backend(asked: BackendName) -> Backend:
    """The backend of a config; "auto" is Unsloth where it and a GPU are there, else TRL.

    Raises:
        InputError: what is asked for cannot run here; says what to install.
    """
    from importlib.util import find_spec

    from harness.engines.gpu import visible_gpus

    missing = [name for name in ("trl", "datasets", "peft", "transformers", "torch") if find_spec(name) is None]
    if missing:
        raise InputError(
            f"training needs {', '.join(missing)}", remedy="pip install 'finetune-harness[train]' (or [unsloth])."
        )
    gpu, unsloth = bool(visible_gpus()), find_spec("unsloth") is not None
    if asked == "unsloth" and not (gpu and unsloth):
        why = "there is no GPU" if not gpu else "it is not installed"
        raise InputError(
            f"backend unsloth cannot be used: {why}",
            remedy="Use backend: trl (the same config)." if not gpu else "pip install 'finetune-harness[unsloth]'.",
        )
    if asked == "unsloth" or (asked == "auto" and gpu and unsloth):
        from harness.train.backends.unsloth import UnslothBackend

        return UnslothBackend()
    from harness.train.backends.trl import TrlBackend

    return TrlBackend()
