"""What several sampled answers to each item say of one run alone: pass@k, majority vote, and the variance in parts."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from harness.comparison.pairing import Side
from harness.comparison.repeats import Narrows, Parts, narrows, scores_of, stored_parts, voted
from harness.comparison.statistics import score_interval
from harness.comparison.statistics.repeats import pass_at_k, pass_sizes, variance_parts


class Alone(BaseModel):
    """One number over the items, with its interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    score: float
    ci: tuple[float, float] | None
    ci_method: str | None


class PassAloneAtK(Alone):
    """Chance that at least one of k answers to an item is right, averaged over the items."""

    k: int


class OverRepeatsAlone(BaseModel):
    """One metric of one run over K answers to each item, beyond the mean.

    Attributes:
        repeats: K.
        pass_at: for metrics that are right or wrong; empty for others.
        majority: the score of what most of the K answers say; None where answers cannot be counted
            (`harness.comparison.repeats.OverRepeats` says when).
        variance: of the mean, in its parts; None for a single item.
        narrows: what would narrow the interval of the mean more; None where nothing varies.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    repeats: int
    pass_at: tuple[PassAloneAtK, ...] = ()
    majority: Alone | None = None
    variance: Parts | None = None
    narrows: Narrows | None = None


def over_repeats_alone(
    sides: Sequence[Side], metric: str, *, binary: bool, votes: bool, alpha: float
) -> OverRepeatsAlone | None:
    """What the repeats of a metric say; None where there is one answer to each item, given once or K times.

    Args:
        sides: items that were answered and whose every repeat has a score: those of the mean; repeats in order.
        binary: the scorer gives 0 and 1 only.
        votes: answers with the same `extracted` say the same (`harness.scorers.base.votes`).
        alpha: two-sided level of the intervals.
    """
    counts = {len(side.samples) for side in sides}
    if len(counts) != 1 or not any(side.drawn > 1 for side in sides):
        return None
    (repeats,) = counts
    table = [scores_of(side, metric) for side in sides]
    clusters = [side.samples[0].cluster for side in sides]
    counted = binary and all(value in (0.0, 1.0) for row in table for value in row)
    says_anything = any(s.scores[metric].extracted is not None for side in sides for s in side.samples)
    parts = variance_parts(table, clusters)
    variance = stored_parts(parts) if parts else None

    def alone(values: list[float]) -> Alone:
        ci = score_interval(values, clusters if any(c is not None for c in clusters) else None, alpha=alpha)
        return Alone(
            score=sum(values) / len(values),
            ci=(ci.low, ci.high) if ci else None,
            ci_method=ci.method if ci else None,
        )

    def pass_at(k: int) -> PassAloneAtK:
        return PassAloneAtK(k=k, **dict(alone([pass_at_k(repeats, row.count(1.0), k) for row in table])))

    return OverRepeatsAlone(
        repeats=repeats,
        pass_at=tuple(pass_at(k) for k in pass_sizes(repeats)) if counted else (),
        majority=alone([voted(side, metric) for side in sides]) if counted and votes and says_anything else None,
        variance=variance,
        narrows=narrows(variance),
    )
