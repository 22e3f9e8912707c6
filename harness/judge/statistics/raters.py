"""How far several people agree with one another: the ceiling for a judge that is held against them.

A judge cannot agree with people more than they agree among themselves without having learnt one person's taste, so
both numbers belong side by side. Every pair of people is compared over the items that both rated.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Generic, TypeVar

from harness.errors import InputError
from harness.judge.statistics.agreement import Agreement, Weights, agreement
from harness.judge.statistics.reliability import Level, Reliability, krippendorff_alpha

L = TypeVar("L", bound=Hashable)


@dataclass(frozen=True, slots=True, eq=False)
class RaterPair(Generic[L]):
    """Two raters of several.

    Attributes:
        first: the one rater's column.
        second: the other's.
        agreement: of the first with the second.
    """

    first: int
    second: int
    agreement: Agreement[L]


@dataclass(frozen=True, slots=True, eq=False)
class RatersAgreement(Generic[L]):
    """Agreement among several raters.

    Attributes:
        raters: how many.
        pairs: every two of them.
        accuracy: mean over the pairs that rated an item in common; None without one.
        kappa: mean over the pairs for which it is defined; None without one.
        reliability: Krippendorff's alpha of all of them.
    """

    raters: int
    pairs: tuple[RaterPair[L], ...]
    accuracy: float | None
    kappa: float | None
    reliability: Reliability


def raters_agreement(
    ratings: Sequence[Sequence[L | None]], labels: Sequence[L], *, weights: Weights = "none", level: Level = "nominal"
) -> RatersAgreement[L]:
    """Compare every rater with every other.

    Args:
        ratings: (units, raters) labels, None where a rater did not rate the unit.
        labels: every possible label in order.
        weights: of the pairs' kappa.
        level: of alpha. "ordinal" and "interval" take labels by their place in `labels`, one apart.

    Raises:
        InputError: units differ in their number of raters, or a label is not in `labels`.
    """
    widths = {len(unit) for unit in ratings}
    if len(widths) > 1:
        raise InputError(f"units have between {min(widths)} and {max(widths)} raters")
    raters = widths.pop() if widths else 0
    columns = [[unit[rater] for unit in ratings] for rater in range(raters)]
    pairs = tuple(
        RaterPair(a, b, agreement(columns[a], columns[b], labels=labels, weights=weights))
        for a, b in combinations(range(raters), 2)
    )
    place = {label: float(position) for position, label in enumerate(labels)}
    for label in (label for unit in ratings for label in unit if label is not None):
        if label not in place:
            raise InputError(f"the label {label!r} is none of {list(labels)}")
    numbers = [[None if label is None else place[label] for label in unit] for unit in ratings]
    return RatersAgreement(
        raters=raters,
        pairs=pairs,
        accuracy=_mean([pair.agreement.accuracy for pair in pairs]),
        kappa=_mean([pair.agreement.kappa for pair in pairs]),
        reliability=krippendorff_alpha(numbers, level),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
