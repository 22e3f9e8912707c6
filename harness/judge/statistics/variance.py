"""Variance of a sum of two means whose items may share clusters.

Each mean's error is split into what each cluster adds to it: the sum of its items' deviations over n, times
sqrt(G / (G - 1)). A cluster's parts are added before they are squared, so two means over the same clusters vary
together; over different clusters, or single items, the result is the sum of two CR1 variances (Cameron and Miller
2015, Journal of Human Resources 50:317-372).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.comparison.statistics.sample import mean
from harness.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Labels = Sequence[Hashable | None]


def cluster_ids(
    labels: Labels | None, other_labels: Labels | None, n: int, others: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A number for each item's cluster, the same for one label on both sides; an item without a label has its own.

    Args:
        labels: (n,) of the first items; None when none has one.
        other_labels: (others,) of the second.
        n: how many first items there are.
        others: how many second ones.

    Raises:
        InputError: labels and items do not pair.
    """
    if labels is None and other_labels is None:
        return np.arange(n), np.arange(n, n + others)
    first = list(labels) if labels is not None else [None] * n
    second = list(other_labels) if other_labels is not None else [None] * others
    if len(first) != n or len(second) != others:
        raise InputError(f"{len(first)} and {len(second)} cluster labels for {n} and {others} items")
    numbers: list[int] = []
    known: dict[Hashable, int] = {}
    for label in first + second:
        number = len(numbers)  # not yet given to anybody
        numbers.append(number if label is None else known.setdefault(label, number))
    ids = np.array(numbers, dtype=np.int64)
    return ids[:n], ids[n:]


def cluster_errors(values: NDArray[np.float64], ids: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """What each cluster adds to the error of the mean of `values`.

    Args:
        values: (n,), n at least 1, in two clusters or more.
        ids: (n,) cluster numbers.
        size: one more than the largest number there is.

    Returns:
        (size,) in the unit of `values`; 0.0 for a cluster without an item here.
    """
    clusters = len(np.unique(ids))
    deviations = (values - mean(values)) / len(values)
    sums = np.bincount(ids, weights=deviations, minlength=size)
    return np.asarray(math.sqrt(clusters / (clusters - 1.0)) * sums, dtype=np.float64)


def standard_error(*errors: NDArray[np.float64]) -> float:
    """Of a sum of means, from the clusters' parts of each, all of one size."""
    return math.sqrt(math.fsum((np.sum(errors, axis=0) ** 2).tolist()))
