"""Intervals against published values, reference libraries and the definition of the score test."""

from __future__ import annotations

import math
import subprocess
import sys
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.comparison.statistics import (
    PairedSample,
    paired_interval,
    paired_p,
    paired_sample,
    paired_statistics,
    score_interval,
    tango_bounds,
)
from harness.errors import InputError

Z = 1.959963984540054


def binary_pairs(gained: int, lost: int, n: int) -> tuple[list[float], list[float]]:
    """Score vectors with these discordant counts; concordant items are wrong on both sides."""
    same = [0.0] * (n - gained - lost)
    return [0.0] * gained + [1.0] * lost + same, [1.0] * gained + [0.0] * lost + same


def interval_of(sample: PairedSample, alpha: float = 0.05) -> tuple[float, float]:
    interval = paired_interval(sample, alpha=alpha)
    assert interval is not None
    return interval.bounds


def score_statistic(difference: float, gained: int, lost: int, n: int) -> float:
    """Tango's statistic from its definition: the constrained likelihood is maximised numerically."""
    from scipy.optimize import minimize_scalar

    def minus_log_likelihood(q: float) -> float:
        cells = ((gained, q + difference), (lost, q), (n - gained - lost, 1 - 2 * q - difference))
        return -sum(count * math.log(max(p, 1e-300)) for count, p in cells if count)

    low, high = max(0.0, -difference), (1 - difference) / 2
    found = minimize_scalar(minus_log_likelihood, bounds=(low, high), method="bounded", options={"xatol": 1e-13})
    best = min((low, float(found.x), high), key=minus_log_likelihood)
    variance = n * (2 * best + difference - difference**2)
    return (gained - lost - n * difference) / math.sqrt(max(variance, 1e-300))


def test_tango_gives_the_interval_published_for_airway_reactivity() -> None:
    """Fagerland, Lydersen and Laake (2014): cells 1, 1, 7, 12; difference -0.286, Tango -0.517 to -0.026."""
    sample = paired_sample(*binary_pairs(1, 7, 21))
    assert sample.delta == pytest.approx(-0.286, abs=5e-4)
    assert interval_of(sample) == pytest.approx((-0.517, -0.026), abs=5e-4)


@pytest.mark.parametrize(
    ("gained", "lost", "n"),
    [(1, 7, 21), (6, 16, 161), (40, 20, 160), (16, 8, 86), (12, 0, 50), (0, 3, 50), (1, 0, 44), (9, 1, 10)],
)
@pytest.mark.parametrize("z", [1.2815515655446004, Z, 2.5758293035489004])
def test_tango_bounds_are_where_the_score_test_rejects(gained: int, lost: int, n: int, z: float) -> None:
    low, high = (float(bound) for bound in tango_bounds(gained, lost, n, z))
    if low > -1:
        assert score_statistic(low, gained, lost, n) == pytest.approx(z, abs=1e-4)
    if high < 1:
        assert score_statistic(high, gained, lost, n) == pytest.approx(-z, abs=1e-4)
    for difference in np.linspace(-0.999, 0.999, 41):
        rejected = abs(score_statistic(float(difference), gained, lost, n)) > z
        assert rejected == (not low <= difference <= high)


@pytest.mark.parametrize("n", [1, 2, 20, 200, 5000])
def test_without_a_flip_tango_stays_as_wide_as_the_rule_of_three(n: int) -> None:
    low, high = interval_of(paired_sample([1.0] * n, [1.0] * n))
    assert (low, high) == pytest.approx((-Z * Z / (n + Z * Z), Z * Z / (n + Z * Z)), abs=1e-9)


def test_tango_with_every_item_gained_ends_at_one() -> None:
    low, high = interval_of(paired_sample([0.0] * 5, [1.0] * 5))
    assert high == 1.0
    assert score_statistic(low, 5, 0, 5) == pytest.approx(Z, abs=1e-4)


def test_a_real_five_point_loss_is_never_held_at_twenty_items() -> None:
    """With no flip among 20 (a third of samples) a percentile bootstrap is the point 0, above any -margin."""
    assert 0.95**20 > 1 / 3
    lost = np.arange(21)
    low, _ = tango_bounds(0, lost, 20, Z)
    assert np.all(low < -0.05)


def test_t_interval_equals_scipy() -> None:
    from scipy import stats

    rng = np.random.default_rng(3)
    base, candidate = rng.random(37), rng.random(37)
    expected = stats.ttest_rel(candidate, base).confidence_interval(0.9)
    found = paired_interval(paired_sample(base, candidate), alpha=0.1)
    assert found is not None
    assert found.method == "t"
    assert found.bounds == pytest.approx((expected.low, expected.high), rel=1e-10)


