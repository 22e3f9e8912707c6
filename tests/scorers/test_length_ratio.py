"""`length_ratio`: lengths compared on a scale from 0 to 1, with the direction told apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.gold.item import Item
from harness.scorers.length_ratio import LengthRatio


def _values(output: str, *answers: str, scorer: LengthRatio | None = None) -> tuple[float | None, ...]:
    scores = (scorer or LengthRatio()).score(Item(question="?", answer=answers), output)
    return tuple(score.value for score in scores)


@pytest.mark.parametrize(
    ("output", "reference", "expected"),
    [
        ("abcd", "wxyz", (1.0, 1.0, 1.0)), ("ab", "wxyz", (0.5, 0.5, 1.0)), ("abcdabcd", "wxyz", (0.5, 1.0, 0.5)),
        ("多喝水", "休息", (2 / 3, 1.0, 2 / 3)), ("a b\nc d", "wxyz", (1.0, 1.0, 1.0)), ("ＡＢ", "ab", (1.0, 1.0, 1.0)),
    ],
)  # fmt: skip
def test_ratio_and_direction(output: str, reference: str, expected: tuple[float, ...]) -> None:
    assert _values(output, reference) == pytest.approx(expected)


def test_words_are_jiebas_for_chinese_and_latin_words_else() -> None:
    words = LengthRatio(unit="word")
    assert _values("one two", "one two three four", scorer=words)[0] == 0.5
    assert _values("头痛", "头痛头痛头痛头痛", scorer=words)[0] == 0.25


def test_the_reference_nearest_in_length_counts() -> None:
    scores = LengthRatio().score(Item(question="?", answer=("x", "abcde", "y" * 40)), "abcd")
    assert (scores[0].value, scores[0].extracted) == (0.8, "4/5 characters")


def test_an_empty_output_is_unextracted_and_no_reference_unscored() -> None:
    assert all(score.unextracted for score in LengthRatio().score(Item(question="?", answer="x"), " \n"))
    scores = LengthRatio(reference="metadata.reference").score(Item(question="?", answer="x"), "y")
    assert [score.value for score in scores] == [None] * 3
    assert "metadata.reference is missing" in scores[0].note


@given(st.text(min_size=1).filter(str.strip), st.text(min_size=1).filter(str.strip))
def test_the_ratio_is_symmetric_and_the_product_of_both_directions(one: str, two: str) -> None:
    there, back = _values(one, two), _values(two, one)
    if None in there + back or 0.0 in there + back:  # nothing visible
        return
    assert there[0] == pytest.approx(back[0])
    assert there[0] == pytest.approx((there[1] or 0) * (there[2] or 0))


def test_the_signature_states_unit_and_scale() -> None:
    assert LengthRatio().signature == ("length_ratio|unit:character(nfkc)|scale:min(r,1/r)|ref:answer|agg:nearest|v:1")
    assert "|unit:word(jieba-0.42.1/char)|" in LengthRatio(unit="word").signature
