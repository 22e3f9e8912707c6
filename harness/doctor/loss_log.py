"""What training said of itself while it ran: the loss and gradient norm of each logged step."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.candidates.lineage import Lineage
from harness.errors import InputError

#: Written by the Trainer of transformers, and so by TRL, Unsloth and LLaMA-Factory.
FILE_NAME = "trainer_state.json"
_CHECKPOINT = re.compile(r"checkpoint-(\d+)")


@dataclass(frozen=True, slots=True)
class LossPoint:
    """One logged step. `gradient` is the norm of the gradient, None where it was not logged."""

    step: int
    loss: float
    gradient: float | None

    @property
    def lost(self) -> bool:
        """True where the loss is no number. The Trainer logs 0 for it (`logging_nan_inf_filter`), and then only the
        gradient tells."""
        gradient_lost = self.gradient is not None and not math.isfinite(self.gradient)
        return not math.isfinite(self.loss) or (self.loss == 0 and gradient_lost)


@dataclass(frozen=True)
class LossLog:
    """The log of a supervised training run, in order."""

    where: str
    points: tuple[LossPoint, ...]

    @property
    def diverged(self) -> LossPoint | None:
        """The step from which on no loss was a number any more."""
        first = None
        for point in reversed(self.points):
            if not point.lost:
                break
            first = point
        return first

    @property
    def nothing_lost(self) -> bool:
        """Whether the loss was 0 from the first step to the last: cross entropy over no labels.

        A run that has memorised its data ends in zeros too (four digits are logged), but does not begin with them.
        """
        return bool(self.points) and all(point.loss == 0 for point in self.points)

    @property
    def still(self) -> bool:
        """Whether every gradient that was logged was 0: no step changed a weight."""
        known = [point.gradient for point in self.points if point.gradient is not None]
        return bool(known) and not any(known)


def log_of(lineage: Lineage) -> LossLog:
    """The log that a lineage keeps."""
    points = tuple(LossPoint(point.step, point.loss, point.grad_norm) for point in lineage.losses)
    return LossLog("lineage.json", points if lineage.kind != "grpo" else ())


def find_log(folder: Path) -> Path | None:
    """The log in a folder, in its last checkpoint, or beside a checkpoint; None where there is none."""
    checkpoints = [place for place in folder.glob("checkpoint-*") if _CHECKPOINT.fullmatch(place.name)]
    checkpoints.sort(key=lambda place: -int(place.name.partition("-")[2]))
    beside = [folder.parent] if _CHECKPOINT.fullmatch(folder.resolve().name) else []
    return next((file for place in (folder, *checkpoints, *beside) if (file := place / FILE_NAME).is_file()), None)


def read_log(file: Path) -> LossLog:
    """The log in a `trainer_state.json`.

    Raises:
        InputError: it is no such file.
    """
    try:
        state = json.loads(file.read_text(encoding="utf-8"))
        history = state["log_history"]
        points = tuple(_points(history))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"is no {FILE_NAME} of transformers' Trainer", where=str(file)) from None
    return LossLog(str(file), points)


def _points(history: Iterable[Mapping[str, Any]]) -> Iterable[LossPoint]:
    for line in history:
        # A policy's loss (GRPO, PPO) may be 0 while it learns; those lines carry a reward.
        if "loss" in line and not any(str(key).startswith("reward") for key in line):
            gradient = line.get("grad_norm")
            yield LossPoint(
                int(line.get("step", 0)), float(line["loss"]), None if gradient is None else float(gradient)
            )
