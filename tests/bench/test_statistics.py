"""Percentiles, rates and ratios with their intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.bench.statistics import median, over_rounds, percentile, ratio


def test_a_percentile_is_numpys_and_its_interval_of_order_statistics() -> None:
    values = [float(n) for n in range(1, 101)]
    found = percentile(values, 0.5, alpha=0.05)
    assert found is not None
    assert found.value == 50.5
    # The table in Hahn and Meeker for n = 100: the 40th and 61st order statistics.
    assert (found.low, found.high) == (40.0, 61.0)


def test_where_too_few_lie_beyond_there_is_no_end() -> None:
    found = percentile([float(n) for n in range(1, 101)], 0.99, alpha=0.05)
    assert found is not None
    assert found.low is not None
    assert found.high is None
    assert percentile([], 0.5, alpha=0.05) is None


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
def test_the_interval_covers(q: float) -> None:
    draw = np.random.default_rng(7)
    true, covered, trials = -math.log(1 - q), 0, 600
    for _ in range(trials):
        found = percentile(draw.exponential(size=400).tolist(), q, alpha=0.05)
        assert found is not None
        covered += (found.low or 0.0) <= true <= (math.inf if found.high is None else found.high)
    assert covered / trials >= 0.93


def test_rates_over_rounds() -> None:
    found = over_rounds([10.0, 12.0, 14.0], alpha=0.05)
    assert found is not None
    assert found.value == 12.0
    assert found.high == pytest.approx(12 + 4.302653 * 2 / math.sqrt(3), rel=1e-6)
    assert over_rounds([10.0], alpha=0.05) == type(found)(10.0, None, None)
    assert over_rounds([], alpha=0.05) is None


def test_ratios_are_by_rounds_so_what_slows_both_cancels() -> None:
    first = [10.0, 20.0, 40.0, 5.0]
    found = ratio([one * factor for one, factor in zip(first, (1.98, 2.0, 2.02, 2.0), strict=True)], first, alpha=0.05)
    assert found is not None
    assert found.value == pytest.approx(2.0, abs=0.01)
    assert found.low is not None
    assert found.high is not None
    assert 1.95 < found.low < found.high < 2.05
    assert found.p is not None
    assert found.p < 1e-4


def test_equal_deployments_are_called_different_as_often_as_alpha_says() -> None:
    draw = np.random.default_rng(3)
    wrong = 0
    for _ in range(1000):
        machine = draw.normal(100, 20, size=5).clip(30)
        found = ratio(
            (machine * draw.normal(1, 0.05, 5)).tolist(), (machine * draw.normal(1, 0.05, 5)).tolist(), alpha=0.05
        )
        assert found is not None
        assert found.p is not None
        wrong += found.p <= 0.05
    assert 0.03 <= wrong / 1000 <= 0.07


def test_rounds_without_a_number_are_left_out() -> None:
    found = ratio([None, 2.0, 0.0], [1.0, 1.0, 1.0], alpha=0.05)
    assert found is not None
    assert (found.value, found.low, found.p) == (2.0, None, None)
    assert ratio([None], [1.0], alpha=0.05) is None
    same = ratio([1.0, 1.0], [1.0, 1.0], alpha=0.05)
    assert same is not None
    assert same.p == 1.0
    assert median([]) is None
