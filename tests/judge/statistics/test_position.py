"""Position bias: reported as planted, and not where there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.judge.statistics import Judgements, position_bias
from tests.judge.statistics.scripted import coin_judge

FIRST = Judgements(("first",), ("first",))
SECOND = Judgements(("second",), ("second",))
WIN = Judgements(("second",), ("first",))
LOSS = Judgements(("first",), ("second",))
TIE = Judgements(("tie",), ("tie",))


def test_the_bias_is_first_minus_second_over_all_judgements() -> None:
    found = position_bias([[FIRST]] * 7 + [[SECOND]] * 2 + [[WIN]] * 20 + [[LOSS]] * 5 + [[TIE]] * 6)
    assert found is not None
    assert (found.first, found.second, found.ties, found.items) == (14 + 25, 4 + 25, 12, 40)
    assert found.bias == pytest.approx((39 - 29) / 80)
    assert found.interval.low < found.bias < found.interval.high


def test_a_preference_for_a_model_is_no_position_bias() -> None:
    found = position_bias([[WIN]] * 60)
    assert found is not None
    assert (found.bias, found.p, found.shown) == (0.0, 1.0, False)


@pytest.mark.parametrize("preference", [0.5, 0.65])
@pytest.mark.parametrize("repeats", [1, 3])
def test_a_planted_bias_of_twenty_points_is_reported(preference: float, repeats: int) -> None:
    found = position_bias(coin_judge(np.random.default_rng(41), 500, preference=preference, bias=0.2, repeats=repeats))
    assert found is not None
    assert found.shown
    assert found.bias == pytest.approx(0.2, abs=0.06)
    assert found.interval.low <= 0.2 <= found.interval.high
    assert found.interval.low > 0.1


def test_a_bias_towards_the_second_is_negative() -> None:
    found = position_bias(coin_judge(np.random.default_rng(42), 500, preference=0.5, bias=-0.2))
    assert found is not None
    assert found.shown
    assert found.interval.high < 0


@pytest.mark.parametrize(("preference", "bias"), [(0.5, 0.0), (0.7, 0.0), (0.6, 0.2)])
def test_the_interval_covers_and_no_bias_is_seldom_shown(preference: float, bias: float) -> None:
    rng = np.random.default_rng(43)
    runs, covered, shown = 800, 0, 0
    for _ in range(runs):
        found = position_bias(coin_judge(rng, 100, preference=preference, bias=bias))
        assert found is not None
        covered += found.interval.low <= bias <= found.interval.high
        shown += found.shown
    assert 0.93 <= covered / runs <= 0.975
    if bias == 0.0:
        assert shown / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    else:
        assert shown / runs > 0.7


def test_judges_of_one_item_are_not_counted_as_independent() -> None:
    """Three copies of one judge know no more than one."""
    items = coin_judge(np.random.default_rng(44), 200, preference=0.5, bias=0.1)
    one, copies = position_bias(items), position_bias([judges * 3 for judges in items])
    assert one is not None
    assert copies is not None
    assert copies.interval == one.interval
    assert (copies.p, copies.items, copies.first) == (one.p, one.items, 3 * one.first)


def test_repeats_of_one_item_are_not_counted_as_independent() -> None:
    items = [[Judgements(("first",) * 5, ("first",) * 5)]] * 4
    found = position_bias(items)
    assert found is not None
    assert found.items == 4
    assert not found.shown  # 40 judgements for the first position, of 4 items


def test_an_order_that_could_not_be_read_leaves_a_preference_out_of_the_bias() -> None:
    """Only the candidate's turns as first were read, and it always wins: no bias can be told from that."""
    half = Judgements(("unparsed",), ("first",))
    assert position_bias([[half]] * 30) is None
    found = position_bias([[half]] * 30 + [[WIN]] * 10)
    assert found is not None
    assert (found.items, found.bias) == (10, 0.0)


def test_clusters_widen_the_interval() -> None:
    items = [[FIRST]] * 30 + [[SECOND]] * 10 + [[WIN]] * 40
    alone, clustered = position_bias(items), position_bias(items, [i // 10 for i in range(80)])
    assert alone is not None
    assert clustered is not None
    assert clustered.bias == alone.bias
    assert clustered.interval.high - clustered.interval.low > 1.5 * (alone.interval.high - alone.interval.low)
