"""No gold item is in the training data: not its question, and of arithmetic not its numbers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.demo import arithmetic, build, corpus, figures, goldsets
from harness.demo.overlap import LIMIT, TrigramIndex, masked, numbers, trigrams
from harness.gold.item import Item


@pytest.fixture(scope="module")
def trained() -> list[corpus.Example]:
    """Everything that any of the three models was trained on."""
    found: list[corpus.Example] = []
    for recipe in figures.RECIPES:
        plan = build.PLANS[recipe]
        found += corpus.examples(recipe, plan.steps * plan.batch, build.SEED)
    return found


@pytest.fixture(scope="module")
def questions(trained: list[corpus.Example]) -> dict[str, set[tuple[str, ...]]]:
    """Every training question with its numbers masked, and the numbers it was seen with."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for example in trained:
        if example.question is not None:
            found.setdefault(masked(example.question), set()).add(numbers(example.question))
    return found


@pytest.fixture(scope="module")
def index(questions: dict[str, set[tuple[str, ...]]]) -> TrigramIndex:
    return TrigramIndex(questions)


def gold_items(*names: str) -> Iterator[Item]:
    for name in names or goldsets.NAMES:
        yield from goldsets.generate(name).items


def test_no_gold_question_is_like_a_training_question(index: TrigramIndex) -> None:
    near = [hit for item in gold_items("medical-qa", "general-retention") for hit in index.near(item.text)[:1]]
    assert not near, f"{len(near)} gold questions reach {LIMIT}: {near[:3]}"


def test_arithmetic_like_a_training_question_has_unseen_numbers(
    index: TrigramIndex, questions: dict[str, set[tuple[str, ...]]]
) -> None:
    for item in gold_items("arithmetic-mini"):
        for hit in index.near(item.text):
            assert numbers(item.text) not in questions[hit.text], f"{item.id}: {hit}"


def test_gold_operands_never_occur_in_training_in_any_order(trained: list[corpus.Example]) -> None:
    """Neither as the numbers of a question nor as a step of a solution or a bare sum."""
    seen: set[tuple[int, ...]] = set()
    for example in trained:
        text = "".join(part for part, _ in example.segments)
        seen.update(tuple(sorted(pair)) for pair in arithmetic.expressions(text))
        if example.question is not None:
            asked = numbers(example.question)
            if asked:
                seen.add(tuple(sorted(int(n) for n in asked if "." not in n)))
    for item in gold_items("arithmetic-mini"):
        operands = tuple(sorted(int(n) for n in numbers(item.text)))
        assert operands not in seen, f"{item.id}: {operands}"


def test_no_training_text_holds_a_gold_question(trained: list[corpus.Example]) -> None:
    asked = {example.question for example in trained}
    assert not asked & {item.text for item in gold_items()}
    plain = {example.segments[0][0] for example in trained if example.question is None}
    assert not plain & {item.metadata["reference"] for item in gold_items() if item.metadata["difficulty"] != "easy"}


def test_gold_and_dev_questions_differ() -> None:
    gold = {item.text for item in gold_items()}
    assert not gold & {item.text for asked in figures.dev().values() for item in asked.items}


def test_dev_numbers_and_wordings_are_not_trained_on(questions: dict[str, set[tuple[str, ...]]]) -> None:
    for asked in figures.dev().values():
        for item in asked.items:
            assert numbers(item.text) not in questions.get(masked(item.text), set()), item


def test_index_finds_what_a_plain_comparison_finds() -> None:
    texts = ["法国的首都是哪里？", "日本的首都是哪里？", "What is 3 plus 4?", "ab", "水"]
    index = TrigramIndex(texts)
    for query in [*texts, "德国的首都在哪里？", "What is 12 plus 7?", "没有这样的问题"]:
        expected = {}
        for text in texts:
            a, b = trigrams(query), trigrams(text)
            if (jaccard := len(a & b) / len(a | b)) >= 0.3:
                expected[masked(text)] = pytest.approx(jaccard)
        assert {hit.text: hit.jaccard for hit in index.near(query, 0.3)} == expected
