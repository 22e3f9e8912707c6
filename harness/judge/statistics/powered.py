"""Prediction-powered inference: a few items judged by people correct a judge that has judged many.

With people's differences d on n items and the judge's f on these and on N others, the mean difference is estimated by

    lambda * mean(f, N others) + mean(d - lambda * f, n items)

The second term takes out whatever the judge is wrong by on average, so the estimate is right for any judge and any
lambda; a good judge makes it precise. The n items have to be drawn at random from all. lambda is the plug-in value that
minimises the variance, cov(d, f) / ((1 + n / N) * var(f)), clipped to [0, 1]: 0 for a judge that knows nothing, which
is people alone. The variance is lambda^2 var(f) / N + var(d - lambda f) / n.

**Interval.** Student's t with n - 1 degrees of freedom: in simulations of 50 labelled items the normal quantile covers
up to a point less. A t interval only knows the judge's errors that the n items showed. A judge that errs on one item in
twenty is caught on 2 or 3 of 50; when others are many, nothing else is left in the variance, and 95% intervals covered
84%. Where judge and people differ on fewer than `FEW_CHANGES` units, or people's differences are other than 0 on as
few, or one of the two is constant, the interval therefore also covers one put together (Zou and Donner 2008) from the
judge's variance on the others and the guarded intervals of `harness.comparison.statistics` for mean(d - f) and mean(d).
These suppose that a unit not seen to differ could have, by the largest difference seen (where none was, the smallest
step between two values), and by a whole point at least.

**Clusters.** Deviations are summed within a cluster before they are squared, also over labelled and other items of one
cluster, with a G / (G - 1) correction for each part; n - 1 becomes the number of clusters with labelled items less 1.

References: Angelopoulos, Bates, Fannjiang, Jordan and Zrnic (2023) "Prediction-powered inference", Science
382:669-674; Angelopoulos, Duchi and Zrnic (2023) "PPI++: Efficient prediction-powered inference", arXiv 2311.01453, and
the package `ppi-python`, which divides by n where this module divides by n - 1 and uses the normal quantile; Zou and
Donner (2008) Statistics in Medicine 27:1693-1702.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.comparison.statistics import FEW_CHANGES, Interval, PairedSample, paired_interval
from harness.comparison.statistics.intervals import t_quantile
from harness.comparison.statistics.sample import mean
from harness.errors import InputError
from harness.judge.statistics.differences import checked_differences, difference_sample
from harness.judge.statistics.variance import Labels, cluster_errors, cluster_ids, standard_error

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# A variance or a difference below this is rounding.
_ROUNDING = 1e-12

_GUARDS = ("few-changes", "constant")


@dataclass(frozen=True, slots=True)
class Powered:
    """A mean difference from people and a judge together.

    Attributes:
        estimate: mean of candidate - base, in [-1, 1].
        ci: its interval.
        se: its standard error, without the guard for few errors.
        guarded: one of the guards of this module, or of people's interval where lambda is 0, widened the interval.
        tuning: lambda, how far the judge is relied on, in [0, 1].
        labelled: n, items judged by people.
        unlabelled: N, items judged by the judge alone.
        people: mean of people's differences.
        people_ci: the interval from people alone, to see what the judge adds.
        judge_error: mean of judge - people on the labelled items.
    """

    estimate: float
    ci: tuple[float, float]
    se: float
    guarded: bool
    tuning: float
    labelled: int
    unlabelled: int
    people: float
    people_ci: Interval
    judge_error: float


def powered_mean(
    people: ArrayLike,
    judge: ArrayLike,
    unlabelled: ArrayLike,
    *,
    clusters: Labels | None = None,
    unlabelled_clusters: Labels | None = None,
    tuning: float | None = None,
    alpha: float = 0.05,
) -> Powered | None:
    """Estimate the mean difference; None when nothing is labelled.

    Args:
        people: (n,) people's differences in [-1, 1].
        judge: (n,) the judge's differences of the same items.
        unlabelled: (N,) the judge's differences of other items.
        clusters: a label for each labelled item, None for a cluster of its own.
        unlabelled_clusters: the same for the others; a label may occur in both.
        tuning: lambda in [0, 1]; default: the plug-in value. It is 0 whatever is asked for where the judge's variance
            on the others, or people's, cannot be estimated.
        alpha: two-sided level.

    Raises:
        InputError: a difference outside [-1, 1], lists that do not pair, or lambda outside [0, 1].
    """
    d, f = checked_differences(people, "people"), checked_differences(judge, "judge")
    g = checked_differences(unlabelled, "unlabelled")
    if len(d) != len(f):
        raise InputError(f"{len(d)} differences of people and {len(f)} of the judge do not pair")
    if tuning is not None and not 0.0 <= tuning <= 1.0:
        raise InputError(f"lambda is {tuning}, not in [0, 1]")
    alone = difference_sample(d, clusters)
    people_ci = paired_interval(alone, alpha=alpha)
    if people_ci is None:
        return None
    ids, other_ids = cluster_ids(clusters, unlabelled_clusters, len(d), len(g))
    share = best_tuning(d, f, g) if tuning is None else tuning
    if alone.units < 2 or len(np.unique(other_ids)) < 2:
        share = 0.0  # one of the two variances cannot be estimated
    if share == 0.0:
        estimate, se, ci, guarded = alone.delta, alone.se, people_ci.bounds, people_ci.method in _GUARDS
    else:
        t = t_quantile(alpha, alone.units - 1.0)
        estimate = share * mean(g) + mean(d - share * f)
        size = len(d) + len(g)
        of_others = cluster_errors(share * g, other_ids, size)
        se = standard_error(cluster_errors(d - share * f, ids, size), of_others)
        below = above = t * se
        disagree = difference_sample((d - f) / 2.0, clusters)
        if _says_little(alone) or _says_little(disagree):
            gap, rest = _disagreement(d, f, g, clusters, alpha), t * standard_error(of_others)
            low, high = alone.delta - people_ci.low, people_ci.high - alone.delta
            below = max(below, math.hypot(rest, share * gap.below, (1.0 - share) * low))
            above = max(above, math.hypot(rest, share * gap.above, (1.0 - share) * high))
        guarded = max(below, above) > t * se
        ci = _possible(estimate - below), _possible(estimate + above)
        estimate = _possible(estimate)
    return Powered(
        estimate=estimate,
        ci=ci,
        se=se,
        guarded=guarded,
        tuning=share,
        labelled=len(d),
        unlabelled=len(g),
        people=alone.delta,
        people_ci=people_ci,
        judge_error=mean(f - d),
    )


def best_tuning(people: NDArray[np.float64], judge: NDArray[np.float64], unlabelled: NDArray[np.float64]) -> float:
    """The plug-in lambda of PPI++ for a mean, in [0, 1]; 0.0 where the judge never varies or judged nothing else.

    Clusters are not taken into account: any lambda gives a valid estimate, and this one is near the best.

    Args:
        people: (n,) differences.
        judge: (n,) of the same items.
        unlabelled: (N,) the judge's, of other items.
    """
    n, others = len(people), len(unlabelled)
    if n < 2 or others == 0:
        return 0.0
    variance = float(np.var(np.concatenate([judge, unlabelled]), ddof=1))
    if variance <= _ROUNDING:
        return 0.0
    covariance = float(np.mean((people - people.mean()) * (judge - judge.mean())))
    return min(1.0, max(0.0, covariance / ((1.0 + n / others) * variance)))


def _possible(difference: float) -> float:
    return max(-1.0, min(1.0, difference))


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far an interval reaches below and above its mean."""

    below: float
    above: float


def _disagreement(
    d: NDArray[np.float64], f: NDArray[np.float64], g: NDArray[np.float64], clusters: Labels | None, alpha: float
) -> _Reach:
    """The guarded interval of mean(d - f); a unit not seen to differ could have, by one step."""
    largest = float(np.abs(d - f).max())
    if largest <= _ROUNDING:
        steps = np.diff(np.unique(np.concatenate([d, f, g])))
        largest = float(steps.min()) if len(steps) else 0.0
    step = max(1.0, largest)
    sample = difference_sample((d - f) / step, clusters)
    found = paired_interval(sample, alpha=alpha)
    if found is None:
        return _Reach(0.0, 0.0)
    return _Reach(step * (sample.delta - found.low), step * (found.high - sample.delta))


def _says_little(sample: PairedSample) -> bool:
    """The variance is of next to nothing: so few units differ from 0, or none from another (see `paired_interval`)."""
    changed = sample.up + sample.down
    return sample.se == 0.0 or (changed < FEW_CHANGES and 2 * changed <= sample.units)
