"""Where a candidate comes from: `lineage.json`, beside its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from harness.validation import read_json_model

FILE_NAME = "lineage.json"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataRecord(_Part):
    """One source of training data: where it lay, the SHA-256 of its files, and what was used of it."""

    name: str
    path: str
    digest: str
    rows: int
    available: int = Field(description="examples after cleaning")
    taken: int = Field(description="examples of one epoch")
    dropped: dict[str, int]


class Leak(_Part):
    """Gold items found in the training data."""

    goldset: str
    digest: str
    items: int
    verbatim: int
    near: int
    allowed: bool = Field(description="trained on in spite of it, with --allow-leak")


class LossPoint(_Part):
    """One line of the training log. Rewards, their spread within a group, tokens of an answer and the distance to the
    base are of GRPO."""

    step: int
    loss: float
    learning_rate: float | None = None
    grad_norm: float | None = None
    epoch: float | None = None
    reward: float | None = None
    reward_std: float | None = None
    rewards: dict[str, float] = Field(default_factory=dict, description="mean of each reward, unweighted")
    answer_tokens: float | None = None
    kl: float | None = None


class Lineage(_Part):
    """How a candidate was made: enough to make it again and to see what it may be compared on."""

    schema_version: int = Field(1, alias="schema")
    name: str
    kind: str = Field(description="sft, grpo, vision")
    identity: str = Field(description="digest of config, data and base: the same again gives the same candidate")
    backend: str
    method: str
    parent: str = Field(description="the base as it was named")
    parent_digest: str = Field(description="fingerprint of the base's weights")
    tokenizer_digest: str
    prompt: str
    config: dict[str, Any]
    data: tuple[DataRecord, ...]
    leaks: tuple[Leak, ...] = ()
    examples: int
    too_long: int
    tokens: int = Field(description="of one epoch")
    learned_tokens: int | None = Field(None, description="of one epoch; None where answers are made while training")
    rewards: dict[str, float] = Field(default_factory=dict, description="of GRPO, with their weights")
    steps: int
    seed: int
    losses: tuple[LossPoint, ...]
    versions: dict[str, str]
    device: str
    seconds: float = Field(description="training alone, over all its starts")
    starts: int = Field(1, description="1, and one more for every time it was resumed")
    peak_memory: int | None = Field(None, description="bytes on the GPU; None on a CPU")
    gpu_hours: float = 0.0
    started: str
    finished: str


def read_lineage(folder: Path) -> Lineage | None:
    """The lineage in a candidate's folder; None where there is none.

    Raises:
        InputError: the file is broken.
    """
    path = folder / FILE_NAME
    return read_json_model(path, Lineage) if path.is_file() else None
