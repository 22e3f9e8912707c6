"""Do the intervals cover, and do the tests keep their level? At 50, 200 and 1,000 items.

Binary unclustered: exact, by summing over every possible outcome. Else simulated with 5,300 repetitions, a standard
error of 0.3 points; the band asserted is 94 to 96%, as observed at a seed fixed before looking.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

from harness.comparison.statistics import (
    VerdictInput,
    holm,
    mcnemar_exact,
    paired_interval,
    paired_p,
    paired_sample,
    paired_statistics,
    reach_verdict,
    tango_bounds,
)
from tests.comparison.trinomial import discordant_pairs

Z = 1.959963984540054
REPETITIONS = 5_300

Scores = tuple[NDArray[np.floating], NDArray[np.floating], list[int] | None]


DISCORDANCE_AND_DIFFERENCE = [
    (discordance, difference)
    for discordance in (0.05, 0.1, 0.2, 0.3, 0.5)
    for difference in (0.0, 0.02, -0.04, 0.1)
    if abs(difference) < discordance
]


@pytest.mark.parametrize("n", [50, 200, 1000])
@pytest.mark.parametrize(("discordance", "difference"), DISCORDANCE_AND_DIFFERENCE)
def test_tango_covers_the_true_difference(n: int, discordance: float, difference: float) -> None:
    """94 to 96% where ten or more discordant pairs are expected; with fewer, it may only cover more."""
    gained, lost, weight = discordant_pairs(n, (discordance + difference) / 2, (discordance - difference) / 2)
    low, high = tango_bounds(gained, lost, n, Z)
    coverage = float(weight[(low <= difference) & (difference <= high)].sum())
    assert coverage >= 0.94
    if n * discordance >= 10:
        assert coverage <= 0.96


@pytest.mark.parametrize("n", [50, 200, 1000])
@pytest.mark.parametrize("margin", [0.01, 0.02, 0.05])
def test_a_loss_of_exactly_the_margin_is_seldom_held(n: int, margin: float) -> None:
    """The margin test is one-sided at 2.5%; exact, so the tolerance is for the interval and not for simulation."""
    for discordance in (0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.4):
        if discordance < margin:
            continue
        gained, lost, weight = discordant_pairs(n, (discordance - margin) / 2, (discordance + margin) / 2)
        low, _ = tango_bounds(gained, lost, n, Z)
        assert float(weight[low > -margin].sum()) <= 0.027, discordance


@pytest.mark.parametrize("n", [50, 200, 1000])
@pytest.mark.parametrize("discordance", [0.02, 0.1, 0.3, 0.5])
def test_exact_mcnemar_never_exceeds_its_level(n: int, discordance: float) -> None:
    gained, lost, weight = discordant_pairs(n, discordance / 2, discordance / 2)
    p_values = np.array([mcnemar_exact(int(a), int(b)) for a, b in zip(gained, lost, strict=True)])
    assert float(weight[p_values <= 0.05].sum()) <= 0.05


def symmetric(rng: Generator, n: int) -> Scores:
    change = np.clip(0.1 + rng.normal(0, 0.2, n), -1, 1)
    return 0.5 - change / 2, 0.5 + change / 2, None


def skewed(rng: Generator, n: int) -> Scores:
    """Three answers in ten are the same; the others are scored afresh, 0.1 higher on average."""
    base = rng.beta(2, 2, n)
    return base, np.where(rng.random(n) < 0.3, base, rng.beta(3, 2, n)), None


def graded(rng: Generator, n: int) -> Scores:
    """Scores 0, 0.5 and 1; six answers in ten are the same, the others 0.05 higher on average."""
    base = rng.choice([0.0, 0.5, 1.0], n, p=[0.3, 0.2, 0.5])
    again = rng.choice([0.0, 0.5, 1.0], n, p=[0.2, 0.3, 0.5])
    return base, np.where(rng.random(n) < 0.6, base, again), None


def clustered(rng: Generator, n: int) -> Scores:
    """Five items a cluster, half of the variance between clusters."""
    labels = np.repeat(np.arange(n // 5), 5)
    change = 0.05 + np.repeat(rng.normal(0, 0.1, n // 5), 5) + rng.normal(0, 0.1, n)
    change = np.clip(change, -1, 1)
    return 0.5 - change / 2, 0.5 + change / 2, labels.tolist()


def clustered_binary(rng: Generator, n: int) -> Scores:
    labels = np.repeat(np.arange(n // 5), 5)
    base = rng.random(n) < np.repeat(rng.beta(2, 2, n // 5), 5)
    candidate = rng.random(n) < np.repeat(rng.beta(3, 2, n // 5), 5)
    return base.astype(float), candidate.astype(float), labels.tolist()


def clustered_unequal(rng: Generator, n: int) -> Scores:
    """Binary, clusters of two to eight items."""
    sizes = np.tile([2, 8, 5, 4, 6], n // 25)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    base = rng.random(n) < np.repeat(rng.beta(2, 2, len(sizes)), sizes)
    candidate = rng.random(n) < np.repeat(rng.beta(3, 2, len(sizes)), sizes)
    return base.astype(float), candidate.astype(float), labels.tolist()


def coverage(draw: Callable[[Generator, int], Scores], truth: float, n: int, repetitions: int = REPETITIONS) -> float:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(repetitions):
        interval = paired_interval(paired_sample(*draw(rng, n)))
        assert interval is not None
        covered += interval.low <= truth <= interval.high
    return covered / repetitions


@pytest.mark.parametrize("n", [50, 200, 1000])
@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        (symmetric, 0.1),
        (skewed, 0.7 * 0.1),
        (graded, 0.4 * 0.05),
        (clustered, 0.05),
        (clustered_binary, 0.1),
        (clustered_unequal, 0.1),
    ],
)
def test_t_intervals_cover_the_true_difference(draw: Callable[[Generator, int], Scores], truth: float, n: int) -> None:
    assert 0.94 <= coverage(draw, truth, n) <= 0.96


def test_ignoring_clusters_would_not_cover() -> None:
    def unlabelled(rng: Generator, n: int) -> Scores:
        base, candidate, _ = clustered(rng, n)
        return base, candidate, None

    assert coverage(unlabelled, 0.05, 200, 1000) < 0.85


@pytest.mark.parametrize("share", [0.02, 0.04, 0.1])
def test_rare_graded_losses_are_covered_although_few_are_seen(share: float) -> None:
    """One item in 10 to 50 loses half a point: a plain t interval misses whatever the sample did not show."""

    def rare(rng: Generator, n: int) -> Scores:
        base = np.full(n, 0.5)
        return base, base - 0.5 * (rng.random(n) < share), None

    assert coverage(rare, -0.5 * share, 50, 1500) >= 0.94


def test_a_candidate_like_its_base_is_seldom_called_different_after_holm() -> None:
    """Two thousand A/A comparisons of six tasks each: some verdict other than held or inconclusive in at most 5%."""
    rng = np.random.default_rng(20)
    repetitions, alarms, verdicts = 2000, 0, 0
    for repetition in range(repetitions):
        p_values: dict[str, float | None] = {}
        samples = {}
        for n in (30, 60):
            skill: NDArray[np.float64] = rng.beta(2, 2, n).astype(np.float64)
            labels = np.repeat(np.arange(n // 3), 3)
            luck = np.repeat(rng.normal(0, 0.1, n // 3), 3)
            data: dict[str, Scores] = {
                f"binary-{n}": ((rng.random(n) < skill) * 1.0, (rng.random(n) < skill) * 1.0, None),
                f"graded-{n}": (rng.beta(2, 3, size=n), rng.beta(2, 3, size=n), None),
                f"clustered-{n}": (
                    np.clip(skill, 0.2, 0.8),
                    np.clip(np.clip(skill, 0.2, 0.8) + luck + rng.normal(0, 0.02, n), 0, 1),
                    labels.tolist(),
                ),
            }
            for name, scores in data.items():
                samples[name] = paired_sample(*scores)
                tested = paired_p(samples[name], seed=repetition, draws=999)
                assert tested is not None
                p_values[name] = tested[0]
        adjusted = holm(p_values)
        called = [name for name, p in adjusted.items() if p is not None and p <= 0.05]
        alarms += bool(called)
        for name in called:
            sample = samples[name]
            interval = paired_interval(sample)
            assert interval is not None
            result = reach_verdict(
                VerdictInput(
                    role="target",
                    identical=False,
                    n=sample.n,
                    delta=sample.delta,
                    ci=interval.bounds,
                    p_adjusted=adjusted[name],
                    alpha=0.05,
                    margin=0.02,
                    base=sample.base,
                    candidate=sample.candidate,
                )
            )
            verdicts += result.verdict in ("improved", "regressed")
    assert verdicts >= alarms
    assert alarms / repetitions <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / repetitions)
    assert alarms / repetitions >= 0.01


def test_a_real_loss_is_found() -> None:
    """Power, so that silence in A/A is not bought by never speaking: a loss of 15 points at 200 items."""
    rng = np.random.default_rng(21)
    found = 0
    for _ in range(200):
        base = (rng.random(200) < 0.7) * 1.0
        candidate = base * (rng.random(200) > 0.25) + (1 - base) * (rng.random(200) < 0.1)
        statistics = paired_statistics(base, candidate)
        assert statistics.p is not None
        found += statistics.p <= 0.05 and statistics.sample.delta < 0
    assert found / 200 > 0.9
