"""Tests of no difference against reference libraries, exactness and reproducibility."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from harness.comparison.statistics import holm, mcnemar_exact, paired_p, paired_sample, sign_flip


def test_exact_mcnemar_equals_statsmodels() -> None:
    for gained, lost in itertools.product([0, 1, 4, 9, 30, 211], repeat=2):
        expected = mcnemar([[5, gained], [lost, 5]], exact=True).pvalue if gained + lost else 1.0
        assert mcnemar_exact(gained, lost) == pytest.approx(expected, rel=1e-9)


def test_exact_mcnemar_does_not_underflow_on_large_counts() -> None:
    assert mcnemar_exact(1000, 0) == pytest.approx(2.0**-999, rel=1e-12)
    assert mcnemar_exact(3000, 3000) == 1.0


def test_binary_unclustered_uses_mcnemar_and_anything_else_sign_flips() -> None:
    base, candidate = [0.0] * 8, [1.0] * 7 + [0.0]
    assert paired_p(paired_sample(base, candidate)) == (2 / 2**7, "mcnemar-exact")
    assert paired_p(paired_sample(base, candidate, list("aabbccdd"))) == (2 / 2**4, "sign-flip-exact")
    assert paired_p(paired_sample(base, [0.5] * 8)) == (2 / 2**8, "sign-flip-exact")


def test_enumerated_sign_flip_equals_scipy() -> None:
    from scipy import stats

    sums = np.random.default_rng(1).normal(0.3, 1.0, 10)
    expected = stats.permutation_test(
        (sums,), np.sum, permutation_type="samples", alternative="two-sided", n_resamples=100_000
    )
    p, test = sign_flip(sums)
    assert test == "sign-flip-exact"
    assert p == pytest.approx(expected.pvalue, rel=1e-12)


def test_enumeration_counts_ties_despite_rounding() -> None:
    """0.1 + 0.2 - 0.3 is not 0 in floating point; by enumeration 2 of 8 sign vectors reach 0.6 and all reach 0."""
    assert sign_flip(np.array([0.1, 0.2, 0.3]))[0] == 2 / 8
    assert sign_flip(np.array([0.1, 0.2, -0.3]))[0] == 1.0


def test_drawn_sign_flips_agree_with_enumeration() -> None:
    sums = np.random.default_rng(2).normal(0.25, 1.0, 16)
    exact, test = sign_flip(sums, draws=2**16)
    assert test == "sign-flip-exact"
    drawn, test = sign_flip(sums, draws=40_000, seed=5)
    assert test == "sign-flip"
    assert drawn == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 40_000))


def test_drawn_p_is_never_zero() -> None:
    p, test = sign_flip(np.ones(200), draws=999)
    assert (p, test) == (1 / 1000, "sign-flip")


def test_the_same_seed_gives_the_same_p_to_the_byte_whatever_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = np.array([(37 * i % 101 - 46) / 50 for i in range(300)])
    first = sign_flip(sums, seed=11)
    # A change of this number changes every published comparison.
    assert first == (0.0206, "sign-flip")
    monkeypatch.setattr("harness.comparison.statistics.significance._CHUNK_BYTES", 100_000)
    assert sign_flip(sums, seed=11) == first
    assert sign_flip(sums, seed=12) != first


def test_units_without_a_difference_change_nothing() -> None:
    sums = np.array([0.5, 0.2, -0.1, 0.4])
    assert sign_flip(np.concatenate([sums, np.zeros(500)])) == sign_flip(sums)
    assert sign_flip(np.zeros(50)) == (1.0, "sign-flip-exact")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)  # statsmodels collects garbage on every call
def test_holm_equals_statsmodels_and_never_reverses_an_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert adjusted == pytest.approx(multipletests(p_values, method="holm")[1].tolist())
    in_order = [adjusted[i] for i in sorted(range(len(p_values)), key=lambda i: p_values[i])]
    assert None not in in_order
    assert in_order == sorted(q for q in in_order if q is not None)


def test_holm_of_a_mapping_keeps_names_and_leaves_out_what_was_not_tested() -> None:
    assert holm({"qa": 0.01, "empty": None, "math": 0.04}) == {"qa": 0.02, "empty": None, "math": 0.04}
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []
