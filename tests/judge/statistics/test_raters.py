"""People among themselves."""

from __future__ import annotations

import pytest

from harness.errors import InputError
from harness.judge.statistics import agreement, krippendorff_alpha, raters_agreement

LABELS = ("base", "tie", "candidate")
RATINGS: list[list[str | None]] = [
    ["base", "base", "tie"],
    ["candidate", "candidate", None],
    ["tie", "base", "base"],
    ["candidate", "tie", "candidate"],
    ["base", None, "base"],
    [None, None, "tie"],
]


def test_every_pair_is_compared_over_what_both_rated() -> None:
    found = raters_agreement(RATINGS, LABELS, weights="linear", level="ordinal")
    assert [(pair.first, pair.second, pair.agreement.n) for pair in found.pairs] == [(0, 1, 4), (0, 2, 4), (1, 2, 3)]
    for pair in found.pairs:
        columns = [[unit[rater] for unit in RATINGS] for rater in (pair.first, pair.second)]
        assert pair.agreement.kappa == agreement(*columns, labels=LABELS, weights="linear").kappa
    assert found.accuracy == pytest.approx((2 / 4 + 2 / 4 + 1 / 3) / 3)


def test_alpha_takes_labels_by_their_place() -> None:
    place = {"base": 0.0, "tie": 1.0, "candidate": 2.0}
    numbers = [[None if label is None else place[label] for label in unit] for unit in RATINGS]
    for level in ("nominal", "ordinal", "interval"):
        assert raters_agreement(RATINGS, LABELS, level=level).reliability == krippendorff_alpha(numbers, level)


def test_people_of_one_mind_and_one_category_have_no_kappa() -> None:
    found = raters_agreement([["tie", "tie"], ["tie", "tie"]], LABELS)
    assert (found.accuracy, found.kappa, found.reliability.alpha) == (1.0, None, None)


def test_one_person_alone_agrees_with_nobody() -> None:
    found = raters_agreement([["tie"], ["base"]], LABELS)
    assert (found.raters, found.pairs, found.accuracy, found.kappa) == (1, (), None, None)


def test_ragged_units_and_unknown_labels_are_refused() -> None:
    with pytest.raises(InputError, match="between 1 and 2 raters"):
        raters_agreement([["tie"], ["tie", "base"]], LABELS)
    with pytest.raises(InputError, match="the label 'draw' is none of"):
        raters_agreement([["draw"]], LABELS)
