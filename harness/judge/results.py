"""What judging in pairs came to; what `--json` prints."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.judge.statistics.judgements import Outcome
from harness.judge.statistics.length import LengthNote

Preferred = Literal["candidate", "base", "neither"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class JudgeRecord(_Model):
    """Who judged.

    Attributes:
        digest: its identity; of an endpoint, of where it was asked.
        itself: why it may be partial to one side ("the same weights as base"), or "".
    """

    name: str
    digest: str
    engine: str
    engine_version: str
    itself: str = ""


class Position(_Model):
    """How much more often the answer that was shown first won, over the pairs that were asked about."""

    bias: float
    ci: tuple[float, float]
    p: float
    shown: bool
    first: int
    second: int
    ties: int


class LengthControlledRate(_Model):
    """The win rate if both answers were equally long (Dubois et al. 2024)."""

    rate: float | None
    ci: tuple[float, float] | None
    note: LengthNote


class JudgedItem(_Model):
    """What became of one item; `judges` in the order of the judges."""

    item_id: str
    outcome: Outcome
    judges: tuple[Outcome, ...]
    identical: bool = False


class JudgedTask(_Model):
    """One task. A win is the candidate's.

    Attributes:
        n: items with an outcome.
        identical: of these, both answers are the same: ties that nobody was asked about.
        unscored: items whose judgements could not be read in both orders; they are no losses.
        inconsistent: over items and judges, the two orders did not say the same: counted as ties.
        read: over items and judges, both orders could be read.
        delta: share of wins minus share of losses.
        ci, p, p_adjusted: of `delta`; Holm over the tasks.
        preferred: what is shown at the level asked for.
        reliability: Krippendorff's alpha (ordinal) of the judges; None with one.
    """

    task: str
    n: int
    identical: int
    wins: int
    losses: int
    ties: int
    unscored: int
    inconsistent: int
    read: int
    delta: float | None
    ci: tuple[float, float] | None
    p: float | None
    p_adjusted: float | None
    preferred: Preferred
    win_rate: float | None
    length_controlled: LengthControlledRate
    position: Position | None
    reliability: float | None
    items: tuple[JudgedItem, ...]


class JudgedPairs(_Model):
    """Pairwise judging of a comparison's answers."""

    schema_version: Literal[1] = Field(1, alias="schema")
    comparison: str
    suite: str
    base: str
    candidate: str
    judges: tuple[JudgeRecord, ...]
    prompt: str
    reference: bool
    repeats: int
    seed: int
    alpha: float
    calibrated: Literal[False] = False
    left_out: int
    tasks: tuple[JudgedTask, ...]

    def to_json(self) -> str:
        return self.model_dump_json(by_alias=True, indent=1) + "\n"
