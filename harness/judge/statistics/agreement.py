"""How far two raters agree: accuracy and Cohen's kappa.

Kappa is agreement beyond what two raters would reach who use the categories as often and know nothing of the item:
1 - (observed disagreement) / (expected disagreement). Weighted, a disagreement counts by how far apart two categories
stand in the order of the labels: |i - j| (linear) or (i - j)^2 (quadratic). All possible labels have to be given then,
also those that nobody used, because an unused grade still stands between its neighbours.

**Undefined.** With nothing rated by both, accuracy and kappa are None. Where both use one and the same category only,
no disagreement was to be expected and kappa is 0 / 0: None, although accuracy is 1.

References: Cohen (1960) Educational and Psychological Measurement 20:37-46; Cohen (1968) Psychological Bulletin
70:213-220 (weights).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

import numpy as np

from harness.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Weights = Literal["none", "linear", "quadratic"]

L = TypeVar("L", bound=Hashable)


@dataclass(frozen=True, slots=True, eq=False)
class Confusion(Generic[L]):
    """Who said what how often.

    Attributes:
        labels: the k categories, in order.
        counts: (k, k) items; the row is the first rater's label, the column the second's.
        missing: items that one of the two did not rate; they are in no count.
    """

    labels: tuple[L, ...]
    counts: NDArray[np.int64] = field(repr=False)
    missing: int

    @property
    def n(self) -> int:
        """Items that both rated."""
        return int(self.counts.sum())


@dataclass(frozen=True, slots=True, eq=False)
class Agreement(Generic[L]):
    """Two raters' agreement.

    Attributes:
        n: items that both rated.
        missing: items that one of the two did not rate.
        accuracy: share of the n with the same label; None when n is 0.
        kappa: Cohen's, in [-1, 1]; None where it is undefined (see the module's text).
        weights: how kappa weighs disagreements.
        confusion: the counts behind it.
    """

    n: int
    missing: int
    accuracy: float | None
    kappa: float | None
    weights: Weights
    confusion: Confusion[L]


def agreement(
    first: Sequence[L | None],
    second: Sequence[L | None],
    *,
    labels: Sequence[L] | None = None,
    weights: Weights = "none",
) -> Agreement[L]:
    """Compare two raters' labels of the same items, in the same order.

    Args:
        first: (n,) labels, None where the item was not rated.
        second: (n,) labels of the same items.
        labels: every possible label in order; default: those that occur, in order of appearance.
        weights: for ordered labels, "linear" or "quadratic".

    Raises:
        InputError: the lengths differ, a label is not in `labels` or stands there twice, or weights without `labels`.
    """
    if weights != "none" and labels is None:
        raise InputError(
            f"{weights} weights need the order of the labels", remedy="Pass all labels, also those that nobody used."
        )
    counts = confusion(first, second, labels=labels)
    return Agreement(
        n=counts.n,
        missing=counts.missing,
        accuracy=accuracy(counts),
        kappa=cohen_kappa(counts, weights),
        weights=weights,
        confusion=counts,
    )


def confusion(
    first: Sequence[L | None], second: Sequence[L | None], *, labels: Sequence[L] | None = None
) -> Confusion[L]:
    """Count the pairs of labels; arguments and errors as of `agreement`."""
    if len(first) != len(second):
        raise InputError(f"{len(first)} and {len(second)} ratings do not pair", remedy="Pair by item before comparing.")
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    known = tuple(labels) if labels is not None else tuple(dict.fromkeys(label for pair in pairs for label in pair))
    index = {label: position for position, label in enumerate(known)}
    if len(index) < len(known):
        raise InputError(f"a label stands twice in {list(known)}")
    counts = np.zeros((len(known), len(known)), dtype=np.int64)
    for a, b in pairs:
        for label in (a, b):
            if label not in index:
                raise InputError(f"the label {label!r} is none of {list(known)}")
        counts[index[a], index[b]] += 1
    return Confusion(labels=known, counts=counts, missing=len(first) - len(pairs))


def accuracy(counts: Confusion[L]) -> float | None:
    """Share of items with the same label; None when there is no item."""
    return int(np.trace(counts.counts)) / counts.n if counts.n else None


def cohen_kappa(counts: Confusion[L], weights: Weights = "none") -> float | None:
    """Cohen's kappa; None where no disagreement was to be expected (one category only, or no item)."""
    if counts.n == 0:
        return None
    table = counts.counts.astype(np.float64)
    position = np.arange(len(counts.labels), dtype=np.float64)
    distance = np.abs(position[:, None] - position[None, :])
    if weights == "none":
        distance = (distance > 0).astype(np.float64)
    elif weights == "quadratic":
        distance = distance**2
    expected = float((distance * np.outer(table.sum(axis=1), table.sum(axis=0))).sum()) / counts.n
    if expected == 0.0:
        return None
    return 1.0 - float((distance * table).sum()) / expected
