"""Every outcome of n binary pairs with its probability: coverage and power without simulation error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def discordant_pairs(
    n: int, gain: float, loss: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Counts gained, counts lost and their probability, leaving out what lies beyond seven standard deviations."""
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    gained, lost = np.meshgrid(_plausible(n, gain), _plausible(n, loss), indexing="ij")
    possible = gained + lost <= n
    gained, lost = gained[possible], lost[possible]
    same = n - gained - lost
    log_weight = log_factorial[n] - log_factorial[gained] - log_factorial[lost] - log_factorial[same]
    for count, probability in ((gained, gain), (lost, loss), (same, 1 - gain - loss)):
        # Only counts of 0 are kept where a probability is 0.
        log_weight = log_weight + count * np.log(max(probability, 1e-300))
    weight = np.exp(log_weight)
    assert abs(weight.sum() - 1) < 1e-6
    return gained, lost, weight


def _plausible(n: int, probability: float) -> NDArray[np.int64]:
    reach = 7 * np.sqrt(n * probability) + 8 * (probability > 0)
    return np.arange(max(0, int(n * probability - reach)), min(n, int(n * probability + reach)) + 1)
