"""`contains`: an accepted answer stands in the output, on word and number boundaries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.gold.item import Item
from harness.scorers.contains import Contains


def _value(output: str, *answers: str, words: bool = True) -> float | None:
    return Contains(words=words).score(Item(question="?", answer=answers), output)[0].value


@pytest.mark.parametrize(
    ("output", "answer"),
    [
        ("The capital is Paris.", "paris"),
        ("It's PARIS!", "Paris"),
        ("首都是北京。", "北京"),
        ("首都是 北 京", "北京"),
        ("共12元", "12"),
        ("共１２元", "12"),
        ("It is 12km away", "12"),
        ("12, 13", "12"),
        ("12.", "12"),
        ("约50%", "50"),
        ("He said no.", "no"),
        ("know no more", "no"),  # the first hit is inside a word, the second is not
        ("Use C++ here", "C++"),
        ("维生素C能治", "维生素C"),
        ("x = -3", "-3"),
        ("Paris's river", "Paris"),
        ("in New\nYork now", "New York"),
    ],
)
def test_an_answer_that_stands_alone_is_found(output: str, answer: str) -> None:
    assert _value(output, answer) == 1.0


@pytest.mark.parametrize(
    ("output", "answer"),
    [
        ("112", "12"),
        ("121", "12"),
        ("12.5", "12"),
        ("5.12", "12"),
        (".5", "5"),
        ("12,000", "12"),
        ("1,000", "000"),
        ("1/12", "12"),
        ("12/5", "12"),
        ("x = -12", "12"),
        ("答案是-12", "12"),
        ("10-3", "-3"),
        ("2^12", "2"),
        ("A12", "12"),
        ("know", "no"),
        ("nothing", "no"),
        ("C++", "C"),
        ("C#", "C"),
        ("I can't", "can"),
        ("naïveté", "naïv"),
        ("上海", "北京"),
    ],
)
def test_an_answer_inside_another_is_not(output: str, answer: str) -> None:
    assert _value(output, answer) == 0.0


@pytest.mark.parametrize(("output", "answer"), [("know", "no"), ("112", "12")])
def test_boundaries_can_be_switched_off(output: str, answer: str) -> None:
    assert _value(output, answer, words=False) == 1.0


def test_any_accepted_answer_counts_and_is_shown() -> None:
    score = Contains().score(Item(question="?", answer=("Peking", "北京")), "是北京")[0]
    assert (score.value, score.extracted) == (1.0, "北京")


def test_a_blank_alternative_is_never_found() -> None:
    assert _value("anything", "x", " ") == 0.0


def test_an_empty_output_is_unextracted() -> None:
    assert Contains().score(Item(question="?", answer="a"), " \n")[0].unextracted


def test_the_signature_names_the_boundaries() -> None:
    assert Contains().signature == "contains|norm:nfkc+case+punct+space|words:yes|v:1"
    assert Contains(words=False).signature == "contains|norm:nfkc+case+punct+space|words:no|v:1"


@given(st.text(alphabet="ab1. 三-+'C"), st.text(alphabet="ab1. 三-+'C").filter(str.strip))
def test_boundaries_only_ever_take_hits_away(output: str, answer: str) -> None:
    assert (_value(output, answer) or 0.0) <= (_value(output, answer, words=False) or 0.0)


@given(st.text(alphabet="abN1.,5/三八-+'!C \n").filter(str.strip))
def test_a_gold_answer_scores_one_against_itself(answer: str) -> None:
    assert _value(answer, answer) == 1.0
