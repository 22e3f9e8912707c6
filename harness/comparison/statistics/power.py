"""What this many items could have shown, and how many would decide.

**Smallest difference** (`minimum_detectable`), at a given power and two-sided alpha:

- binary, unclustered: the solution d of Connor's formula for McNemar's test (Connor 1987, Biometrics 43:207-211),
  with Edwards' continuity correction because the test used is the exact one:
  (d - 1/n) sqrt(n) = z_alpha sqrt(psi) + z_power sqrt(psi - d^2), where psi is the discordance observed, but at least
  d, because a difference of d needs that much discordance. With no discordance observed, d is therefore the smallest
  difference, all of it in one direction, that the test would find: 8.6 / n at n = 20, 9.7 / n at n = 1,000 (the test's
  own power there is 0.92; it is between 0.80 and 0.86 where many pairs are discordant).
- else: (t_alpha + t_power) * se, with the degrees of freedom of the interval (Bloom 1995, Evaluation Review
  19:547-556). Where the interval does not trust the variance (few changes, all differences equal), not less than the
  binary formula for units that change by a whole point.

None means that no difference, however large, could have been shown: below 6 units even the smallest p-value of these
tests, 2^(1 - units), is above 0.05.

**Items needed** (`items_needed`): the smallest number of items at which, if every rate and variance stays as
observed, one of the decisive outcomes has the given power: the interval's lower bound above -margin, or a significant
difference. It looks ahead with the very interval of `intervals`, at critical values enlarged by that of the power
(1.96 + 0.84 rather than 1.96). With no discordance and a margin of 0.02 that is 385 items in all.

The estimate is as uncertain as the effect it starts from. Items added until the answer pleases are no evidence: fix
the number, then compare once.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from harness.comparison.statistics.intervals import difference_interval, t_quantile, z_quantile
from harness.comparison.statistics.sample import PairedSample

POWER = 0.8

# More items than this is no advice.
_MOST_ITEMS = 1_000_000


def minimum_detectable(sample: PairedSample, *, alpha: float = 0.05, power: float = POWER) -> float | None:
    """Smallest absolute difference that a sample like this shows with the given power; None when it can show none."""
    if sample.units < 2 or 2.0 ** (1 - sample.units) > alpha:
        return None
    units = float(sample.units)
    observed = (sample.up + sample.down) / units
    if sample.exact:
        return _binary_detectable(units, observed, alpha, power)
    detectable = (t_quantile(alpha, units - 1) + _one_sided_t(power, units - 1)) * sample.se
    interval = difference_interval(sample, z=z_quantile(alpha), t=lambda df: t_quantile(alpha, df))
    if interval.method in ("few-changes", "constant"):
        floor = _binary_detectable(units, observed, alpha, power)
        if floor is None:
            return None
        detectable = max(detectable, floor)
    return detectable if detectable <= 1.0 else None


def items_needed(
    sample: PairedSample, *, margin: float, alpha: float = 0.05, family: int = 1, power: float = POWER
) -> int | None:
    """How many more items would decide, if rates and variances stay as observed; None when no realistic number would.

    Args:
        sample: what was observed.
        margin: the task's non-inferiority margin; a lower bound above -margin decides.
        alpha: two-sided level.
        family: how many primary metrics Holm's adjustment covers; a significant difference is sought at
            alpha / family.
        power: probability of the decision at that number.
    """
    if sample.n == 0:
        return None

    def decides(items: int) -> bool:
        scale = items / sample.n
        return _shows_margin(sample, scale, margin, alpha, power) or _shows_difference(
            sample, scale, alpha / family, power
        )

    low, high = sample.n, sample.n + 1
    while not decides(high):
        if high >= _MOST_ITEMS:
            return None
        low, high = high, min(2 * high, _MOST_ITEMS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high - sample.n


def _shows_margin(sample: PairedSample, scale: float, margin: float, alpha: float, power: float) -> bool:
    if sample.delta <= -margin:
        return False
    z = z_quantile(alpha) + NormalDist().inv_cdf(power)
    return difference_interval(sample, z=z, t=lambda df: _t_sum(alpha, power, df), scale=scale).low > -margin


def _shows_difference(sample: PairedSample, scale: float, alpha: float, power: float) -> bool:
    units, size = sample.units * scale, abs(sample.delta)
    discordant = (sample.up + sample.down) * scale
    if size == 0.0 or discordant < 1 + math.log2(1 / alpha):
        return False
    if sample.exact:
        return _connor_excess(size, units, discordant / units, alpha, power) >= 0.0
    return size >= _t_sum(alpha, power, units - 1) * sample.se / math.sqrt(scale)


def _binary_detectable(n: float, discordance: float, alpha: float, power: float) -> float | None:
    low, high = 0.0, 1.0
    if _connor_excess(high, n, discordance, alpha, power) < 0.0:
        return None
    for _ in range(60):
        middle = (low + high) / 2
        enough = _connor_excess(middle, n, max(discordance, middle), alpha, power) >= 0.0
        low, high = (low, middle) if enough else (middle, high)
    return high


def _connor_excess(size: float, n: float, discordance: float, alpha: float, power: float) -> float:
    """How far a difference of `size` exceeds what n pairs need; positive when it is enough."""
    psi = max(discordance, size)
    spread = NormalDist().inv_cdf(power) * math.sqrt(max(psi - size * size, 0.0))
    return (size - 1 / n) * math.sqrt(n) - z_quantile(alpha) * math.sqrt(psi) - spread


def _one_sided_t(power: float, df: float) -> float:
    return t_quantile(2 * (1 - power), df)


def _t_sum(alpha: float, power: float, df: float) -> float:
    return t_quantile(alpha, df) + _one_sided_t(power, df)
