"""Intervals for a paired difference and for one candidate's score.

Binary, unclustered: Tango's score interval (difference) and Wilson's (one score). Else a t interval, cluster-robust
with G - 1 degrees of freedom where items carry clusters.

A t interval is only as wide as what the sample happened to show. Where (almost) nothing changed it shrinks to a
point, as a percentile bootstrap does, and would call a real loss "held". Two guards against that, both reducing to
Tango's interval in the binary case:

- **Few changes**: at most half of the units changed, and fewer than `FEW_CHANGES`: the interval also covers Tango's
  interval for "units that went up, units that went down", which supposes that a unit not seen to change could have
  changed by a whole point. With no change at all that is z^2 / (n + z^2), close to the rule of three.
- **All units moved by the same non-zero amount**: a share z^2 / (n + z^2) of the units is supposed to be of another
  kind, as far away as scores allow.

References: Tango (1998) Statistics in Medicine 17:891-908; Fagerland, Lydersen and Laake (2014) Statistics in
Medicine 33:2850-2875, who recommend it; Wilson (1927) JASA 22:209-212; Cameron and Miller (2015) Journal of Human
Resources 50:317-372 (clusters).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.comparison.statistics.sample import (
    PairedSample,
    checked_scores,
    group_items,
    is_binary,
    mean,
    unit_sums,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Below this many changed units a normal approximation to their mean is not to be trusted.
FEW_CHANGES = 10

Method = Literal["tango", "wilson", "t", "cluster-t", "few-changes", "constant"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided interval and how it was made.

    Attributes:
        low: lower bound.
        high: upper bound.
        method: "tango" or "wilson" (binary, unclustered), "t", "cluster-t", or one of the guards of this module,
            "few-changes" and "constant".
    """

    low: float
    high: float
    method: Method

    @property
    def bounds(self) -> tuple[float, float]:
        """(low, high)."""
        return self.low, self.high


def paired_interval(sample: PairedSample, *, alpha: float = 0.05) -> Interval | None:
    """Interval of the mean paired difference; None when there is no item."""
    if sample.n == 0:
        return None
    return difference_interval(sample, z=z_quantile(alpha), t=lambda df: t_quantile(alpha, df))


def difference_interval(sample: PairedSample, *, z: float, t: Callable[[float], float], scale: float = 1.0) -> Interval:
    """The interval at given critical values, as if the sample were `scale` times as large and otherwise the same.

    Args:
        sample: at least one item.
        z: normal critical value.
        t: critical value of Student's t as a function of the degrees of freedom.
        scale: used by the power formulas to look ahead; 1.0 is the sample itself.
    """
    units, up, down = sample.units * scale, sample.up * scale, sample.down * scale
    if sample.exact:
        return Interval(*_tango_scalar(up, down, units, z), "tango")
    changed = up + down
    few = changed < FEW_CHANGES and 2 * changed <= units
    if sample.se == 0.0 and not few:
        other = z * z / (units + z * z)
        low, high = (1.0 - other) * sample.delta - other, (1.0 - other) * sample.delta + other
        # Rounding must not push a bound past the difference itself when that is -1 or 1.
        return Interval(min(low, sample.delta), max(high, sample.delta), "constant")
    half = t(units - 1.0) * sample.se / math.sqrt(scale) if sample.se else 0.0
    low, high = max(-1.0, sample.delta - half), min(1.0, sample.delta + half)
    if few:
        tango_low, tango_high = _tango_scalar(up, down, units, z)
        return Interval(min(low, tango_low), max(high, tango_high), "few-changes")
    return Interval(low, high, "cluster-t" if sample.clustered else "t")