def test_cluster_interval_equals_statsmodels() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(4)
    labels = rng.integers(0, 12, 80)
    base, candidate = rng.random(80), rng.random(80)
    model = sm.OLS(candidate - base, np.ones(80))
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": labels, "df_correction": True}, use_t=True)
    found = paired_interval(paired_sample(base, candidate, labels.tolist()))
    assert found is not None
    assert found.method == "cluster-t"
    assert found.bounds == pytest.approx(tuple(fit.conf_int()[0]), rel=1e-8)


def test_wilson_equals_statsmodels() -> None:
    from statsmodels.stats.proportion import proportion_confint

    for right, n in [(0, 7), (3, 7), (7, 7), (1, 1), (41, 120), (1999, 2000)]:
        found = score_interval([1.0] * right + [0.0] * (n - right))
        assert found is not None
        assert found.method == "wilson"
        assert found.bounds == pytest.approx(proportion_confint(right, n, method="wilson"), abs=1e-12)


def test_single_score_of_a_graded_metric_equals_scipy() -> None:
    from scipy import stats

    scores = np.random.default_rng(5).random(30)
    expected = stats.ttest_1samp(scores, 0.0).confidence_interval()
    found = score_interval(scores)
    assert found is not None
    assert found.bounds == pytest.approx((expected.low, expected.high), rel=1e-10)


def test_a_label_used_once_and_no_label_are_clusters_of_their_own() -> None:
    base, candidate = binary_pairs(6, 2, 30)
    labels = [None if i % 2 else f"only-{i}" for i in range(30)]
    found = paired_interval(paired_sample(base, candidate, labels))
    assert found == paired_interval(paired_sample(base, candidate))
    assert found is not None
    assert found.method == "tango"


def test_correlated_items_widen_the_interval() -> None:
    base, candidate = binary_pairs(20, 5, 50)
    alone = interval_of(paired_sample(base, candidate))
    in_fives = interval_of(paired_sample(base, candidate, [i // 5 for i in range(50)]))
    assert in_fives[1] - in_fives[0] > 1.5 * (alone[1] - alone[0])


def test_graded_scores_without_any_change_do_not_collapse_to_a_point() -> None:
    low, high = interval_of(paired_sample([0.5] * 50, [0.5] * 50))
    assert (low, high) == pytest.approx((-Z * Z / (50 + Z * Z), Z * Z / (50 + Z * Z)))


def test_one_small_change_does_not_shrink_the_interval_to_its_size() -> None:
    base, changed = [0.5] * 50, [0.51] + [0.5] * 49
    unchanged = interval_of(paired_sample(base, base))
    found = paired_interval(paired_sample(base, changed))
    assert found is not None
    assert found.method == "few-changes"
    assert found.low < -0.05
    assert found.high >= unchanged[1]


def test_the_same_change_everywhere_keeps_doubt_and_equals_tango_when_all_are_gained() -> None:
    found = paired_interval(paired_sample([0.2] * 10, [0.5] * 10))
    assert found is not None
    assert found.method == "constant"
    assert found.low < 0.1 < 0.3 < found.high
    clustered = paired_interval(paired_sample([0.0] * 12, [1.0] * 12, [i // 2 for i in range(12)]))
    assert clustered is not None
    assert clustered.high == 1.0
    assert clustered.low < 0.6


def test_rounding_noise_counts_as_the_same_change() -> None:
    base, candidate = [0.3, 0.9, 0.1, 0.4], [0.2, 0.8, 0.0, 0.3]
    assert len(set(np.subtract(candidate, base).tolist())) > 1
    found = paired_interval(paired_sample(base, candidate))
    assert found is not None
    assert found.method == "constant"


@pytest.mark.parametrize("scores", [([0.25], [0.75]), ([0.0], [1.0]), ([0.5], [0.5])])
def test_one_item_gives_a_wide_interval_and_no_significance(scores: tuple[list[float], list[float]]) -> None:
    found = paired_statistics(*scores)
    assert found.ci is not None
    assert found.ci.high - found.ci.low > 0.75
    assert found.p == 1.0
    assert found.mde is None


def test_no_item_gives_no_interval_and_no_p() -> None:
    found = paired_statistics([], [])
    assert (found.sample.n, found.ci, found.p, found.test, found.mde, found.base_ci) == (
        0,
        None,
        None,
        None,
        None,
        None,
    )


def test_one_cluster_cannot_show_anything() -> None:
    rng = np.random.default_rng(6)
    found = paired_statistics(rng.random(30) * 0.1, 0.9 + rng.random(30) * 0.1, ["same"] * 30)
    assert found.ci is not None
    assert found.ci.low < 0.3
    assert found.p == 1.0
    assert found.mde is None


@pytest.mark.parametrize("bad", [float("nan"), 1.5, -0.1, float("inf")])
def test_a_score_outside_its_range_is_refused_with_its_position(bad: float) -> None:
    with pytest.raises(InputError, match=r"base: the score .* at position 1 is not in \[0, 1\]"):
        paired_sample([0.0, bad], [0.0, 1.0])


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="do not pair"):
        paired_sample([0.0, 1.0], [0.0])
    with pytest.raises(InputError, match="cluster labels"):
        paired_sample([0.0], [0.0], ["a", "b"])


def test_nearly_perfect_graded_scores_keep_wilsons_doubt() -> None:
    found = score_interval([1.0] * 99 + [0.9])
    wilson = score_interval([1.0] * 99 + [0.0])
    assert found is not None
    assert wilson is not None
    assert found.method == "few-changes"
    assert found.low == wilson.low
    nearly_none = score_interval([0.0] * 99 + [0.1])
    assert nearly_none is not None
    assert nearly_none.high > 0.05


def test_binary_comparison_needs_no_scipy() -> None:
    """Start-up time: a second `compare` has three seconds in all."""
    program = (
        "import sys\nfrom harness.comparison.statistics import paired_statistics, items_needed\n"
        "found = paired_statistics([0.0, 1.0] * 30, [1.0, 1.0] * 30)\n"
        "items_needed(found.sample, margin=0.02)\n"
        "assert not {'scipy', 'statsmodels', 'pandas'} & set(sys.modules)\n"
        "paired_statistics([0.1, 0.5] * 30, [0.2, 0.9] * 30)\n"
        "assert not {'scipy.stats', 'statsmodels', 'pandas'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


score_lists = st.one_of(
    st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0])), min_size=1, max_size=40),
    st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=40),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40),
)


