"""The little arithmetic that probes share."""

from __future__ import annotations

import math
from collections.abc import Sequence


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0


def standard_error(values: Sequence[float]) -> float:
    """Standard error of the mean; infinite where one value cannot tell."""
    n = len(values)
    if n < 2:
        return math.inf
    centre = mean(values)
    return math.sqrt(math.fsum((v - centre) ** 2 for v in values) / (n - 1) / n)


def more_often(gained: int, lost: int) -> float:
    """One-sided exact McNemar p: how likely are so many of `gained + lost` discordant pairs to fall on one side."""
    n = gained + lost
    ways: int = sum(math.comb(n, k) for k in range(gained, n + 1))
    return ways / (1 << n)


def distance(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]]) -> float:
    """Mean absolute difference of log-probabilities over all tokens, in nats."""
    return mean([abs(a - b) for one, other in zip(first, second, strict=True) for a, b in zip(one, other, strict=True)])


def show(value: float) -> str:
    """A distance for people: 0, 0.83, 2e-06."""
    return f"{value:.2g}" if value else "0"
