"""Whose extracted answers may be counted for a majority vote."""

from __future__ import annotations

import pytest

from harness.scorers.base import votes
from harness.scorers.registry import make_scorer


@pytest.mark.parametrize(
    ("spec", "counted"),
    [
        ("exact", True),
        ("number", True),
        ("choice", True),
        ({"regex": {"pattern": r"(\d+)"}}, True),
        ({"regex": {"pattern": r"\d+"}}, False),  # without a group it shows what matched, or the whole output
        ("contains", False),  # the gold answer decides what it shows
        ("format", False),  # the same answer in other tags scores otherwise
    ],
)
def test_answers_are_counted_where_what_is_extracted_is_the_answer(spec: object, counted: bool) -> None:
    assert votes(make_scorer(spec)) is counted  # type: ignore[arg-type]
