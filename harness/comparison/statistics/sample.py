"""Paired scores of the same items, reduced to what every interval, test and power formula needs.

Sums are exactly rounded (`math.fsum`), so that the order of the items changes no digit of any result.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# A standard error below this is rounding (0.3 - 0.2 against 0.9 - 0.8), not variation.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class PairedSample:
    """What is known about candidate - base.

    A unit is what was sampled independently: a cluster, or a single item where there are no clusters.

    Attributes:
        n: paired items.
        base: mean score of the base; 0.0 when n is 0.
        candidate: mean score of the candidate; 0.0 when n is 0.
        delta: mean of candidate - base.
        binary: every score on both sides is 0 or 1.
        clustered: some cluster holds more than one item.
        unit_sums: sum of candidate - base in each unit, sorted.
        se: standard error of `delta`: CR1, that is cluster sums with a G / (G - 1) correction, which is sd / sqrt(n)
            when every unit is one item; 0.0 where it cannot be estimated (fewer than two units) or nothing varies.
        up: units whose sum is positive.
        down: units whose sum is negative.
    """

    n: int
    base: float
    candidate: float
    delta: float
    binary: bool
    clustered: bool
    unit_sums: NDArray[np.float64] = field(repr=False)
    se: float
    up: int
    down: int

    @property
    def units(self) -> int:
        """How many clusters, or items where there are no clusters."""
        return len(self.unit_sums)

    @property
    def exact(self) -> bool:
        """Binary and unclustered: counts of gained and lost items say everything."""
        return self.binary and not self.clustered


def paired_sample(
    base: ArrayLike, candidate: ArrayLike, clusters: Sequence[Hashable | None] | None = None
) -> PairedSample:
    """Reduce two score vectors over the same items, in the same order.

    Args:
        base: scores in [0, 1].
        candidate: scores of the same items in [0, 1].
        clusters: a label for each item; items of one label were not sampled independently (questions about one
            passage, paraphrases of one question). None is a cluster of its own.
    """
    left, right = checked_scores(base, "base"), checked_scores(candidate, "candidate")
    if len(left) != len(right):
        raise InputError(
            f"{len(left)} base scores and {len(right)} candidate scores do not pair",
            remedy="Pair by item before comparing.",
        )
    difference = right - left
    groups = group_items(len(left), clusters)
    delta = mean(difference)
    sums, se = unit_sums(difference, groups, delta)
    sums.sort()
    return PairedSample(
        n=len(left),
        base=mean(left),
        candidate=mean(right),
        delta=delta,
        binary=is_binary(left) and is_binary(right),
        clustered=groups is not None,
        unit_sums=sums,
        se=se,
        up=int(np.count_nonzero(sums > _ROUNDING)),
        down=int(np.count_nonzero(sums < -_ROUNDING)),
    )


def checked_scores(scores: ArrayLike, side: str) -> NDArray[np.float64]:
    """Scores as float64; anything that is not a number in [0, 1] is refused."""
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 1:
        raise InputError(f"scores must be one number an item, not {array.ndim}-dimensional", where=side)
    bad = np.flatnonzero(~((array >= 0.0) & (array <= 1.0)))
    if len(bad):
        raise InputError(
            f"the score {array[bad[0]]} at position {bad[0]} is not in [0, 1]",
            where=side,
            remedy="Scale the metric to [0, 1] and leave unscored items out.",
        )
    return array


def is_binary(scores: NDArray[np.float64]) -> bool:
    """True when every score is 0 or 1."""
    return bool(np.all((scores == 0.0) | (scores == 1.0)))


def group_items(n: int, clusters: Sequence[Hashable | None] | None) -> list[list[int]] | None:
    """Positions of the items of each cluster; None when no cluster holds two items."""
    if clusters is None:
        return None
    if len(clusters) != n:
        raise InputError(f"{len(clusters)} cluster labels for {n} items")
    groups: list[list[int]] = []
    known: dict[Hashable, list[int]] = {}
    for index, label in enumerate(clusters):
        if label is not None and label in known:
            known[label].append(index)
            continue
        group = [index]
        groups.append(group)
        if label is not None:
            known[label] = group
    return groups if len(groups) < n else None


def unit_sums(
    values: NDArray[np.float64], groups: list[list[int]] | None, center: float
) -> tuple[NDArray[np.float64], float]:
    """Sum in each unit, and the CR1 standard error of the mean (Cameron and Miller 2015, section II.A).

    The variance is G / (G - 1) * sum over clusters of (sum of the cluster's deviations from the mean)^2 / n^2.
    """
    n = len(values)
    if groups is None:
        sums = values.copy()
        deviations = values - center
    else:
        items = values.tolist()
        sums = np.array([math.fsum(items[i] for i in group) for group in groups], dtype=np.float64)
        deviations = sums - center * np.array([len(group) for group in groups], dtype=np.float64)
    units = len(sums)
    if units < 2:
        return sums, 0.0
    se = math.sqrt(units / (units - 1) * math.fsum((deviations**2).tolist())) / n
    return sums, se if se > _ROUNDING else 0.0


def mean(values: NDArray[np.float64]) -> float:
    """Exactly rounded mean; 0.0 of nothing."""
    return math.fsum(values.tolist()) / len(values) + 0.0 if len(values) else 0.0
