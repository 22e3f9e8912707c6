"""Word problems: the split by numbers, and the count of templates."""

from __future__ import annotations

import random
from typing import Literal

import pytest

from harness.demo import arithmetic
from harness.demo.arithmetic_templates import TEMPLATES


@pytest.mark.parametrize("language", ["zh", "en"])
def test_templates_are_many_and_distinct(language: Literal["zh", "en"]) -> None:
    texts = [text for _, lang, text in TEMPLATES if lang == language]
    assert len(texts) >= 12
    assert len(set(texts)) == len(texts)


def test_split_ignores_order() -> None:
    assert arithmetic.bucket((37, 45)) == arithmetic.bucket((45, 37))


def test_tables_are_for_training_only() -> None:
    assert all(arithmetic.bucket((a, b)) == "train" for a in range(1, 10) for b in range(1, 10))
    assert all(arithmetic.bucket((a * b, b)) == "train" for a in range(1, 10) for b in range(1, 10))


@pytest.mark.parametrize("tier", arithmetic.TIERS)
def test_training_problems_touch_no_other_split(tier: arithmetic.Tier) -> None:
    rng = random.Random(0)
    for kind, text in arithmetic.templates(tier, "zh"):
        problem = arithmetic.make(kind, text, "zh", "train", rng)
        assert arithmetic.bucket(problem.operands) == "train"
        assert all(arithmetic.bucket(pair) == "train" for pair in arithmetic.expressions(problem.solution))


def test_worked_lines() -> None:
    assert arithmetic.mul(23, 4) == "23×4=80+12=92"
    assert arithmetic.div(92, 4) == "92÷4=(80+12)÷4=20+3=23"
    assert arithmetic.mul(7, 8) == "7×8=56"
