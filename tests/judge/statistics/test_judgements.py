"""One judge on one item."""

from __future__ import annotations

from itertools import product

import pytest

from harness.judge.statistics import (
    Choice,
    Consistency,
    Judgements,
    Outcome,
    judged,
    majority_choice,
    majority_outcome,
)

CHOICES: tuple[Choice, ...] = ("first", "second", "tie", "unparsed")


@pytest.mark.parametrize(
    ("base_first", "candidate_first", "outcome", "consistency"),
    [
        ("first", "second", "base", "same"),
        ("second", "first", "candidate", "same"),
        ("tie", "tie", "tie", "same"),
        ("first", "first", "tie", "flipped"),
        ("second", "second", "tie", "flipped"),
        ("first", "tie", "tie", "wavered"),
        ("tie", "second", "tie", "wavered"),
        ("unparsed", "first", "unscored", "unknown"),
        ("first", "unparsed", "unscored", "unknown"),
    ],
)
def test_two_orders_become_one_outcome(
    base_first: Choice, candidate_first: Choice, outcome: Outcome, consistency: Consistency
) -> None:
    found = judged(Judgements((base_first,), (candidate_first,)))
    assert (found.outcome, found.consistency) == (outcome, consistency)


def test_swapping_the_models_swaps_the_winner() -> None:
    swapped: dict[Outcome, Outcome] = {"base": "candidate", "candidate": "base", "tie": "tie", "unscored": "unscored"}
    for one, other in product(CHOICES, repeat=2):
        found, mirrored = judged(Judgements((one,), (other,))), judged(Judgements((other,), (one,)))
        assert (mirrored.outcome, mirrored.consistency) == (swapped[found.outcome], found.consistency)


@pytest.mark.parametrize(
    ("repeats", "choice"),
    [
        (("first", "first", "second"), "first"),
        (("first", "second"), "tie"),
        (("first", "second", "tie"), "tie"),
        (("first", "first", "second", "tie"), "tie"),
        (("tie", "tie", "first"), "tie"),
        (("second", "unparsed", "unparsed"), "second"),
        (("unparsed", "unparsed"), "unparsed"),
        ((), "unparsed"),
    ],
)
def test_repeats_of_one_order_go_by_the_majority_of_those_that_were_read(
    repeats: tuple[Choice, ...], choice: Choice
) -> None:
    assert majority_choice(repeats) == choice


def test_repeats_are_settled_before_the_orders_are_compared() -> None:
    found = judged(Judgements(("first", "first", "second"), ("second", "first", "second")))
    assert (found.outcome, found.consistency) == ("base", "same")


@pytest.mark.parametrize(
    ("outcomes", "outcome"),
    [
        (("candidate", "candidate", "base"), "candidate"),
        (("candidate", "base"), "tie"),
        (("candidate", "tie", "base"), "tie"),
        (("candidate", "unscored", "unscored"), "candidate"),
        (("unscored", "unscored"), "unscored"),
    ],
)
def test_judges_decide_by_majority(outcomes: tuple[Outcome, ...], outcome: Outcome) -> None:
    assert majority_outcome(outcomes) == outcome