@st.composite
def paired_items(draw: st.DrawFn) -> list[tuple[float, float, str | None]]:
    pairs = draw(score_lists)
    label = st.one_of(st.none(), st.sampled_from(["a", "b", "c", "d"]))
    labels = draw(st.lists(label, min_size=len(pairs), max_size=len(pairs))) if draw(st.booleans()) else None
    return [(base, candidate, labels[i] if labels else None) for i, (base, candidate) in enumerate(pairs)]


def columns(items: list[tuple[float, float, str | None]]) -> tuple[list[float], list[float], list[str | None]]:
    return [i[0] for i in items], [i[1] for i in items], [i[2] for i in items]


@given(paired_items())
@settings(deadline=None, max_examples=150)
def test_swapping_the_sides_negates_the_difference_and_mirrors_the_interval(
    items: list[tuple[float, float, str | None]],
) -> None:
    base, candidate, labels = columns(items)
    one, other = paired_sample(base, candidate, labels), paired_sample(candidate, base, labels)
    assert one.delta == -other.delta
    low, high = interval_of(one)
    assert interval_of(other) == (-high, -low)
    assert paired_p(one, draws=99) == paired_p(other, draws=99)


@given(paired_items())
@settings(deadline=None, max_examples=150)
def test_the_interval_holds_the_difference_and_stays_possible(items: list[tuple[float, float, str | None]]) -> None:
    found = paired_statistics(*columns(items), draws=99)
    assert found.ci is not None
    assert -1.0 <= found.ci.low <= found.sample.delta <= found.ci.high <= 1.0
    assert found.base_ci is not None
    assert 0.0 <= found.base_ci.low <= found.sample.base <= found.base_ci.high <= 1.0


@given(paired_items(), st.randoms())
@settings(deadline=None, max_examples=150)
def test_the_order_of_the_items_changes_nothing(items: list[tuple[float, float, str | None]], random: Random) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)
    one, other = paired_statistics(*columns(items), draws=99), paired_statistics(*columns(shuffled), draws=99)
    assert (one.ci, one.p, one.test, one.mde, one.base_ci, one.candidate_ci) == (
        other.ci,
        other.p,
        other.test,
        other.mde,
        other.base_ci,
        other.candidate_ci,
    )
    assert (one.sample.delta, one.sample.se) == (other.sample.delta, other.sample.se)
