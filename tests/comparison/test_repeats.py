"""pass@k, the majority vote and the components of variance, each against another way to the same number."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from harness.comparison.statistics import paired_sample
from harness.comparison.statistics.repeats import (
    difference_parts,
    majority,
    pass_at_k,
    pass_sizes,
    variance_parts,
)
from harness.errors import InputError


@pytest.mark.parametrize("n", range(1, 9))
def test_pass_at_k_is_the_share_of_subsets_with_a_right_answer(n: int) -> None:
    for c, k in itertools.product(range(n + 1), range(1, n + 1)):
        answers = [True] * c + [False] * (n - c)
        subsets = list(itertools.combinations(answers, k))
        assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, subsets)) / len(subsets), abs=1e-12)


@pytest.mark.parametrize(("n", "c", "k"), [(200, 3, 100), (200, 150, 1), (100, 1, 64), (10, 7, 4), (5, 0, 5)])
def test_pass_at_k_is_the_product_that_chen_et_al_compute(n: int, c: int, k: int) -> None:
    """Their numerically stable form: 1 - prod(1 - k / i) for i from n - c + 1 to n; 1 where n - c < k."""
    theirs = 1.0 if n - c < k else 1.0 - math.prod(1.0 - k / i for i in range(n - c + 1, n + 1))
    assert pass_at_k(n, c, k) == pytest.approx(theirs, abs=1e-12)


def test_pass_at_k_is_not_biased() -> None:
    """Its mean over draws of n answers is 1 - (1 - p)^k, for k = n and for k < n alike."""
    n, p = 8, 0.3
    for k in (1, 3, 8):
        expected = sum(math.comb(n, c) * p**c * (1 - p) ** (n - c) * pass_at_k(n, c, k) for c in range(n + 1))
        assert expected == pytest.approx(1 - (1 - p) ** k, abs=1e-12)


@pytest.mark.parametrize(("n", "c", "k"), [(3, 4, 1), (3, -1, 1), (3, 1, 0), (3, 1, 4)])
def test_pass_at_k_of_impossible_counts_is_refused(n: int, c: int, k: int) -> None:
    with pytest.raises(InputError):
        pass_at_k(n, c, k)


@pytest.mark.parametrize(
    ("n", "sizes"), [(2, (1, 2)), (3, (1, 2, 3)), (4, (1, 2, 4)), (5, (1, 2, 4, 5)), (16, (1, 2, 4, 8, 16))]
)
def test_pass_at_k_is_shown_for_powers_of_two_and_k(n: int, sizes: tuple[int, ...]) -> None:
    assert pass_sizes(n) == sizes


@pytest.mark.parametrize(
    ("answers", "position"),
    [
        (["a", "b", "b"], 1),
        (["a", "b", "b", "a"], 0),  # a tie: what was said first
        (["c", "a", "b"], 0),
        ([None, "b", None, "a"], 1),  # two that say nothing do not outvote anybody
        ([None, "a", "b", "b"], 2),
        ([None, None], None),
        (["", "", "a"], 0),  # an empty text is a text
        ([], None),
    ],
)
def test_the_majority_is_the_first_of_what_is_said_most(answers: list[str | None], position: int | None) -> None:
    assert majority(answers) == position


def test_the_components_are_those_of_a_one_way_analysis_of_variance_by_hand() -> None:
    """Four items, three repeats."""
    scores = [[1, 1, 0], [0, 0, 0], [1, 1, 1], [0, 1, 0]]
    # Item means 2/3, 0, 1, 1/3; grand mean 1/2. SSB = 3 * (1/36 + 1/4 + 1/4 + 1/36) = 5/3; MSB = 5/9.
    # SSW = 2/3 + 0 + 0 + 2/3 = 4/3; MSW = (4/3) / 8 = 1/6.
    found = variance_parts(scores)
    assert found is not None
    assert found.within == pytest.approx(1 / 6)
    assert found.between == pytest.approx((5 / 9 - 1 / 6) / 3)
    assert found.se**2 == pytest.approx(5 / 9 / 12)  # MSB / (n K)
    assert found.se_repeats**2 == pytest.approx(1 / 6 / 12)  # MSW / (n K)
    assert found.se_items**2 == pytest.approx((5 / 9 - 1 / 6) / 12)


def two_levels(
    generator: np.random.Generator, n: int, repeats: int, *, between: float, within: float, center: float
) -> np.ndarray:
    """Item means with the variance `between`, answers around them with the variance `within`, far from 0 and 1."""
    means = center + math.sqrt(between) * generator.standard_normal((n, 1))
    return np.asarray(means + math.sqrt(within) * generator.standard_normal((n, repeats)))


def test_the_components_of_a_simulated_model_are_found() -> None:
    generator = np.random.default_rng(7)
    between, within, n, repeats = 0.006, 0.002, 4000, 4
    found = variance_parts(two_levels(generator, n, repeats, between=between, within=within, center=0.5))
    assert found is not None
    assert found.between == pytest.approx(between, rel=0.08)
    assert found.within == pytest.approx(within, rel=0.05)
    assert found.se_repeats**2 == pytest.approx(within / (n * repeats), rel=0.05)
    assert found.se_items**2 == pytest.approx(between / n, rel=0.08)


def test_the_parts_of_the_error_are_what_means_of_new_draws_scatter_by() -> None:
    """The same items asked again scatter by se_repeats; other items scatter by both parts together."""
    generator = np.random.default_rng(11)
    n, repeats = 50, 3
    rates = generator.beta(2, 2, size=(400, n, 1))
    tables = (generator.random((400, n, repeats)) < rates).astype(float)
    parts = [variance_parts(table) for table in tables]
    seen = [part for part in parts if part is not None]
    assert np.mean([part.se**2 for part in seen]) == pytest.approx(tables.mean(axis=(1, 2)).var(), rel=0.15)
    again = (generator.random((4000, n, repeats)) < rates[0]).astype(float).mean(axis=(1, 2))
    expected = (rates[0] * (1 - rates[0])).mean() / (n * repeats)
    assert again.var() == pytest.approx(expected, rel=0.1)
    assert np.mean([part.se_repeats**2 for part in seen]) == pytest.approx(0.2 / (n * repeats), rel=0.05)


def test_a_difference_has_the_draws_of_both_sides_and_the_error_of_its_interval() -> None:
    generator = np.random.default_rng(3)
    base = (generator.random((60, 4)) < generator.random((60, 1))).astype(float)
    candidate = (generator.random((60, 4)) < generator.random((60, 1))).astype(float)
    found, left, right = difference_parts(base, candidate), variance_parts(base), variance_parts(candidate)
    assert found is not None
    assert left is not None
    assert right is not None
    assert found.within == pytest.approx(left.within + right.within)
    assert found.se == paired_sample(base.mean(axis=1), candidate.mean(axis=1)).se
    assert found.se_items**2 + found.se_repeats**2 == pytest.approx(found.se**2)


def test_clusters_widen_the_part_of_the_items_and_leave_that_of_the_repeats() -> None:
    generator = np.random.default_rng(5)
    rates = np.repeat(generator.random((20, 1)), 4, axis=0)
    scores = (generator.random((80, 5)) < rates).astype(float)
    alone, together = variance_parts(scores), variance_parts(scores, [str(i // 4) for i in range(80)])
    assert alone is not None
    assert together is not None
    assert together.se_repeats == alone.se_repeats
    assert together.se_items > 1.3 * alone.se_items


def test_draws_alone_leave_nothing_to_the_items() -> None:
    """Means that differ less than draws alone would make them: the components stay non-negative and add up."""
    found = variance_parts([[1, 0], [0, 1], [1, 0], [0, 1]])
    assert found is not None
    assert (found.between, found.se, found.se_repeats) == (0.0, 0.0, 0.0)
    mixed = variance_parts([[1, 0], [0, 1], [1, 0], [1, 1]])
    assert mixed is not None
    assert mixed.between == 0.0
    assert mixed.se_repeats == mixed.se > 0.0
    assert mixed.se_items == 0.0


def test_one_item_has_no_components() -> None:
    assert variance_parts([[1.0, 0.0]]) is None
    assert difference_parts([[1.0, 0.0]], [[1.0, 1.0]]) is None


@pytest.mark.parametrize(
    "scores", [[1.0, 0.0], [[1.0], [0.0]], [[1.0, 2.0], [0.0, 0.0]], [[0.0, math.nan], [0.0, 0.0]]]
)
def test_what_is_no_table_of_repeats_is_refused(scores: object) -> None:
    with pytest.raises(InputError):
        variance_parts(scores)  # type: ignore[arg-type]


def test_sides_of_another_shape_do_not_pair() -> None:
    with pytest.raises(InputError, match="do not pair"):
        difference_parts([[1, 0], [0, 1]], [[1, 0, 0], [0, 1, 0]])
