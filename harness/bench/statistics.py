"""Numbers of a load with their doubt.

Two kinds of interval, because two things vary. A *rate* (requests, tokens a second) is one number a round; its interval
is Student's over the rounds. So is the interval of a *ratio* of two deployments, over the logarithms of the rounds'
ratios: both were measured in each round, in turns, so what slowed the machine slowed both. A *percentile* is of all
requests of all rounds; its interval is made of order statistics (Hahn and Meeker 1991, 5.2), assumes no distribution,
and has no end where too few requests lie beyond it: the 99th percentile of 100 requests has no upper bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: What is reported of every time.
QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True)
class Between:
    """A number and its interval; an end that cannot be told is None."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class RatioOf:
    """A deployment's number over the first one's, by rounds; `p` of their being equal, None with one round."""

    value: float
    low: float | None
    high: float | None
    p: float | None


def percentile(values: Sequence[float], q: float, *, alpha: float) -> Between | None:
    """The q-th quantile, linear between order statistics (Hyndman and Fan 1996, type 7); None of nothing."""
    from scipy.stats import binom

    n = len(values)
    if n == 0:
        return None
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    # How many of n lie below the true quantile is binomial: the ends are the order statistics at its quantiles.
    below, above = int(binom.ppf(alpha / 2, n, q)), int(binom.ppf(1 - alpha / 2, n, q)) + 1
    return Between(
        float(np.quantile(ordered, q, method="linear")),
        float(ordered[below - 1]) if below >= 1 else None,
        float(ordered[above - 1]) if above <= n else None,
    )


def over_rounds(values: Sequence[float], *, alpha: float) -> Between | None:
    """The mean of one number a round; no interval with fewer than two rounds."""
    if not values:
        return None
    found = np.asarray(values, dtype=np.float64)
    half = _half(found, alpha)
    mean = float(found.mean())
    return Between(mean, None, None) if half is None else Between(mean, max(0.0, mean - half), mean + half)


def ratio(values: Sequence[float | None], first: Sequence[float | None], *, alpha: float) -> RatioOf | None:
    """The geometric mean of `values` ÷ `first`, round by round; rounds in which one of both is missing or 0 count not.

    Args:
        values, first: one number a round, in the same order of rounds.
    """
    from scipy.stats import t

    logs = np.asarray([math.log(one / other) for one, other in zip(values, first, strict=True) if one and other])
    if not len(logs):
        return None
    mean = float(logs.mean())
    half = _half(logs, alpha)
    if half is None:
        return RatioOf(math.exp(mean), None, None, None)
    error = float(logs.std(ddof=1)) / math.sqrt(len(logs))
    p = float(2 * t.sf(abs(mean) / error, len(logs) - 1)) if error > 0 else float(mean == 0.0)
    return RatioOf(math.exp(mean), math.exp(mean - half), math.exp(mean + half), p)


def median(values: Sequence[float]) -> float | None:
    """Of one round; None of nothing."""
    return float(np.median(np.asarray(values, dtype=np.float64))) if values else None


def _half(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], alpha: float) -> float | None:
    """Half the length of Student's interval of the mean."""
    from scipy.stats import t

    n = len(values)
    if n < 2:
        return None
    return float(t.ppf(1 - alpha / 2, n - 1)) * float(values.std(ddof=1)) / math.sqrt(n)
