"""What a single answer is graded on: agreement with the gold answer, or the criteria of a rubric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from harness.judge.fence import Fence
from harness.judge.prompts.grading import (
    REFERENCE_VERSION,
    RUBRIC_VERSION,
    Shown,
    by_reference,
    by_rubric,
    reference_system,
    rubric_system,
)
from harness.judge.prompts.schema import verdict_schema
from harness.judge.reading import Grade, read_grade, read_scores
from harness.judge.rubrics import HIGHEST, LOWEST, Rubric

#: The mean of several criteria.
OVERALL = "overall"

#: What the three grades count.
GRADES: dict[Grade, float] = {"wrong": 0.0, "partly": 0.5, "correct": 1.0}


class Scale(Protocol):
    """A way of grading one answer.

    Attributes:
        mode: what the command calls it.
        version: of everything that the judge is told.
        measures: what a grade is given on, in order.
        values: every value that a grade can have, from the worst to the best.
        labels: what people and judges write for them.
    """

    @property
    def mode(self) -> Literal["reference", "rubric"]: ...

    @property
    def version(self) -> str: ...

    @property
    def measures(self) -> tuple[str, ...]: ...

    @property
    def values(self) -> tuple[float, ...]: ...

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def schema(self) -> str:
        """The form of a grade as a JSON schema, for judges that can be held to one."""
        ...

    def system(self, language: str) -> str:
        """What the judge is told before everything else."""
        ...

    def text(self, shown: Shown, fence: Fence) -> str:
        """The question to the judge."""
        ...

    def read(self, said: str) -> Mapping[str, float] | None:
        """A value for each measure out of what a judge wrote; None where it cannot be read."""
        ...


@dataclass(frozen=True)
class ByReference:
    """Is the answer consistent with the gold answer: correct, partly or wrong?"""

    mode: Literal["reference"] = "reference"
    version: str = REFERENCE_VERSION
    measures: tuple[str, ...] = ("grade",)
    values: tuple[float, ...] = tuple(GRADES.values())
    labels: tuple[str, ...] = tuple(GRADES)
    schema: str = verdict_schema({"grade": tuple(GRADES)})

    def system(self, language: str) -> str:
        return reference_system(language)

    def text(self, shown: Shown, fence: Fence) -> str:
        return by_reference(shown, fence)

    def read(self, said: str) -> Mapping[str, float] | None:
        grade = read_grade(said)
        return None if grade is None else {"grade": GRADES[grade]}


@dataclass(frozen=True)
class ByRubric:
    """A whole number from 1 to 5 on every criterion."""

    rubric: Rubric
    mode: Literal["rubric"] = "rubric"

    @property
    def version(self) -> str:
        return f"{RUBRIC_VERSION}/{self.rubric.name}-{self.rubric.digest[:8]}"

    @property
    def measures(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.rubric.criteria)

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(float(score) for score in range(LOWEST, HIGHEST + 1))

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(str(score) for score in range(LOWEST, HIGHEST + 1))

    @property
    def schema(self) -> str:
        return verdict_schema(dict.fromkeys(self.measures, range(LOWEST, HIGHEST + 1)))

    def system(self, language: str) -> str:
        return rubric_system(language)

    def text(self, shown: Shown, fence: Fence) -> str:
        return by_rubric(shown, self.rubric, fence)

    def read(self, said: str) -> Mapping[str, float] | None:
        scores = read_scores(said, self.measures, HIGHEST)
        return None if scores is None else {name: float(score) for name, score in scores.items()}


def with_overall(values: Mapping[str, float], measures: Sequence[str]) -> dict[str, float]:
    """The values, and with several measures their mean."""
    found = {name: values[name] for name in measures}
    return found | {OVERALL: sum(found.values()) / len(found)} if len(measures) > 1 else found


def shown_measures(scale: Scale) -> tuple[str, ...]:
    """Every measure that results have."""
    return (*scale.measures, OVERALL) if len(scale.measures) > 1 else scale.measures
