"""Krippendorff's alpha against the package `krippendorff` and published examples."""

from __future__ import annotations

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InputError
from harness.judge.statistics import Level, krippendorff_alpha

# Krippendorff (2011), section E: four observers, twelve units, missing data; here units x raters.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
PUBLISHED: list[list[float | None]] = [list(unit) for unit in zip(*OBSERVERS, strict=True)]

LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval")

matrices = st.integers(2, 4).flatmap(
    lambda raters: st.lists(
        st.lists(st.one_of(st.none(), st.integers(1, 5).map(float)), min_size=raters, max_size=raters),
        min_size=1,
        max_size=12,
    )
)


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_what_krippendorff_published(level: Level, alpha: float) -> None:
    found = krippendorff_alpha(PUBLISHED, level)
    assert found.alpha == pytest.approx(alpha, abs=5e-4)
    assert (found.units, found.ratings) == (11, 40)  # one unit has a single rating


@pytest.mark.parametrize("level", LEVELS)
@given(ratings=matrices)
def test_alpha_equals_the_reference_package(level: Level, ratings: list[list[float | None]]) -> None:
    found = krippendorff_alpha(ratings, level)
    pairable = [[value for value in unit if value is not None] for unit in ratings]
    values = {value for unit in pairable if len(unit) >= 2 for value in unit}
    if len(values) < 2:
        assert found.alpha is None
        return
    columns = np.array([[np.nan if v is None else v for v in unit] for unit in ratings]).T
    expected = krippendorff.alpha(reliability_data=columns, level_of_measurement=level)
    assert found.alpha == pytest.approx(expected, abs=1e-9)


def test_nan_and_none_are_both_missing() -> None:
    with_nan = np.array([[np.nan if v is None else v for v in unit] for unit in PUBLISHED])
    assert krippendorff_alpha(with_nan, "ordinal") == krippendorff_alpha(PUBLISHED, "ordinal")


def test_ordinal_alpha_forgives_neighbours_more_than_nominal() -> None:
    ratings = [[1, 1], [2, 3], [3, 3], [4, 5], [5, 5], [1, 2]]
    nominal, ordinal = krippendorff_alpha(ratings, "nominal").alpha, krippendorff_alpha(ratings, "ordinal").alpha
    assert nominal is not None
    assert ordinal is not None
    assert ordinal > nominal + 0.2


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "ratings", [[], [[]], [[1.0], [2.0]], [[1.0, None], [None, 2.0]], [[2.0, 2.0], [2.0, None], [2.0, 2.0]]]
)
def test_alpha_is_undefined_without_pairs_or_with_one_value(level: Level, ratings: list[list[float | None]]) -> None:
    assert krippendorff_alpha(ratings, level).alpha is None


def test_ragged_and_infinite_ratings_are_refused() -> None:
    with pytest.raises(InputError, match="between 1 and 2 ratings"):
        krippendorff_alpha([[1.0], [1.0, 2.0]])
    with pytest.raises(InputError, match="infinite"):
        krippendorff_alpha([[1.0, float("inf")]])