def score_interval(
    scores: ArrayLike, clusters: Sequence[Hashable | None] | None = None, *, alpha: float = 0.05
) -> Interval | None:
    """Interval of one candidate's mean score, in [0, 1]; None when there is no item.

    Binary and unclustered: Wilson. Else t, cluster-robust where there are clusters. Where all units but a few
    (`FEW_CHANGES`) have a perfect score, or all but a few have none, the interval also covers Wilson's for the share
    of such units; scores that are all equal are treated as in a paired difference.
    """
    values = checked_scores(scores, "scores")
    n = len(values)
    if n == 0:
        return None
    z = z_quantile(alpha)
    groups = group_items(n, clusters)
    center = mean(values)
    if groups is None and is_binary(values):
        return Interval(*wilson_bounds(int(np.count_nonzero(values)), n, z), "wilson")
    sums, se = unit_sums(values, groups, center)
    units = len(sums)
    sizes = np.array([len(group) for group in groups], dtype=np.float64) if groups is not None else np.ones(n)
    if se == 0.0:
        other = z * z / (units + z * z)
        low, high = (1.0 - other) * center, (1.0 - other) * center + other
        return Interval(low, max(high, center), "constant")
    half = t_quantile(alpha, units - 1) * se
    low, high = max(0.0, center - half), min(1.0, center + half)
    for extreme in (int(np.count_nonzero(sums == sizes)), units - int(np.count_nonzero(sums == 0.0))):
        # First the perfect units, when nearly all are; then the units with any score, when nearly none has.
        if 0 < min(extreme, units - extreme) < FEW_CHANGES and 2 * min(extreme, units - extreme) <= units:
            wilson_low, wilson_high = wilson_bounds(extreme, units, z)
            return Interval(min(low, wilson_low), max(high, wilson_high), "few-changes")
    return Interval(low, high, "cluster-t" if groups is not None else "t")


def wilson_bounds(successes: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's score interval for a proportion."""
    rate = successes / n
    center = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    # At 0 and n the closed form is exact; rounding must not push the bound past the score itself.
    low = 0.0 if successes == 0 else max(0.0, center - half)
    high = 1.0 if successes == n else min(1.0, center + half)
    return low, high


def tango_bounds(
    gained: ArrayLike, lost: ArrayLike, n: ArrayLike, z: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tango's score interval for (gained - lost) / n, elementwise.

    The bounds are where the score statistic (gained - lost - n d) / sqrt(n (2 q + d (1 - d))) equals -z and z, with q
    the maximum likelihood estimate of the probability of "lost" under the difference d. Found by bisection; the lower
    bound is the mirrored upper bound with the sides swapped, so that swapping base and candidate mirrors it exactly.

    Args:
        gained: items right only for the candidate.
        lost: items right only for the base.
        n: all items.
        z: normal critical value.
    """
    up, down, total = np.broadcast_arrays(
        np.asarray(gained, dtype=np.float64), np.asarray(lost, dtype=np.float64), np.asarray(n, dtype=np.float64)
    )
    below, above = _tango_upper(np.stack([down, up]), np.stack([up, down]), total, z)
    return -below, above


def _tango_upper(
    up: NDArray[np.float64], down: NDArray[np.float64], n: NDArray[np.float64], z: float
) -> NDArray[np.float64]:
    estimate = (up - down) / n
    inside, outside = estimate.copy(), np.ones_like(estimate)
    for _ in range(60):
        middle = (inside + outside) / 2
        # q solves 2n q^2 + b q + c = 0; the form without cancellation is chosen by the sign of b.
        b = (2 * n - up + down) * middle - up - down
        c = -down * middle * (1 - middle)
        root = np.sqrt(np.maximum(b * b - 8 * n * c, 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            q = np.where(b > 0, -2 * c / (b + root), (root - b) / (4 * n))
        variance = n * np.maximum(2 * q + middle * (1 - middle), 0.0)
        accepted = (n * middle - up + down) ** 2 <= z * z * variance
        inside = np.where(accepted, middle, inside)
        outside = np.where(accepted, outside, middle)
    return (inside + outside) / 2


def _tango_scalar(up: float, down: float, n: float, z: float) -> tuple[float, float]:
    low, high = tango_bounds(up, down, n, z)
    return float(low), float(high)


def z_quantile(alpha: float) -> float:
    """Two-sided critical value of the normal distribution."""
    return NormalDist().inv_cdf(1 - alpha / 2)


def t_quantile(alpha: float, df: float) -> float:
    """Two-sided critical value of Student's t distribution."""
    # scipy.stats takes four times as long to import; this is the same function.
    from scipy.special import stdtrit

    return float(stdtrit(df, 1 - alpha / 2))
