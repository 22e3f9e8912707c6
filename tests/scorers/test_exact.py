"""`exact`: equal to an accepted answer after normalisation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.gold.item import Item
from harness.scorers.exact import Exact


def _value(scorer: Exact, output: str, *answers: str) -> float | None:
    return scorer.score(Item(question="?", answer=answers), output)[0].value


@pytest.mark.parametrize(
    ("output", "answer"),
    [("ｐａｒｉｓ。", "Paris"), (" “Paris” ", "Paris"), ("北 京！", "北京"), ("（Ｂ）", "B"), ("C++.", "c++")],
)
def test_form_does_not_count(output: str, answer: str) -> None:
    assert _value(Exact(), output, answer) == 1.0


@pytest.mark.parametrize(
    ("output", "answer"),
    [("3", "-3"), ("C", "C++"), ("15", "1.5"), ("34", "3/4"), ("Paris, France", "Paris"), ("[0, 1]", "(0, 1)")],
)
def test_another_answer_is_wrong(output: str, answer: str) -> None:
    assert _value(Exact(), output, answer) == 0.0


def test_any_accepted_answer_is_right() -> None:
    assert _value(Exact(), "京", "北京", "京") == 1.0


@pytest.mark.parametrize("output", ["", " \n\t", "　"])
def test_an_empty_output_is_unextracted_and_wrong(output: str) -> None:
    score = Exact().score(Item(question="?", answer="a"), output)[0]
    assert (score.value, score.extracted, score.unextracted) == (0.0, None, True)


def test_a_blank_alternative_is_never_matched() -> None:
    # The output is invisible: it normalises to nothing, as the blank alternative does.
    assert _value(Exact(), "\u200b", "a", " ") == 0.0


@pytest.mark.parametrize(
    ("option", "output", "answer"),
    [("width", "１２", "12"), ("case", "PARIS", "paris"), ("punct", "paris.", "paris"), ("space", "a  b", "a b")],
)
def test_each_rule_can_be_switched_off(option: str, output: str, answer: str) -> None:
    assert _value(Exact(), output, answer) == 1.0
    assert _value(Exact.model_validate({option: False}), output, answer) == 0.0


def test_the_signature_names_the_rules_in_force() -> None:
    assert Exact().signature == "exact|norm:nfkc+case+punct+space|v:1"
    assert Exact(case=False, punct=False).signature == "exact|norm:nfkc+space|v:1"


def test_the_extracted_text_is_the_one_compared() -> None:
    assert Exact().score(Item(question="?", answer="x"), "“Ｐaris”。")[0].extracted == "paris"


@given(st.text().filter(str.strip))
def test_a_gold_answer_scores_one_against_itself(answer: str) -> None:
    assert _value(Exact(), answer, answer) == 1.0
