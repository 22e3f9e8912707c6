"""What a backend is asked and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.candidates.lineage import LossPoint
from harness.candidates.vision import Vision
from harness.errors import InputError
from harness.train.config import BackendName, GrpoConfig, SftConfig, VisionConfig
from harness.train.prompts import Prompt
from harness.train.rewards import Reward
from harness.train.tokens import Tokenised


class Events(Protocol):
    """Is told how training goes."""

    def logged(self, point: LossPoint) -> None:
        """A line of the log."""
        ...

    def saved(self, checkpoint: Path, seconds: float, peak_memory: int | None) -> None:
        """A checkpoint stands whole on disk.

        Args:
            seconds: since this stretch began to train.
            peak_memory: bytes of the GPU so far, None on a CPU.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Job:
    """A stretch of a training. It can be sent to another process.

    Attributes:
        base: model directory.
        steps: optimiser steps of the whole training; the learning rate follows them.
        until: the step to stop at, with a checkpoint.
        work: folder of the checkpoints.
        checkpoint: resume from it.
    """

    base: Path
    steps: int
    until: int
    work: Path
    checkpoint: Path | None


@dataclass(frozen=True, kw_only=True)
class SftJob(Job):
    """Learn answers. `sequences` are one epoch; `vision` says how the model sees, None for a text model."""

    config: SftConfig | VisionConfig
    sequences: tuple[Tokenised, ...]
    vision: Vision | None = None


@dataclass(frozen=True, kw_only=True)
class GrpoJob(Job):
    """Learn from rewards. `prompts` are one epoch."""

    config: GrpoConfig
    prompts: tuple[Prompt, ...]
    rewards: tuple[Reward, ...]


@dataclass(frozen=True)
class Trained:
    """What it took. `peak_memory` in bytes of the GPU, None on a CPU."""

    device: str
    peak_memory: int | None
    versions: dict[str, str]


class Backend(Protocol):
    """Trains up to a step and leaves a whole checkpoint of it.

    Both methods raise `InputError` where the model or a setting does not allow it, and `IncompleteError` for what
    breaks off: out of memory, a loss that is no number, a full disk.
    """

    @property
    def name(self) -> str: ...

    def sft(self, job: SftJob, events: Events) -> Trained: ...

    def grpo(self, job: GrpoJob, events: Events) -> Trained: ...


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
