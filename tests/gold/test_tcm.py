"""The gold sets of traditional Chinese medicine: their cards are true, their answers usable, and nothing was copied."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from harness.demo.overlap import LIMIT, TrigramIndex, trigrams
from harness.gold.checks import check_goldset
from harness.gold.goldset import GoldSet, load_goldset
from harness.gold.item import Item
from harness.scorers.exact import Exact
from harness.text import has_han, normalise

FOLDER = Path(__file__).parents[2] / "goldsets"
NAMES = ("tcm", "tcm-choice")
LETTERS = "ABCD"

# Two questions of one set may ask alike about two organs; these are the same question with one word changed.
TWINS = 0.7


@pytest.fixture(params=NAMES)
def goldset(request: pytest.FixtureRequest) -> GoldSet:
    return load_goldset(str(FOLDER / f"{request.param}.jsonl"))


@pytest.fixture(scope="module")
def choices() -> tuple[Item, ...]:
    return load_goldset(str(FOLDER / "tcm-choice.jsonl")).items


def items() -> Iterator[Item]:
    for name in NAMES:
        yield from load_goldset(str(FOLDER / f"{name}.jsonl")).items


def test_card_is_true(goldset: GoldSet) -> None:
    assert goldset.card is not None
    assert goldset.warnings == ()
    assert goldset.card.digest == goldset.digest
    assert goldset.card.items == len(goldset.items)
    assert goldset.card.counts == goldset.counts()
    assert set(goldset.card.languages) == {item.language for item in goldset.items}
    for said in ("Not checked by a physician", "Not medical advice"):
        assert said in goldset.card.notes


def test_size_topics_and_tiers() -> None:
    found = list(items())
    assert len(load_goldset(str(FOLDER / "tcm.jsonl")).items) >= 200
    assert sum(item.choices is not None for item in found) >= 0.2 * len(found)
    topics = Counter(item.metadata["topic"] for item in found)
    assert len(topics) >= 8
    assert min(topics.values()) >= 12
    tiers = Counter(item.metadata["difficulty"] for item in found)
    assert set(tiers) == {"easy", "medium", "hard"}
    assert min(tiers.values()) >= 80
    for item in found:
        assert set(item.metadata) == {"topic", "difficulty", "language", "reference"}
        assert item.metadata["language"] == ("zh" if has_han(item.text) else "en")


def test_the_checker_finds_neither_twins_nor_leaked_or_trivial_answers(goldset: GoldSet) -> None:
    found = [finding for finding in check_goldset(goldset).findings if finding.severity != "info"]
    assert [finding.what for finding in found] == []


def test_every_answer_is_right_and_its_reference_says_it() -> None:
    scorer = Exact()
    for item in load_goldset(str(FOLDER / "tcm.jsonl")).items:
        assert item.choices is None
        forms = [normalise(text) for text in item.answer]
        assert len(set(forms)) == len(forms), f"{item.id}: two accepted answers are one"
        assert forms[0] in normalise(item.metadata["reference"]), item.id
        assert all(scorer.score(item, text)[0].value == 1.0 for text in item.answer), item.id


def test_short_answers_are_short() -> None:
    """Exact match can only be asked of answers that have few forms."""
    for item in load_goldset(str(FOLDER / "tcm.jsonl")).items:
        limit = 10 if item.language == "zh" else 16
        assert len(item.answer[0]) <= limit, item.id


def test_options_differ_and_each_letter_is_right_equally_often(choices: tuple[Item, ...]) -> None:
    for item in choices:
        assert item.choices is not None
        assert len({normalise(text) for text in item.choices}) == len(LETTERS), item.id
        assert item.answer[0] in LETTERS
        assert len(item.answer) == 1
    letters = Counter(item.answer[0] for item in choices)
    assert max(letters.values()) - min(letters.values()) <= 1


def test_the_length_of_an_option_tells_nothing(choices: tuple[Item, ...]) -> None:
    """Always taking the only longest (or shortest) option, and guessing where there is none, must not beat chance."""
    for pick in (max, min):
        gained = 0.0
        for item in choices:
            assert item.choices is not None
            lengths = [len(text) for text in item.choices]
            best = [letter for letter, n in zip(LETTERS, lengths, strict=True) if n == pick(lengths)]
            gained += (item.answer[0] in best) / len(best)
        assert gained / len(choices) == pytest.approx(0.25, abs=0.1)


def test_no_two_questions_are_twins() -> None:
    grams = [(item.id, trigrams(item.text)) for item in items()]
    for (one, a), (other, b) in combinations(grams, 2):
        assert len(a & b) / len(a | b) < TWINS, f"{one} and {other}"


def test_nothing_is_like_the_other_medical_set() -> None:
    other = TrigramIndex(item.text for item in load_goldset(str(FOLDER / "medical-qa.jsonl")).items)
    near = [hit for item in items() for hit in other.near(item.text)]
    assert not near


def test_nothing_is_copied_from_a_published_test(shared_data: Path) -> None:
    with (shared_data / "cmmlu" / "test" / "traditional_chinese_medicine.csv").open(
        encoding="utf-8", newline=""
    ) as file:
        published = TrigramIndex(row["Question"] for row in csv.DictReader(file))
    assert len(published.texts) > 150
    near = [hit for item in items() for hit in published.near(item.text, 0.5)]
    assert not near


def test_the_demo_was_not_trained_on_it() -> None:
    from harness.demo import build, corpus, figures

    trained: set[str] = set()
    for recipe in figures.RECIPES:
        plan = build.PLANS[recipe]
        drawn = corpus.examples(recipe, plan.steps * plan.batch, build.SEED)
        trained.update(example.question for example in drawn if example.question is not None)
    index = TrigramIndex(trained)
    near = [hit for item in items() for hit in index.near(item.text, LIMIT)]
    assert not near
