"""Paired differences as the scores that `harness.comparison.statistics` takes.

A judge gives a difference d in [-1, 1] (1: the candidate is better), not two scores. Written as the two scores
max(0, -d) and max(0, d) it is a paired sample like any other, and one of wins, ties and losses alone is binary: Tango's
interval and the exact McNemar test, which is then the sign test of wins against losses, apply.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.comparison.statistics import PairedSample, paired_sample
from harness.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def checked_differences(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """One dimension of numbers in [-1, 1], or an `InputError` that says which is none.

    Args:
        values: (n,) differences.
        name: what they are called in the error.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise InputError(f"{name}: expected one difference for each item, got an array of shape {array.shape}")
    bad = np.flatnonzero(~((array >= -1.0) & (array <= 1.0)))
    if len(bad):
        raise InputError(f"{name}: the difference {array[bad[0]]} at position {bad[0]} is not in [-1, 1]")
    return array


def difference_sample(differences: ArrayLike, clusters: Sequence[Hashable | None] | None = None) -> PairedSample:
    """The paired sample whose candidate - base are these differences.

    Args:
        differences: (n,) in [-1, 1].
        clusters: a label for each item, None for a cluster of its own.

    Returns:
        A sample for `paired_interval`, `paired_p`, `minimum_detectable` and `items_needed`. Its means are not scores:
        of wins, ties and losses they are the shares of losses and of wins.
    """
    values = checked_differences(differences, "differences")
    return paired_sample(np.maximum(-values, 0.0), np.maximum(values, 0.0), clusters)
