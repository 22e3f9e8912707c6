"""From judgements to differences, and what a position bias does to them: nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.comparison.statistics import (
    VerdictInput,
    VerdictResult,
    mcnemar_exact,
    paired_interval,
    paired_p,
    reach_verdict,
)
from harness.errors import InputError
from harness.judge.statistics import Judgements, Pairwise, krippendorff_alpha, pairwise
from tests.judge.statistics.scripted import coin_judge

WIN = Judgements(("second",), ("first",))
LOSS = Judgements(("first",), ("second",))
TIE = Judgements(("tie",), ("tie",))
FLIP = Judgements(("first",), ("first",))
WAVER = Judgements(("tie",), ("first",))
UNREAD = Judgements(("unparsed",), ("first",))
ABSENT = Judgements((), ())


def test_every_item_is_counted_once() -> None:
    found = pairwise([[WIN], [WIN], [LOSS], [TIE], [FLIP], [WAVER], [UNREAD]])
    assert found.outcomes == ("candidate", "candidate", "base", "tie", "tie", "tie", "unscored")
    assert (found.wins, found.losses, found.ties, found.unscored) == (2, 1, 3, 1)
    assert (found.flipped, found.wavered, found.inconsistent, found.read) == (1, 1, 2, 6)
    assert found.scored.tolist() == [0, 1, 2, 3, 4, 5]
    assert found.score.tolist() == [1, 1, 0, 0.5, 0.5, 0.5]
    assert found.difference.tolist() == [1, 1, -1, 0, 0, 0]
    assert found.win_rate == pytest.approx((2 + 1.5) / 6)


def test_an_unread_item_is_no_loss() -> None:
    read = [[WIN]] * 6 + [[LOSS]] * 3
    without, with_unread = pairwise(read), pairwise([[UNREAD], *read, [ABSENT]])
    assert with_unread.unscored == 2
    assert with_unread.difference.tolist() == without.difference.tolist()
    assert with_unread.scored.tolist() == list(range(1, 10))
    assert with_unread.win_rate == without.win_rate == pytest.approx(6 / 9)


def test_the_sample_is_that_of_wins_ties_and_losses() -> None:
    found = pairwise([[WIN]] * 9 + [[LOSS]] * 2 + [[TIE]] * 20 + [[UNREAD]] * 5)
    sample = found.sample()
    assert (sample.n, sample.up, sample.down, sample.delta) == (31, 9, 2, pytest.approx(7 / 31))
    assert paired_p(sample) == (mcnemar_exact(9, 2), "mcnemar-exact")
    interval = paired_interval(sample)
    assert interval is not None
    assert interval.method == "tango"


def test_clusters_follow_their_items_past_unread_ones() -> None:
    items = [[UNREAD], [WIN], [WIN], [LOSS], [WIN]]
    sample = pairwise(items, ["a", "a", "b", "b", None]).sample()
    assert sorted(sample.unit_sums.tolist()) == [0.0, 1.0, 1.0]


def test_judges_decide_an_item_by_majority_and_their_agreement_is_alpha() -> None:
    items = [
        [WIN, WIN, LOSS],
        [WIN, LOSS, TIE],
        [LOSS, LOSS, UNREAD],
        [WIN, LOSS, ABSENT],
        [UNREAD, ABSENT, UNREAD],
        [TIE, FLIP, WIN],
    ]
    found = pairwise(items)
    assert found.outcomes == ("candidate", "tie", "base", "tie", "unscored", "tie")
    ratings = [[1, 1, -1], [1, -1, 0], [-1, -1, None], [1, -1, None], [None, None, None], [0, 0, 1]]
    assert found.reliability == krippendorff_alpha(ratings, "ordinal")
    assert found.reliability.alpha is not None
    assert (found.flipped, found.read) == (1, 13)


def test_one_judge_alone_has_no_alpha() -> None:
    assert pairwise([[WIN], [LOSS]]).reliability.alpha is None


def test_nothing_to_aggregate_is_empty_and_not_an_error() -> None:
    for found in (pairwise([]), pairwise([[UNREAD]])):
        assert (found.wins, found.losses, found.ties, found.win_rate, found.position) == (0, 0, 0, None, None)
        assert found.sample().n == 0


def test_what_does_not_pair_is_refused() -> None:
    with pytest.raises(InputError, match="between 1 and 2 judges"):
        pairwise([[WIN], [WIN, LOSS]])
    with pytest.raises(InputError, match="between 0 and 0 judges"):
        pairwise([[], []])
    with pytest.raises(InputError, match="1 cluster labels for 2 items"):
        pairwise([[WIN], [LOSS]], ["a"])


def verdict(found: Pairwise) -> VerdictResult:
    sample = found.sample()
    interval, tested = paired_interval(sample), paired_p(sample)
    assert interval is not None
    assert tested is not None
    return reach_verdict(
        VerdictInput(
            role="target",
            identical=False,
            n=sample.n,
            delta=sample.delta,
            ci=interval.bounds,
            p_adjusted=tested[0],
            alpha=0.05,
            margin=0.02,
            base=sample.base,
            candidate=sample.candidate,
        )
    )


def test_a_position_bias_of_twenty_points_does_not_move_the_difference() -> None:
    """The mean over 100 runs of 200 items is 2p - 1 with and without; one order alone would be off by 20 points."""
    rng = np.random.default_rng(31)
    for preference in (0.5, 0.65):
        for bias in (0.0, 0.2):
            runs = [pairwise(coin_judge(rng, 200, preference=preference, bias=bias)) for _ in range(100)]
            mean = float(np.mean([run.sample().delta for run in runs]))
            assert mean == pytest.approx(2 * preference - 1, abs=4 * math.sqrt(0.5 / (100 * 200)))


def test_one_order_alone_would_be_moved_by_the_bias() -> None:
    """So that the test above can fail: the same judge, asked with the candidate first only."""
    rng = np.random.default_rng(32)
    items = coin_judge(rng, 4000, preference=0.5, bias=0.2)
    chosen = np.mean([1.0 if judge.candidate_first == ("first",) else -1.0 for (judge,) in items])
    assert chosen == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize("bias", [0.0, 0.2])
def test_equal_models_are_seldom_called_different_whatever_the_bias(bias: float) -> None:
    rng = np.random.default_rng(33)
    runs = 400
    called = sum(
        verdict(pairwise(coin_judge(rng, 100, preference=0.5, bias=bias))).verdict in ("improved", "regressed")
        for _ in range(runs)
    )
    assert called / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize("bias", [0.0, 0.2])
def test_a_better_model_is_called_better_whatever_the_bias(bias: float) -> None:
    rng = np.random.default_rng(34)
    runs = 50
    called = sum(
        verdict(pairwise(coin_judge(rng, 200, preference=0.65, bias=bias))).verdict == "improved" for _ in range(runs)
    )
    assert called >= 48
