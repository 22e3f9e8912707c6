"""Letters of options: how an answer key is read, and what guessing scores."""

from __future__ import annotations

import pytest

from harness.gold.choices import chance, gold_letters, listed
from harness.gold.item import Item

OPTIONS = ("蔗糖", "氯化钠", "酒精", "葡萄糖")


def item(*answer: str, choices: tuple[str, ...] | None = OPTIONS) -> Item:
    return Item(question="哪项是电解质？", answer=answer, choices=choices)


@pytest.mark.parametrize(
    ("answer", "letters"),
    [
        ("B", ("B",)),
        ("b", ("B",)),
        ("Ｂ", ("B",)),
        (" (B) ", ("B",)),
        ("【B】", ("B",)),
        ("B.", ("B",)),
        ("氯化钠", ("B",)),
        ("氯化钠。", ("B",)),
        ("ABD", ("ABD",)),
        ("D,B,A", ("ABD",)),
        ("A、B、D", ("ABD",)),
        ("A和D", ("AD",)),
    ],
)
def test_an_answer_is_a_letter_several_letters_or_the_text_of_an_option(answer: str, letters: tuple[str, ...]) -> None:
    assert gold_letters(item(answer)) == letters


def test_several_accepted_answers_are_alternatives() -> None:
    assert gold_letters(item("B", "C")) == ("B", "C")
    assert gold_letters(item("B", "氯化钠")) == ("B",)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (item("E"), "neither a letter from A to D"),
        (item("食盐"), "neither a letter from A to D nor the text of an option"),
        (item("ABE"), "neither a letter"),
        (item("B", choices=None), "no 'choices'"),
        (item("A", choices=("only one",)), "no 'choices'"),
        (item("A", choices=("x", " ")), "empty"),
        (item("x", choices=("x", "y", "x")), "options A and C"),
        # Blood groups: AB may be the third option, or the first two letters.
        (item("AB", choices=("A", "B", "AB", "O")), "text of option C"),
    ],
)
def test_an_answer_that_names_no_option_or_could_mean_two_is_refused(found: Item, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        gold_letters(found)


def test_a_letter_that_is_its_own_text_is_no_contradiction() -> None:
    assert gold_letters(item("B", choices=("A", "B", "AB", "O"))) == ("B",)


def test_options_are_listed_as_a_reader_expects() -> None:
    assert listed(item("B")) == "A. 蔗糖\nB. 氯化钠\nC. 酒精\nD. 葡萄糖"


def test_guessing_scores_one_in_the_number_of_options() -> None:
    assert chance(item("B")) == 0.25
    assert chance(item("B", "C")) == 0.5
    assert chance(item("A", choices=("x", "y"))) == 0.5
    assert chance(item("ABD")) == pytest.approx(1 / 15)  # 15 sets of letters that are not empty
