"""Where a candidate comes from: `lineage.json`, beside its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.validation import read_json_model

FILE_NAME = "lineage.json"


class _Part(BaseModel):
    # The loss of a run that diverged is no number: as null it could not be read again.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


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


class TaskScore(_Part):
    """A checkpoint against the base on the primary metric of one task."""

    task: str
    role: Literal["target", "guard"]
    n: int
    base: float | None
    candidate: float | None
    delta: float | None
    ci: tuple[float, float] | None
    verdict: str


class Evaluation(_Part):
    """A checkpoint against the base on a suite.

    Attributes:
        kl: estimate of the distance to the base on questions of guards, in nats a token; None where not measured.
    """

    step: int
    scores: tuple[TaskScore, ...]
    kl: float | None = None
    doctor: tuple[str, ...] = Field((), description="what its probes warn of")

    @property
    def target(self) -> float | None:
        """Mean gain over the targets; None where nothing could be scored."""
        gains = [score.delta for score in self.scores if score.role == "target"]
        known = [gain for gain in gains if gain is not None]
        return sum(known) / len(known) if known and len(known) == len(gains) else None

    @property
    def regressed(self) -> tuple[str, ...]:
        """Guards that got worse."""
        return tuple(s.task for s in self.scores if s.role == "guard" and s.verdict == "regressed")

    @property
    def held(self) -> bool:
        """Every guard is shown to hold."""
        return all(s.verdict in ("held", "improved") for s in self.scores if s.role == "guard")


class Selection(_Part):
    """Which checkpoint became the candidate, and why.

    Attributes:
        during: while training, on a few items of the dev half.
        dev: those that were looked at again, on the whole dev half: the choice stands on them.
        test: the chosen one, once, on the test half: what may be reported.
        stopped: why training ended early, "" where it did not.
        recommended: False where every checkpoint lost on a guard: the base is the better choice.
    """

    suite: str
    suite_digest: str
    during: tuple[Evaluation, ...]
    dev: tuple[Evaluation, ...]
    test: Evaluation
    comparison: str = Field(description="id of the test half's comparison in the store")
    chosen: int = Field(description="step")
    why: str
    stopped: str = ""
    recommended: bool


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
    selection: Selection | None = None
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
