"""Normalisation removes differences of form and never merges two answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.text import fold_case, fold_punctuation, fold_space, fold_width, has_han, norm_label, normalise

# Whole Unicode, and text that is dense in what the rules act on.
TEXTS = st.text() | st.text(alphabet="aB三 。,.;:!?*`\"'()[]«»-+３／²½…　\n0")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("１２", "12"),
        ("ＡＢＣ", "abc"),
        ("Paris.", "paris"),
        ("北京。", "北京"),
        ("“北京”", "北京"),
        ("《红楼梦》", "红楼梦"),
        ("「对」！", "对"),
        ("**Paris**", "Paris"),
        ("`Paris`", "Paris"),
        ('"Paris."', "paris"),
        ("(A)", "A"),
        ("【Ａ】", "a"),
        ("Yes!", "yes"),
        ("对！", "对"),
        ("18 元", "18元"),
        ("北京，上海", "北京, 上海"),
        ("1, 2, 3", "1,2,3"),
        ("New\n  York", "New York"),
        ("don’t", "don't"),
        ("−3", "-3"),
        ("10²", "10^2"),
        ("½", "1/2"),
        ("1½", "1 1/2"),
        ("……北京", "北京"),
        ("\u200bParis\ufeff", "Paris"),
        ("Straße", "STRASSE"),
    ],
)
def test_differences_of_form_are_removed(left: str, right: str) -> None:
    assert normalise(left) == normalise(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("-3", "3"),
        ("−3", "3"),
        ("C++", "C"),
        ("C#", "C"),
        ("1.5", "15"),
        (".5", "5"),
        ("3/4", "34"),
        ("3/4", "3.4"),
        ("10²", "102"),
        ("1½", "11/2"),
        ("5!", "5"),
        ("n!", "n"),
        ("50%", "50"),
        ("$5", "5"),
        ("(0, 1)", "[0, 1]"),
        ("(0, 1)", "0, 1"),
        ("f'", "f"),
        ("5'", '5"'),
        (".NET", "NET"),
        ("../x", "/x"),
        ("12, 345", "12,345"),
        ("(a)(b)", "a)(b"),
        ("now here", "nowhere"),
        ("x_1", "x1"),
        (",", "."),
    ],
)
def test_different_answers_stay_different(left: str, right: str) -> None:
    assert normalise(left) != normalise(right)


@given(TEXTS)
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(TEXTS, st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_every_choice_of_rules_is_idempotent(text: str, width: bool, case: bool, punct: bool, space: bool) -> None:
    rules = {"width": width, "case": case, "punct": punct, "space": space}
    once = normalise(text, **rules)
    assert normalise(once, **rules) == once


@pytest.mark.parametrize("fold", [fold_width, fold_case, fold_punctuation, fold_space])
@given(text=TEXTS)
def test_each_rule_is_idempotent(fold, text: str) -> None:  # type: ignore[no-untyped-def]
    assert fold(fold(text)) == fold(text)


@given(TEXTS.filter(str.strip))
def test_text_never_normalises_to_nothing_unless_it_is_invisible(text: str) -> None:
    if fold_width(text).strip():
        assert normalise(text)


def test_rules_switched_off_leave_the_text_alone() -> None:
    text = " “Ａ” ，B. "
    assert normalise(text, width=False, case=False, punct=False, space=False) == text
    assert norm_label(width=False, case=False, punct=False, space=False) == "none"
    assert norm_label() == "nfkc+case+punct+space"


@pytest.mark.parametrize(
    ("text", "expected"), [("三", True), ("〇", True), ("㐀", True), ("abc", False), ("あ", False)]
)
def test_han_is_told_from_other_scripts(text: str, expected: bool) -> None:
    assert has_han(text) is expected
