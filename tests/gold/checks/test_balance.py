"""Habits that pay without knowledge."""

from __future__ import annotations

from itertools import cycle

import pytest
from scipy.stats import chisquare

from harness.gold.checks.balance import letter_balance, longest_option, majority_answer
from tests.gold.checks.made import ask, found, many

OPTIONS = ["头颅骨", "锁骨头", "肱骨头", "股骨头"]


def letters(text: str) -> list[dict[str, object]]:
    return [ask(f"第{number}题选哪个？", letter, choices=OPTIONS) for number, letter in enumerate(text)]


def test_a_liking_for_one_letter_is_found_with_scipys_p() -> None:
    result = found(letter_balance, *letters("A" * 5 + "B" * 10 + "C" * 60 + "D" * 25))["letter-balance"]
    assert result.values["p"] == pytest.approx(chisquare([5, 10, 60, 25]).pvalue)
    assert result.values["letter"] == "C"
    assert result.values["share"] == 0.6


@pytest.mark.parametrize("text", ["ABCD" * 25, "A" * 30 + "B" * 22 + "C" * 24 + "D" * 24, "CCCCCCCCC"])
def test_chance_and_few_items_are_no_habit(text: str) -> None:
    assert found(letter_balance, *letters(text)) == {}


def test_a_tiny_imbalance_of_many_items_is_no_habit() -> None:
    """10,000 items, 27% A: surely no even spread, and worth two points to nobody."""
    assert chisquare([2700, 2433, 2433, 2434]).pvalue < 0.01
    assert found(letter_balance, *letters("A" * 2700 + "B" * 2433 + "C" * 2433 + "D" * 2434)) == {}


def test_items_with_more_options_are_counted_apart() -> None:
    two = [
        ask(f"第{i}题对吗？", letter, choices=["对", "错"]) for i, letter in zip(range(40), cycle("AB"), strict=False)
    ]
    assert found(letter_balance, *two, *letters("ABCD" * 10)) == {}


def test_the_longest_option_must_not_be_the_right_one_too_often() -> None:
    rows = [ask(f"第{i}题？", "B", choices=["短", "这个选项最长而且最详细", "短的", "短短"]) for i in range(40)]
    result = found(longest_option, *rows)["longest-option"]
    assert result.values == {"share": 1.0, "chance": 0.25}


def test_long_options_that_are_right_as_often_as_others_are_fine() -> None:
    rows = [
        ask(f"第{i}题？", letter, choices=["短", "这个选项最长而且最详细", "短的", "短短"])
        for i, letter in zip(range(40), cycle("ABCD"), strict=False)
    ]
    assert found(longest_option, *rows) == {}
    assert found(longest_option, *letters("ABCD" * 10)) == {}  # equally long


def test_one_answer_that_is_right_too_often_is_found() -> None:
    rows = [ask(f"问题{i}？", "否" if i % 5 else "是") for i in range(100)]
    result = found(majority_answer, *rows)["majority-answer"]
    assert (result.values["answer"], result.values["share"]) == ("否", 0.8)


def test_balanced_yes_and_no_are_fine() -> None:
    assert found(majority_answer, *(ask(f"问题{i}？", "否" if i % 2 else "是") for i in range(100))) == {}
    assert found(majority_answer, *many(100)) == {}
