"""What judging came to; what `--json` prints and the store keeps."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from harness.digest import digest_json
from harness.errors import InputError
from harness.judge.statistics.judgements import Outcome
from harness.judge.statistics.length import LengthNote

Preferred = Literal["candidate", "base", "neither"]
Mode = Literal["pairwise", "rubric", "reference"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    def to_json(self) -> str:
        return self.model_dump_json(by_alias=True, indent=1) + "\n"


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


class _Judging(_Model):
    """What every way of judging states.

    Attributes:
        id: what it is called in the store; ends in a digest of everything else.
        comparison: whose answers were judged.
        prompt: version of what the judge was told.
        reference: the judge was shown the gold answer.
        left_out: items without both answers, or whose question is gone.
        standing: what is known of the judge's errors from a judging alone; a `Calibration` says more.
    """

    schema_version: Literal[1] = Field(1, alias="schema")
    id: str = ""
    standing: Literal["uncalibrated judge"] = "uncalibrated judge"
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
    left_out: int

    def named(self) -> Self:
        """With its id."""
        content: dict[str, Any] = self.model_dump(mode="json", exclude={"id"})
        return self.model_copy(update={"id": f"{self.suite}-{content['mode']}-{digest_json(content)[:12]}"})


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
    cluster: str | None = None


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


class JudgedPairs(_Judging):
    """Pairwise judging of a comparison's answers."""

    mode: Literal["pairwise"] = "pairwise"
    tasks: tuple[JudgedTask, ...]


class GradedItem(_Model):
    """The grades of one item's two answers, a value for each measure; None where they could not be read.

    Attributes:
        base_judges, candidate_judges: the same by judge, in the order of the judges.
    """

    item_id: str
    base: dict[str, float] | None
    candidate: dict[str, float] | None
    base_judges: tuple[dict[str, float] | None, ...]
    candidate_judges: tuple[dict[str, float] | None, ...]
    identical: bool = False
    cluster: str | None = None


class GradedMeasure(_Model):
    """One measure of one task, in the scale's own units.

    Attributes:
        base, candidate: means over the items on which both answers have a grade.
        ci, p, p_adjusted: of `delta`; Holm over all measures of all tasks.
        reliability: Krippendorff's alpha (ordinal) of the judges over answers; None with one judge, and for a mean.
    """

    name: str
    base: float | None
    candidate: float | None
    delta: float | None
    ci: tuple[float, float] | None
    p: float | None
    p_adjusted: float | None
    preferred: Preferred
    reliability: float | None


class GradedTask(_Model):
    """One task.

    Attributes:
        n: items on which both answers have a grade.
        identical: of these, both answers are the same, and were judged once.
        unscored: items on which a judgement could not be read; they are no bad grades.
    """

    task: str
    n: int
    identical: int
    unscored: int
    measures: tuple[GradedMeasure, ...]
    items: tuple[GradedItem, ...]


class JudgedGrades(_Judging):
    """Each answer graded by itself: on a rubric, or against the gold answer.

    Attributes:
        lowest, highest: the ends of the scale.
    """

    mode: Literal["rubric", "reference"]
    rubric: str | None
    rubric_digest: str | None
    lowest: float
    highest: float
    tasks: tuple[GradedTask, ...]


Judging = JudgedPairs | JudgedGrades
_JUDGING: TypeAdapter[Judging] = TypeAdapter(Annotated[Judging, Field(discriminator="mode")])


def read_judging(data: bytes, where: str) -> Judging:
    """A stored judging.

    Raises:
        InputError: it is none.
    """
    try:
        return _JUDGING.validate_json(data)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(str(part) for part in fault["loc"])
        raise InputError(
            f"is not a judging ({key + ': ' if key else ''}{fault['msg']})",
            where=where,
            remedy="It is what `harness judge pairwise`, `rubric` and `reference` store.",
        ) from None


def preferred(delta: float | None, p_adjusted: float | None, alpha: float) -> Preferred:
    """Whom a difference shows to be better at this level."""
    if p_adjusted is None or p_adjusted > alpha or not delta:
        return "neither"
    return "candidate" if delta > 0 else "base"
