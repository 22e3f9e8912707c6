"""Krippendorff's alpha: how far several raters agree, also when not everybody rated everything.

alpha = 1 - (observed disagreement) / (expected disagreement): pairs of ratings of one unit against pairs of ratings
whatever the unit. 1 is agreement, 0 what chance gives, below 0 is less than chance. Krippendorff takes 0.8 as reliable
and 0.667 as the lowest for tentative conclusions.

The distance of two values is 1 where they differ (nominal), the square of their difference (interval), or the square
of how many ratings lie between them, the two ends counted half (ordinal).

**Undefined.** Units with fewer than two ratings say nothing and are left out. Without a unit left, or where all ratings
left are one value, alpha is 0 / 0: None. With one value nobody could have disagreed, so it is no proof of agreement.

Reference: Krippendorff (2011) "Computing Krippendorff's Alpha-Reliability", and the package `krippendorff`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Level = Literal["nominal", "ordinal", "interval"]


@dataclass(frozen=True, slots=True)
class Reliability:
    """Agreement among raters.

    Attributes:
        alpha: Krippendorff's, at most 1; None where it is undefined.
        units: units with two or more ratings.
        ratings: ratings of those units.
        level: how far apart two values count.
    """

    alpha: float | None
    units: int
    ratings: int
    level: Level


def rating_matrix(ratings: Sequence[Sequence[float | None]] | ArrayLike) -> NDArray[np.float64]:
    """Units x raters as floats, NaN where a rating is missing.

    Raises:
        InputError: a unit has more or fewer places than another, or a rating is infinite.
    """
    rows = [list(row) for row in ratings]  # type: ignore[union-attr, arg-type]
    widths = {len(row) for row in rows}
    if len(widths) > 1:
        raise InputError(
            f"units have between {min(widths)} and {max(widths)} ratings",
            remedy="Give each unit one place a rater, None where it was not rated.",
        )
    matrix = np.array([[np.nan if value is None else value for value in row] for row in rows], dtype=np.float64)
    matrix = matrix.reshape(len(rows), widths.pop() if widths else 0)
    if np.isinf(matrix).any():
        raise InputError("a rating is infinite")
    return matrix


def krippendorff_alpha(ratings: Sequence[Sequence[float | None]] | ArrayLike, level: Level = "nominal") -> Reliability:
    """Krippendorff's alpha of units x raters.

    Args:
        ratings: (units, raters) numbers; None or NaN is missing. Nominal categories are any distinct numbers.
        level: nominal, ordinal (grades) or interval (measurements).
    """
    matrix = rating_matrix(ratings)
    matrix = matrix[np.count_nonzero(~np.isnan(matrix), axis=1) >= 2]
    values = np.unique(matrix[~np.isnan(matrix)])
    # (units, values): how many raters gave this value.
    given = (matrix[:, :, None] == values[None, None, :]).sum(axis=1).astype(np.float64)
    total = given.sum(axis=0)
    ratings_left = int(total.sum())
    if len(values) < 2:
        return Reliability(None, len(matrix), ratings_left, level)
    distance = _distances(values, total, level)
    # Ordered pairs within a unit, each unit weighing as many pairs as it has ratings.
    coincidences = given.T @ (given / (given.sum(axis=1, keepdims=True) - 1.0))
    observed = float((coincidences * distance).sum())
    expected = float(total @ distance @ total) / (ratings_left - 1.0)
    return Reliability(1.0 - observed / expected, len(matrix), ratings_left, level)


def _distances(values: NDArray[np.float64], total: NDArray[np.float64], level: Level) -> NDArray[np.float64]:
    if level == "nominal":
        return 1.0 - np.eye(len(values))
    # Ordinal: the middle of a value's ranks, so that a difference counts what lies between, the ends half.
    scale = values if level == "interval" else np.cumsum(total) - total / 2.0
    return np.asarray((scale[:, None] - scale[None, :]) ** 2, dtype=np.float64)
