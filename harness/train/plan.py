"""What will be trained, counted before anything starts."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.train.config import TrainConfig
from harness.train.mixing import Mixture
from harness.train.tokens import TokenisedSet

#: What a run is that says neither max_steps nor num_train_epochs.
_EPOCHS = 1.0


@dataclass(frozen=True)
class TrainPlan:
    """Numbers of a run. `rows` are examples of one epoch; `steps` optimiser steps in all."""

    rows: int
    effective_batch: int
    epochs: float
    steps: int
    why: str

    @property
    def sentence(self) -> str:
        return f"{self.steps:,} steps: {self.why}"


def make_plan(config: TrainConfig, mixture: Mixture, data: TokenisedSet) -> TrainPlan:
    """Steps and epochs. With packing, TRL decides how many sequences there are: epochs then are counted before it."""
    rows, batch = len(data.sequences), config.effective_batch
    by_epoch = math.ceil(math.ceil(rows / config.per_device_train_batch_size) / config.gradient_accumulation_steps)
    if config.max_steps is not None:
        epochs = config.max_steps / by_epoch
        why = f"max_steps; {rows:,} rows ÷ {batch} a step = {by_epoch:,} steps an epoch, so {epochs:.2f} epochs"
        return TrainPlan(rows, batch, epochs, config.max_steps, why)
    epochs = config.num_train_epochs or _EPOCHS
    steps = max(math.ceil(epochs * by_epoch), 1)
    product = f"{config.per_device_train_batch_size} × {config.gradient_accumulation_steps}"
    why = f"{rows:,} rows ÷ {batch} a step ({product}) × {epochs:g} epochs"
    return TrainPlan(rows, batch, epochs, steps, why)
