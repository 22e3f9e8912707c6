"""Lengths far off are found by language; the ordinary spread of lengths is not."""

from __future__ import annotations

import numpy as np

from harness.gold.checks.lengths import lengths
from tests.gold.checks.made import ask, found, many


def test_a_document_among_questions_is_found() -> None:
    result = found(lengths, *many(40), ask("这是一整篇文档。" * 200, "摘要"))
    assert result["long-question"].items == ("i40",)
    assert result["long-question"].severity == "warning"


def test_a_stump_among_questions_is_found() -> None:
    rows = [ask(row["question"] * 4, row["answer"]) for row in many(40)]
    assert found(lengths, *rows, ask("血压", "120"))["short-question"].items == ("i40",)


def test_one_giant_does_not_hide_another() -> None:
    """Mean and standard deviation would: the largest of n values lies within (n - 1) / sqrt(n) deviations."""
    result = found(lengths, *many(40), ask("长" * 900, "甲"), ask("长" * 90_000, "乙"))
    assert result["long-question"].items == ("i40", "i41")


def test_lognormal_lengths_are_no_outliers() -> None:
    sizes = np.random.default_rng(0).lognormal(np.log(40), 0.5, 400).astype(int) + 4
    assert found(lengths, *(ask("问" * size, "答") for size in sizes.tolist())) == {}


def test_languages_are_measured_apart() -> None:
    """English takes four times the characters of Chinese: in a mixture nobody is an outlier for that."""
    english = [
        ask("How long is the river that runs through the middle of the old town? " * 2, "long") for _ in range(30)
    ]
    assert found(lengths, *many(100), *english) == {}


def test_equal_lengths_leave_room() -> None:
    rows = [ask(f"{i:08d}是什么？", "号码") for i in range(60)]
    assert found(lengths, *rows, ask("0000000060是什么数？", "号码")) == {}
    assert found(lengths, *rows, ask("0" * 100 + "是什么？", "号码"))["long-question"].items == ("i60",)


def test_names_among_numbers_are_no_outliers() -> None:
    rows = [ask(f"第{i}题？", str(i)) for i in range(40)]
    assert found(lengths, *rows, ask("哪种综合征？", "Jervell-Lange-Nielsen综合征")) == {}
    assert "long-answer" in found(lengths, *rows, ask("为什么？", "因为" * 100))


def test_few_items_have_no_usual_length() -> None:
    assert found(lengths, *many(10), ask("长" * 900, "甲")) == {}
