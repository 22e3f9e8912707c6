"""Length-controlled win rate against statsmodels, against truth, and where it cannot be had."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import Generator
from numpy.typing import NDArray

from harness.comparison.statistics import score_interval
from harness.errors import InputError
from harness.judge.statistics import length_controlled

Data = tuple[NDArray[np.float64], NDArray[np.float64]]


def logistic(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def drawn(rng: Generator, n: int, *, intercept: float, slope: float, longer: float = 0.0, looks: int = 1) -> Data:
    """Preferences of a judge of known taste; lengths in characters, the candidate `longer` standard deviations longer.

    With two looks a preference is 0, 0.5 or 1.
    """
    lengths = rng.normal(longer, 1.0, n)
    chance = 1 / (1 + np.exp(-intercept - slope * np.tanh(lengths)))
    return rng.binomial(looks, chance, n) / looks, 300 * lengths


@pytest.mark.parametrize(("looks", "clustered"), [(1, False), (2, False), (1, True), (2, True)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rate_slope_and_interval_equal_statsmodels(seed: int, looks: int, clustered: bool) -> None:
    import statsmodels.api as sm
    from scipy import stats

    wanted, lengths = drawn(np.random.default_rng(seed), 120, intercept=0.5, slope=1.0, longer=0.7, looks=looks)
    labels = (np.arange(120) // 4).tolist() if clustered else list(range(120))
    design = sm.add_constant(np.tanh(lengths / lengths.std(ddof=1)))
    fit = sm.GLM(wanted, design, family=sm.families.Binomial()).fit(
        tol=1e-12, cov_type="cluster", cov_kwds={"groups": np.array(labels), "use_correction": True}
    )
    found = length_controlled(wanted, lengths, labels)
    assert found.rate == pytest.approx(logistic(fit.params[0]), abs=1e-8)
    assert found.slope == pytest.approx(fit.params[1], abs=1e-7)
    half = stats.t.ppf(0.975, len(set(labels)) - 1) * fit.bse[0]
    expected = logistic(fit.params[0] - half), logistic(fit.params[0] + half)
    assert found.ci == pytest.approx(expected, abs=1e-7)
    assert (found.note, found.n, found.raw) == ("", 120, pytest.approx(wanted.mean()))


def test_a_candidate_that_is_only_longer_has_no_advantage_at_equal_length() -> None:
    """Equal models, a judge that likes length, and a candidate that is much longer: raw 66%, controlled 50%."""
    wanted, lengths = drawn(np.random.default_rng(51), 2000, intercept=0.0, slope=1.5, longer=0.8)
    found = length_controlled(wanted, lengths)
    assert found.raw is not None
    assert found.raw > 0.62
    assert found.ci is not None
    assert found.ci[0] < 0.5 < found.ci[1]
    assert found.slope == pytest.approx(1.5, abs=0.4)


def test_a_judge_that_does_not_care_for_length_is_left_alone() -> None:
    wanted, lengths = drawn(np.random.default_rng(52), 2000, intercept=0.6, slope=0.0, longer=0.8)
    found = length_controlled(wanted, lengths)
    assert found.rate == pytest.approx(logistic(0.6), abs=0.04)
    assert found.rate == pytest.approx(found.raw, abs=0.03)


@pytest.mark.parametrize("n", [50, 200])
@pytest.mark.parametrize(
    ("intercept", "slope", "longer", "looks"), [(0.0, 1.5, 0.8, 1), (0.8, 1.0, 0.0, 1), (-0.3, 1.0, 0.5, 2)]
)
def test_the_interval_covers_the_rate_at_equal_length(
    n: int, intercept: float, slope: float, longer: float, looks: int
) -> None:
    rng = np.random.default_rng(53)
    runs, covered = 1000, 0
    for _ in range(runs):
        found = length_controlled(*drawn(rng, n, intercept=intercept, slope=slope, longer=longer, looks=looks))
        assert found.ci is not None
        covered += found.ci[0] <= logistic(intercept) <= found.ci[1]
    assert 0.93 <= covered / runs <= 0.98


def test_clusters_are_covered_and_would_not_be_without_labels() -> None:
    """Five items a cluster that share length and luck."""
    rng = np.random.default_rng(54)
    labels = (np.arange(200) // 5).tolist()
    covered, ignoring, runs = 0, 0, 400
    for _ in range(runs):
        lengths = np.repeat(rng.normal(0.5, 1.0, 40), 5)
        chance = 1 / (1 + np.exp(-np.tanh(lengths)))
        # All items of a cluster are judged alike with probability 0.7, each on its own else.
        shared, own = np.repeat(rng.random(40), 5), rng.random(200)
        luck = np.where(np.repeat(rng.random(40), 5) < 0.7, shared, own)
        wanted = (luck < chance) * 1.0
        with_labels, without = length_controlled(wanted, lengths, labels).ci, length_controlled(wanted, lengths).ci
        assert with_labels is not None
        assert without is not None
        covered += with_labels[0] <= 0.5 <= with_labels[1]
        ignoring += without[0] <= 0.5 <= without[1]
    assert covered / runs >= 0.92
    assert ignoring / runs < 0.8


def test_without_a_difference_in_length_the_rate_is_the_raw_one() -> None:
    wanted = [1.0, 0.0, 1.0, 1.0]
    found, raw = length_controlled(wanted, [0, 0, 0, 0]), score_interval(wanted)
    assert raw is not None
    assert (found.rate, found.ci, found.note) == (0.75, raw.bounds, "same_length")


@pytest.mark.parametrize("preference", [0.0, 0.5, 1.0])
def test_one_preference_throughout_gives_it_back_with_its_doubt(preference: float) -> None:
    found = length_controlled([preference] * 20, list(range(-10, 10)))
    assert (found.rate, found.note) == (preference, "unanimous")
    assert found.ci is not None
    assert found.ci[1] - found.ci[0] > 0.1


@pytest.mark.parametrize(
    ("wanted", "lengths"),
    [
        ([1, 1, 0, 0], [5, 3, -2, -4]),  # every longer answer wins
        ([0, 0, 1, 1], [5, 3, -2, -4]),  # every shorter answer wins
        ([1, 1, 1, 0], [5, 3, 3, 3]),  # parted at one length
        ([1, 0.5, 0.5, 0], [5, 3, 3, 1]),  # ties where wins and losses meet
        ([1, 0, 1, 0], [7, 7, 7, 7]),  # always longer by as much
        ([1, 1, 1], [3, 2, 1]),  # wins always and is always longer
        ([1], [3]),
    ],
)
def test_where_length_and_preference_say_the_same_there_is_no_rate(wanted: list[float], lengths: list[float]) -> None:
    found = length_controlled(wanted, lengths)
    assert (found.rate, found.ci, found.slope, found.note) == (None, None, None, "not_separable")
    assert found.raw == pytest.approx(np.mean(wanted))


def test_lengths_that_overlap_by_next_to_nothing_count_as_separated() -> None:
    lengths = [3.0 + 1e-9, 3.0, -2.0, -4.0, 5.0]
    found = length_controlled([0, 1, 0, 0, 1], lengths)
    assert (found.rate, found.note) == (None, "not_separable")


def test_one_enormous_answer_does_not_break_the_fit() -> None:
    wanted, lengths = drawn(np.random.default_rng(56), 400, intercept=0.3, slope=0.5)
    lengths[0] = 1e9
    found = length_controlled(wanted, lengths)
    assert found.rate == pytest.approx(wanted[1:].mean(), abs=0.02)  # beside it all others are of one length


def test_a_candidate_that_is_always_longer_is_predicted_outside_the_data() -> None:
    wanted, lengths = drawn(np.random.default_rng(55), 200, intercept=0.3, slope=0.5)
    found = length_controlled(wanted, np.abs(lengths) + 1)
    assert found.note == "extrapolated"
    assert found.rate is not None


def test_nothing_scored_gives_nothing() -> None:
    found = length_controlled([], [])
    assert (found.n, found.raw, found.rate, found.ci, found.note) == (0, None, None, None, "nothing_scored")


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.sampled_from([-900, -3, -2, -1, 0, 1, 2, 3, 5000])),
        max_size=12,
    )
)
def test_small_and_odd_samples_never_crash_and_stay_possible(items: list[tuple[float, int]]) -> None:
    found = length_controlled([wanted for wanted, _ in items], [length for _, length in items])
    if found.rate is None:
        assert found.note in ("nothing_scored", "not_separable")
        return
    assert 0.0 <= found.rate <= 1.0
    if found.ci is not None:
        assert 0.0 <= found.ci[0] <= found.rate <= found.ci[1] <= 1.0


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.integers(-50, 50)),
        min_size=8,
        max_size=20,
    )
)
def test_swapping_the_models_mirrors_the_rate(items: list[tuple[float, int]]) -> None:
    one = length_controlled([wanted for wanted, _ in items], [length for _, length in items])
    other = length_controlled([1 - wanted for wanted, _ in items], [-length for _, length in items])
    assert other.note == one.note
    if one.rate is not None:
        assert other.rate == pytest.approx(1 - one.rate, abs=1e-6)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="do not pair with 2 preferences"):
        length_controlled([0, 1], [1])
    with pytest.raises(InputError, match="no finite number"):
        length_controlled([0, 1], [1, math.nan])
    with pytest.raises(InputError, match=r"not in \[0, 1\]"):
        length_controlled([0, 2], [1, 3])
