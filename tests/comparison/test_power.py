"""The smallest difference a sample could have shown, and the number of items that would decide."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.comparison.statistics import (
    PairedSample,
    items_needed,
    mcnemar_exact,
    minimum_detectable,
    paired_interval,
    paired_p,
    paired_sample,
    tango_bounds,
)
from tests.comparison.trinomial import discordant_pairs

Z = 1.959963984540054


def binary_sample(gained: int, lost: int, n: int) -> PairedSample:
    same = [1.0] * (n - gained - lost)
    return paired_sample([0.0] * gained + [1.0] * lost + same, [1.0] * gained + [0.0] * lost + same)


@pytest.mark.parametrize("n", [50, 200, 1000])
@pytest.mark.parametrize("discordance", [0.0, 0.1, 0.3])
def test_the_exact_test_finds_the_smallest_difference_with_at_least_the_power_promised(
    n: int, discordance: float
) -> None:
    flips = int(discordance * n)
    detectable = minimum_detectable(binary_sample(flips // 2, flips - flips // 2, n))
    assert detectable is not None
    psi = max(discordance, detectable)
    gained, lost, weight = discordant_pairs(n, (psi + detectable) / 2, (psi - detectable) / 2)
    significant = [mcnemar_exact(int(a), int(b)) <= 0.05 for a, b in zip(gained, lost, strict=True)]
    power = float(weight[significant].sum())
    assert 0.79 <= power <= 0.93


def test_more_items_and_less_discordance_show_smaller_differences() -> None:
    found = [minimum_detectable(binary_sample(n // 10, n // 10, n)) for n in (20, 80, 320, 1280)]
    assert found == sorted((d for d in found if d is not None), reverse=True)
    quiet, noisy = minimum_detectable(binary_sample(5, 5, 200)), minimum_detectable(binary_sample(30, 30, 200))
    assert quiet is not None
    assert noisy is not None
    assert quiet < noisy


def test_without_discordance_the_floor_is_more_than_the_interval_leaves_open() -> None:
    sample = binary_sample(0, 0, 200)
    detectable, interval = minimum_detectable(sample), paired_interval(sample)
    assert detectable is not None
    assert interval is not None
    assert detectable > interval.high


def test_five_items_can_show_nothing_and_six_could_only_show_a_landslide() -> None:
    assert mcnemar_exact(5, 0) > 0.05 >= mcnemar_exact(6, 0)
    assert minimum_detectable(binary_sample(2, 0, 5)) is None
    six = minimum_detectable(binary_sample(2, 0, 6))
    assert six is not None
    assert six > 0.9
    rng = np.random.default_rng(0)
    assert minimum_detectable(paired_sample(rng.random(5), rng.random(5))) is None


def test_graded_smallest_difference_is_found_four_times_in_five() -> None:
    rng = np.random.default_rng(8)
    n, spread = 60, 0.08
    noise = rng.normal(0.0, spread, n)
    detectable = minimum_detectable(paired_sample(np.full(n, 0.5), 0.5 + noise - noise.mean()))
    assert detectable is not None
    assert detectable == pytest.approx(2.8 * spread / math.sqrt(n), rel=0.2)
    shifts = rng.normal(detectable, noise.std(ddof=1), (2000, n))
    found = 0
    for row in shifts:
        interval = paired_interval(paired_sample(np.full(n, 0.5), 0.5 + row))
        assert interval is not None
        found += interval.low > 0
    assert found / 2000 == pytest.approx(0.8, abs=3 * math.sqrt(0.16 / 2000))


def test_clustered_items_can_show_less() -> None:
    rng = np.random.default_rng(9)
    shift = np.repeat(rng.normal(0.0, 0.1, 20), 5)
    base, candidate = np.full(100, 0.5), 0.5 + shift
    alone = minimum_detectable(paired_sample(base, candidate))
    clustered = minimum_detectable(paired_sample(base, candidate, [i // 5 for i in range(100)]))
    assert alone is not None
    assert clustered is not None
    assert clustered > 1.8 * alone


def test_unchanged_graded_scores_could_not_have_shown_a_small_difference() -> None:
    found = minimum_detectable(paired_sample([0.5] * 100, [0.5] * 100))
    assert found == minimum_detectable(binary_sample(0, 0, 100))


def test_items_needed_without_a_flip_follows_the_closed_form() -> None:
    """Tango without a flip: the lower bound passes -margin when n > z^2 (1 - margin) / margin, z = 1.96 + 0.84."""
    z = Z + 0.8416212335729143
    expected = math.ceil(z * z * (1 - 0.02) / 0.02)
    assert expected == 385
    assert items_needed(binary_sample(0, 0, 50), margin=0.02) == expected - 50


def test_at_the_number_of_items_advised_the_decision_has_the_power_promised() -> None:
    """A guard with as many gains as losses: held, 80% of the time, at the n that 40 items ask for."""
    sample = binary_sample(4, 4, 40)
    more = items_needed(sample, margin=0.05)
    assert more is not None
    n = 40 + more
    gained, lost, weight = discordant_pairs(n, 0.1, 0.1)
    low, _ = tango_bounds(gained, lost, n, Z)
    assert float(weight[low > -0.05].sum()) == pytest.approx(0.8, abs=0.02)


def test_a_loss_beyond_the_margin_asks_for_the_items_that_would_show_it() -> None:
    sample = binary_sample(4, 8, 60)
    more = items_needed(sample, margin=0.02)
    assert more is not None
    n = 60 + more
    gained, lost, weight = discordant_pairs(n, 4 / 60, 8 / 60)
    significant = [mcnemar_exact(int(a), int(b)) <= 0.05 for a, b in zip(gained, lost, strict=True)]
    assert float(weight[significant].sum()) == pytest.approx(0.8, abs=0.03)
    with_family = items_needed(sample, margin=0.02, family=5)
    assert with_family is not None
    assert with_family > more


def test_a_wider_margin_and_graded_scores_need_fewer_items() -> None:
    rng = np.random.default_rng(10)
    base = rng.random(40) * 0.5 + 0.2
    noise = rng.normal(0.0, 0.2, 40)
    sample = paired_sample(base, np.clip(base + noise - noise.mean(), 0.0, 1.0))
    narrow, wide = items_needed(sample, margin=0.02), items_needed(sample, margin=0.04)
    assert narrow is not None
    assert wide is not None
    assert narrow == pytest.approx(((Z + 0.84) * sample.se * math.sqrt(40) / (0.02 + sample.delta)) ** 2 - 40, rel=0.05)
    assert wide < narrow


def test_no_number_of_items_separates_no_difference_from_no_margin() -> None:
    assert items_needed(binary_sample(5, 5, 50), margin=0.0) is None
    assert items_needed(paired_sample([], []), margin=0.02) is None


def test_equal_differences_still_need_enough_items_for_the_smallest_p_value() -> None:
    """Three items of the same gain: six would give p = 2 / 2^6, five only 2 / 2^5."""
    assert paired_p(paired_sample([0.2] * 5, [0.5] * 5)) == (2 / 2**5, "sign-flip-exact")
    assert paired_p(paired_sample([0.2] * 6, [0.5] * 6)) == (2 / 2**6, "sign-flip-exact")
    assert items_needed(paired_sample([0.2] * 3, [0.5] * 3), margin=0.02) == 3
