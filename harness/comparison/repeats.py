"""What several sampled answers to each item say beyond their mean: pass@k, majority vote, and the variance in parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from harness.comparison.pairing import Pair, Side
from harness.comparison.statistics import paired_interval, paired_sample
from harness.comparison.statistics.repeats import (
    VarianceParts,
    difference_parts,
    majority,
    pass_at_k,
    pass_sizes,
    variance_parts,
)
from harness.scorers.base import Scorer, votes

#: What would narrow the interval of the difference.
Narrows = Literal["repeats", "items"]

#: From this share of the variance on, repeats without end narrow the interval by as much as twice the items, or more.
_HALF = 0.5


class Compared(BaseModel):
    """One number of both sides over the paired items, with the unadjusted interval of the difference; no verdict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: float
    candidate: float
    delta: float
    ci: tuple[float, float] | None
    ci_method: str | None


class PassAtK(Compared):
    """Chance that at least one of k answers to an item is right, averaged over the items."""

    k: int


class Parts(BaseModel):
    """`harness.comparison.statistics.repeats.VarianceParts` as stored: variances squared scores, errors scores."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    between: float
    within: float
    se: float
    se_items: float
    se_repeats: float

    @property
    def share_of_repeats(self) -> float | None:
        """Share of the variance of the mean that comes from the draws; None where nothing varies."""
        return self.se_repeats**2 / self.se**2 if self.se > 0.0 else None


class VarianceResult(BaseModel):
    """The variance of each side's mean and of the difference, in its parts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: Parts
    candidate: Parts
    delta: Parts


class OverRepeats(BaseModel):
    """One metric over K answers to each item, beyond the mean.

    Attributes:
        repeats: K.
        pass_at: for metrics that are right or wrong; empty for others.
        majority: the score of what most of the K answers say; None where answers cannot be counted, that is where the
            metric is not right or wrong, nothing was extracted, or extraction looks at the gold answer (`contains`).
        variance: None for a single item.
        narrows: what would narrow the interval of the difference more; None where nothing varies.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    repeats: int
    pass_at: tuple[PassAtK, ...] = ()
    majority: Compared | None = None
    variance: VarianceResult | None = None
    narrows: Narrows | None = None


def over_repeats(
    pairs: Sequence[Pair], metric: str, scorer: Callable[[], Scorer], *, alpha: float
) -> OverRepeats | None:
    """What the repeats of a metric say; None where there is one answer to each item, given once or K times.

    Args:
        pairs: items that both sides answered and whose every repeat has a score: those of the mean.
        scorer: makes the scorer that gives `metric`; called only where there are repeats.
    """
    sides = [side for one in pairs for side in (one.base, one.candidate)]
    counts = {len(side.samples) for side in sides}
    if len(counts) != 1 or not any(side.drawn > 1 for side in sides):
        return None
    (repeats,) = counts
    table = _Table(pairs, metric, alpha)
    made = scorer()
    counted = made.binary(metric) and table.right_or_wrong
    variance = table.variance()
    return OverRepeats(
        repeats=repeats,
        pass_at=tuple(table.pass_at(k) for k in pass_sizes(repeats)) if counted else (),
        majority=table.majority() if counted and votes(made) and table.says_anything else None,
        variance=variance,
        narrows=narrows(variance.delta if variance else None),
    )


class _Table:
    """The scores of a metric by item and repeat, on both sides."""

    def __init__(self, pairs: Sequence[Pair], metric: str, alpha: float) -> None:
        self._pairs = pairs
        self._metric = metric
        self._alpha = alpha
        self._base = [scores_of(one.base, metric) for one in pairs]
        self._candidate = [scores_of(one.candidate, metric) for one in pairs]
        self._clusters = [one.cluster for one in pairs]

    @property
    def right_or_wrong(self) -> bool:
        return all(value in (0.0, 1.0) for row in (*self._base, *self._candidate) for value in row)

    @property
    def says_anything(self) -> bool:
        return any(
            sample.scores[self._metric].extracted is not None
            for one in self._pairs
            for sample in (*one.base.samples, *one.candidate.samples)
        )

    def pass_at(self, k: int) -> PassAtK:
        def each(rows: list[list[float]]) -> list[float]:
            return [pass_at_k(len(row), row.count(1.0), k) for row in rows]

        compared = self._compared(each(self._base), each(self._candidate))
        return PassAtK(k=k, **dict(compared))

    def majority(self) -> Compared:
        return self._compared(
            [voted(one.base, self._metric) for one in self._pairs],
            [voted(one.candidate, self._metric) for one in self._pairs],
        )

    def variance(self) -> VarianceResult | None:
        base = variance_parts(self._base, self._clusters)
        candidate = variance_parts(self._candidate, self._clusters)
        delta = difference_parts(self._base, self._candidate, self._clusters)
        if base is None or candidate is None or delta is None:
            return None
        return VarianceResult(base=stored_parts(base), candidate=stored_parts(candidate), delta=stored_parts(delta))

    def _compared(self, base: list[float], candidate: list[float]) -> Compared:
        sample = paired_sample(base, candidate, self._clusters)
        ci = paired_interval(sample, alpha=self._alpha)
        return Compared(
            base=sample.base,
            candidate=sample.candidate,
            delta=sample.delta,
            ci=ci.bounds if ci else None,
            ci_method=ci.method if ci else None,
        )


def narrows(parts: Parts | None) -> Narrows | None:
    """What would narrow the interval of a mean with this variance more; None where nothing varies."""
    share = parts.share_of_repeats if parts else None
    return None if share is None else "repeats" if share >= _HALF else "items"


def scores_of(side: Side, metric: str) -> list[float]:
    """The scores of an item's repeats, in their order."""
    values = [sample.scores[metric].value for sample in side.samples]
    return [value for value in values if value is not None]


def voted(side: Side, metric: str) -> float:
    """Score of what most answers say; an item of which no answer says anything is wrong."""
    scores = [sample.scores[metric] for sample in side.samples]
    winner = majority([score.extracted for score in scores])
    return 0.0 if winner is None else scores[winner].value or 0.0


def stored_parts(parts: VarianceParts) -> Parts:
    """The parts of a variance as they are stored."""
    return Parts(
        between=parts.between,
        within=parts.within,
        se=parts.se,
        se_items=parts.se_items,
        se_repeats=parts.se_repeats,
    )
