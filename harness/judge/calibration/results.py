"""What calibrating came to; what `--json` prints and the store keeps."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.digest import digest_json
from harness.errors import InputError
from harness.judge.results import Mode, Preferred
from harness.judge.statistics.agreement import Weights
from harness.runs.files import RunStore


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Agreed(_Model):
    """How far the judge agrees with people.

    Attributes:
        n: labels of people for which the judge could be read.
        accuracy: share of the n that are the same; None when n is 0.
        kappa: Cohen's; None where it is undefined (nobody used more than one label).
    """

    n: int
    accuracy: float | None
    kappa: float | None


class AgreedOnSlice(Agreed):
    """The same on a part of the items."""

    slice: str
    value: str


class PeopleAgreed(_Model):
    """How far people agree with one another: no judge can be expected to agree with them more.

    Attributes:
        accuracy, kappa: means over every two of them.
        alpha: Krippendorff's, of all of them.
    """

    accuracy: float | None
    kappa: float | None
    alpha: float | None


class Agreement(_Model):
    """Judge against people, over the answers that somebody had to look at.

    Attributes:
        all: every annotator's labels together.
        unread: labels for which the judge could not be read.
        weights: how kappa weighs disagreements; "quadratic" where labels have an order and distances.
        labels: in order.
        confusion: counts; the row is people's label, the column the judge's.
        people: None with one annotator.
    """

    all: Agreed
    unread: int
    weights: Weights
    labels: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    by_annotator: dict[str, Agreed]
    by_slice: tuple[AgreedOnSlice, ...]
    people: PeopleAgreed | None


class Corrected(_Model):
    """A mean difference, candidate - base, over all items that both sides answered.

    In the units of the judging: shares of pairs, or points of the scale. An item that the judge could not be read on
    counts as no difference on the judge's side; the correction makes up for it.

    Attributes:
        judge, judge_ci: from the judge alone, over the items on which it could be read.
        people, people_ci: from the labelled items alone.
        estimate, ci: prediction-powered: the judge on every item, corrected by people on those that were drawn.
        preferred: what `estimate` shows at the level asked for, Bonferroni-adjusted over tasks and measures.
        error: mean of judge - people on the labelled items.
        tuning: how far the judge is relied on: 0 is people alone, 1 the judge and its mean error.
        guarded: too few items differ for a variance to be trusted; the interval was widened.
        labelled, unlabelled: items with and without people's labels.
    """

    judge: float | None
    judge_ci: tuple[float, float] | None
    people: float
    people_ci: tuple[float, float]
    estimate: float
    ci: tuple[float, float]
    preferred: Preferred
    error: float
    tuning: float
    guarded: bool
    labelled: int
    unlabelled: int


class CalibratedMeasure(_Model):
    """One thing that is labelled, or the mean of several, which has no agreement of its own."""

    name: str
    agreement: Agreement | None
    corrected: Corrected


class CalibratedTask(_Model):
    """One task."""

    task: str
    measures: tuple[CalibratedMeasure, ...]


class Calibration(_Model):
    """A judging, held against people.

    Attributes:
        id: what it is called in the store; ends in a digest of everything else but `created`.
        judging, draw, comparison: what it is of; the ids in the store.
        draws: how many sheets of this kind were drawn for the comparison, this one included. Who draws until a sheet
            pleases has picked by hand.
        annotators: who labelled.
        uncalibrated: tasks that were judged and of which nobody labelled anything.
    """

    schema_version: Literal[1] = Field(1, alias="schema")
    id: str = ""
    created: datetime
    judging: str
    draw: str
    draws: int
    comparison: str
    suite: str
    candidate: str
    mode: Mode
    annotators: tuple[str, ...]
    alpha: float
    tasks: tuple[CalibratedTask, ...]
    uncalibrated: tuple[str, ...]

    def to_json(self) -> str:
        return self.model_dump_json(by_alias=True, indent=1) + "\n"

    def named(self) -> Calibration:
        """With its id."""
        content: dict[str, Any] = self.model_dump(mode="json", exclude={"id", "created"})
        return self.model_copy(update={"id": f"{self.suite}-{self.mode}-{digest_json(content)[:12]}"})


def calibrations_of(judging: str, store: RunStore) -> list[Calibration]:
    """Every calibration of a judging in the store, the newest first.

    Raises:
        InputError: a file of them is none.
    """
    found = []
    for name in store.list_documents("calibration"):
        try:
            one = Calibration.model_validate_json(store.read_document("calibration", name))
        except ValidationError:
            raise InputError("is not a calibration of this tool", where=f"{store.url}/calibrations/{name}") from None
        if one.judging == judging:
            found.append(one)
    return sorted(found, key=lambda one: one.created, reverse=True)
