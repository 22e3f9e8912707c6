"""A judging and a draw in the same terms: labels of rows, and differences candidate - base of items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from harness.judge.labels.drawing import PREFERENCE, DrawnRow
from harness.judge.results import GradedItem, JudgedGrades, JudgedItem, JudgedPairs
from harness.judge.rubrics import HIGHEST, LOWEST
from harness.judge.scales import GRADES, OVERALL
from harness.judge.statistics.agreement import Weights

#: Of a pair, who is better, and what that counts.
_DIFFERENCES: dict[str, float] = {"base": -1.0, "tie": 0.0, "candidate": 1.0}
_VALUES: dict[str, float] = {str(score): float(score) for score in range(LOWEST, HIGHEST + 1)}
_VALUES.update({str(grade): value for grade, value in GRADES.items()})


@dataclass(frozen=True)
class Said:
    """One row with one person's labels of it."""

    row: DrawnRow
    labels: Mapping[str, str]


@dataclass(frozen=True)
class RawResult:
    """What the judge alone came to."""

    delta: float | None
    ci: tuple[float, float] | None


class Reading(Protocol):
    """How to read one way of judging.

    Attributes:
        measures: what rows are labelled on.
        shown: what there are results for: the measures, and their mean where there are several.
        labels: every label in order, in terms that do not depend on what was shown first.
        weights: of kappa.
        span: differences are divided by it to lie in [-1, 1].
    """

    @property
    def measures(self) -> tuple[str, ...]: ...

    @property
    def shown(self) -> tuple[str, ...]: ...

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def weights(self) -> Weights: ...

    @property
    def span(self) -> float: ...

    @property
    def tasks(self) -> tuple[str, ...]: ...

    def items(self, task: str) -> Mapping[str, str | None]:
        """Ids of a task's items with their clusters."""
        ...

    def judged(self, row: DrawnRow, measure: str) -> str | None:
        """The judge's label of a row; None where it could not be read."""
        ...

    def judge_difference(self, task: str, item: str, measure: str) -> float:
        """In [-1, 1]; 0 where the judge could not be read."""
        ...

    def difference(self, said: Sequence[Said], measure: str) -> float:
        """One person's difference on an item, in [-1, 1]; 0 where there is nothing to say of equal answers."""
        ...

    def raw(self, task: str, measure: str) -> RawResult:
        """In the judging's own units."""
        ...


@dataclass(frozen=True)
class PairReading:
    """Pairs: who is better."""

    judging: JudgedPairs
    measures: tuple[str, ...] = (PREFERENCE,)
    shown: tuple[str, ...] = (PREFERENCE,)
    labels: tuple[str, ...] = tuple(_DIFFERENCES)
    weights: Weights = "none"
    span: float = 1.0

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(self._items)

    @cached_property
    def _items(self) -> dict[str, dict[str, JudgedItem]]:
        return {task.task: {item.item_id: item for item in task.items} for task in self.judging.tasks}

    def items(self, task: str) -> Mapping[str, str | None]:
        return {key: item.cluster for key, item in self._items[task].items()}

    def judged(self, row: DrawnRow, measure: str) -> str | None:
        outcome = self._items[row.task][row.item_id].outcome
        return None if outcome == "unscored" else outcome

    def judge_difference(self, task: str, item: str, measure: str) -> float:
        outcome = self._items[task][item].outcome
        return 0.0 if outcome == "unscored" else _DIFFERENCES[outcome]

    def difference(self, said: Sequence[Said], measure: str) -> float:
        return sum(_DIFFERENCES[one.row.meant(one.labels[measure])] for one in said)

    def raw(self, task: str, measure: str) -> RawResult:
        found = next(one for one in self.judging.tasks if one.task == task)
        return RawResult(found.delta, found.ci)


@dataclass(frozen=True)
class GradeReading:
    """Single answers: how good each is."""

    judging: JudgedGrades
    measures: tuple[str, ...]
    labels: tuple[str, ...]
    weights: Weights = "quadratic"

    @property
    def shown(self) -> tuple[str, ...]:
        return (*self.measures, OVERALL) if len(self.measures) > 1 else self.measures

    @property
    def span(self) -> float:
        return self.judging.highest - self.judging.lowest

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(self._items)

    @cached_property
    def _items(self) -> dict[str, dict[str, GradedItem]]:
        return {task.task: {item.item_id: item for item in task.items} for task in self.judging.tasks}

    @cached_property
    def _label_of(self) -> dict[float, str]:
        return {_VALUES[label]: label for label in self.labels}

    def items(self, task: str) -> Mapping[str, str | None]:
        return {key: item.cluster for key, item in self._items[task].items()}

    def judged(self, row: DrawnRow, measure: str) -> str | None:
        item = self._items[row.task][row.item_id]
        grades = item.candidate if row.shown == "candidate" else item.base
        return None if grades is None else self._label_of[grades[measure]]

    def judge_difference(self, task: str, item: str, measure: str) -> float:
        found = self._items[task][item]
        if found.base is None or found.candidate is None:
            return 0.0
        return (found.candidate[measure] - found.base[measure]) / self.span

    def difference(self, said: Sequence[Said], measure: str) -> float:
        if measure == OVERALL:
            return sum(self.difference(said, one) for one in self.measures) / len(self.measures)
        values = {one.row.shown: _VALUES[one.labels[measure]] for one in said}
        if "both" in values:
            return 0.0
        return (values["candidate"] - values["base"]) / self.span

    def raw(self, task: str, measure: str) -> RawResult:
        of_task = next(one for one in self.judging.tasks if one.task == task)
        found = next(one for one in of_task.measures if one.name == measure)
        return RawResult(found.delta, found.ci)


def reading_of(judging: JudgedPairs | JudgedGrades, measures: tuple[str, ...], labels: tuple[str, ...]) -> Reading:
    """How to read a judging.

    Args:
        measures, labels: those of the draw.
    """
    return PairReading(judging) if isinstance(judging, JudgedPairs) else GradeReading(judging, measures, labels)
