"""What will be trained, counted before anything starts."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.train.config import GrpoConfig, TrainConfig
from harness.train.prompts import PromptSet
from harness.train.tokens import TokenisedSet

#: What a run is that says neither max_steps nor num_train_epochs.
_EPOCHS = 1.0


@dataclass(frozen=True)
class TrainPlan:
    """Numbers of a run. `rows` are examples of one epoch; `steps` optimiser steps in all."""

    rows: int
    a_step: int
    epochs: float
    steps: int
    why: str

    @property
    def sentence(self) -> str:
        return f"{self.steps:,} steps: {self.why}"


def make_plan(config: TrainConfig, material: TokenisedSet | PromptSet) -> TrainPlan:
    """Steps and epochs. With packing, TRL decides how many sequences there are: epochs then are counted before it."""
    if isinstance(material, PromptSet):
        assert isinstance(config, GrpoConfig)
        rows, a_step, name = len(material.prompts), config.questions, "questions"
        product = f"{config.effective_batch} answers ÷ {config.num_generations} each"
        by_epoch = max(rows // a_step, 1)  # TRL leaves an incomplete last step out
    else:
        rows, a_step, name = len(material.sequences), config.effective_batch, "rows"
        product = f"{config.per_device_train_batch_size} × {config.gradient_accumulation_steps}"
        by_epoch = math.ceil(math.ceil(rows / config.per_device_train_batch_size) / config.gradient_accumulation_steps)
    if config.max_steps is not None:
        epochs = config.max_steps / by_epoch
        why = f"max_steps; {rows:,} {name} ÷ {a_step} a step = {by_epoch:,} steps an epoch, so {epochs:.2f} epochs"
        return TrainPlan(rows, a_step, epochs, config.max_steps, why)
    epochs = config.num_train_epochs or _EPOCHS
    steps = max(math.ceil(epochs * by_epoch), 1)
    why = f"{rows:,} {name} ÷ {a_step} a step ({product}) × {epochs:g} epochs"
    return TrainPlan(rows, a_step, epochs, steps, why)
