"""Two raters: accuracy and kappa against statsmodels, scikit-learn and published numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from harness.errors import InputError
from harness.judge.statistics import Weights, agreement, confusion

GRADES = (1, 2, 3, 4, 5)
WEIGHTS: tuple[Weights, ...] = ("none", "linear", "quadratic")

grade_pairs = st.lists(st.tuples(st.sampled_from(GRADES), st.sampled_from(GRADES)), min_size=2, max_size=40)


def rated(pairs: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    return [a for a, _ in pairs], [b for _, b in pairs]


@pytest.mark.parametrize("weights", WEIGHTS)
@given(pairs=grade_pairs)
def test_kappa_equals_statsmodels_and_scikit_learn(weights: Weights, pairs: list[tuple[int, int]]) -> None:
    first, second = rated(pairs)
    found = agreement(first, second, labels=GRADES, weights=weights)
    if len(set(first + second)) == 1:
        assert found.kappa is None
        return
    expected = cohens_kappa(found.confusion.counts, wt=None if weights == "none" else weights, return_results=False)
    assert found.kappa == pytest.approx(expected, abs=1e-12)
    other = cohen_kappa_score(first, second, labels=GRADES, weights=None if weights == "none" else weights)
    assert found.kappa == pytest.approx(other, abs=1e-12)


def test_kappa_of_a_known_table() -> None:
    """Twenty yes-yes, five yes-no, ten no-yes, fifteen no-no: observed 0.7, expected 0.5, kappa 0.4."""
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    found = agreement(first, second)
    assert found.accuracy == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)
    assert found.confusion.labels == ("yes", "no")
    assert found.confusion.counts.tolist() == [[20, 5], [10, 15]]


def test_one_step_off_costs_less_when_weighted() -> None:
    first = [1, 2, 3, 4, 5, 1, 5]
    second = [2, 3, 4, 5, 4, 1, 5]
    kappas = [agreement(first, second, labels=GRADES, weights=weights).kappa for weights in WEIGHTS]
    assert all(kappa is not None for kappa in kappas)
    assert kappas == sorted(kappas, key=lambda kappa: kappa or 0.0)
    assert len(set(kappas)) == 3


def test_a_grade_that_nobody_used_keeps_its_neighbours_apart() -> None:
    first, second = [1, 1, 5, 5, 2, 1], [1, 5, 5, 1, 2, 2]
    with_gap, without = (
        (
            agreement(first, second, labels=labels, weights="quadratic").kappa,
            cohen_kappa_score(first, second, labels=labels, weights="quadratic"),
        )
        for labels in (GRADES, (1, 2, 5))
    )
    assert with_gap[0] == pytest.approx(with_gap[1], abs=1e-12)
    assert without[0] == pytest.approx(without[1], abs=1e-12)
    assert with_gap[0] != pytest.approx(without[0], abs=0.05)


def test_one_category_alone_leaves_kappa_undefined_and_accuracy_perfect() -> None:
    found = agreement([3, 3, 3], [3, 3, 3], labels=GRADES, weights="quadratic")
    assert (found.accuracy, found.kappa) == (1.0, None)


def test_a_rater_that_never_varies_has_kappa_zero() -> None:
    assert agreement(["a", "a", "b"], ["a", "a", "a"]).kappa == pytest.approx(0.0, abs=1e-12)


def test_nothing_rated_by_both_gives_neither_number() -> None:
    found = agreement(["a", None], [None, "a"])
    assert (found.n, found.missing, found.accuracy, found.kappa) == (0, 2, None, None)


def test_an_item_that_one_did_not_rate_is_left_out_and_counted() -> None:
    found = agreement(["a", "b", None, "b"], ["a", None, "a", "a"], labels=("a", "b"))
    assert (found.n, found.missing) == (2, 2)
    assert found.accuracy == 0.5


def test_rows_are_the_first_rater() -> None:
    counts = confusion(["a", "a"], ["b", "b"], labels=("a", "b"))
    assert counts.counts.tolist() == [[0, 2], [0, 0]]
    assert counts.counts.dtype == np.int64


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="do not pair"):
        agreement(["a"], [])
    with pytest.raises(InputError, match=r"the label 6 is none of \[1, 2, 3, 4, 5\]"):
        agreement([6], [1], labels=GRADES)
    with pytest.raises(InputError, match="stands twice"):
        agreement([1], [1], labels=(1, 1))
    with pytest.raises(InputError, match="need the order of the labels"):
        agreement([1], [2], weights="linear")
