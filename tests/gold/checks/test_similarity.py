"""MinHash finds what a comparison of all pairs finds, and reports nothing else."""

from __future__ import annotations

import random
import re
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.gold.checks.similarity import NearIndex, clusters, near_pairs, shingle

HAN = re.compile(r"[\u4e00-\u9fff]")


def grams(text: str) -> set[str]:
    """Pairs of Chinese characters, triples of everything else; a shorter text is its own only element."""
    if len(text) < 3:
        return {text} if text else set()
    found = set()
    for at in range(len(text) - 1):
        if HAN.match(text[at]) and HAN.match(text[at + 1]):
            found.add(text[at : at + 2])
        elif at + 2 < len(text):
            found.add(text[at : at + 3])
    return found


def jaccard(one: str, two: str) -> float:
    a, b = grams(one), grams(two)
    return len(a & b) / len(a | b) if a | b else 0.0


def all_pairs(texts: list[str], threshold: float) -> dict[tuple[int, int], float]:
    likeness = {(i, j): jaccard(texts[i], texts[j]) for i, j in combinations(range(len(texts)), 2)}
    return {pair: value for pair, value in likeness.items() if value >= threshold}


TEXT = st.text(alphabet="头痛发热怎么办abc 12?", max_size=12)


@settings(deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=25), st.sampled_from([0.5, 0.7, 0.9]))
def test_every_pair_and_no_other_is_found(texts: list[str], threshold: float) -> None:
    assert {(i, j): value for i, j, value in near_pairs(shingle(texts), threshold)} == pytest.approx(
        all_pairs(texts, threshold)
    )


@settings(deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=12), st.lists(TEXT, min_size=1, max_size=12))
def test_an_index_finds_the_same_across_two_lists(gold: list[str], train: list[str]) -> None:
    expected = {(i, j) for i, one in enumerate(gold) for j, two in enumerate(train) if jaccard(one, two) >= 0.7}
    assert {(i, j) for i, j, _ in NearIndex(shingle(gold)).near(shingle(train))} == expected


def edited(text: str, rng: random.Random, edits: int) -> str:
    characters = list(text)
    for _ in range(edits):
        characters[rng.randrange(len(characters))] = rng.choice("左右前后上下早晚冷热")
    return "".join(characters)


@pytest.mark.parametrize("count", [2_000, 6_000, 24_000], ids=["3 slots", "4 slots", "5 slots"])
def test_planted_copies_are_found_whatever_the_size_of_the_set(count: int) -> None:
    """Pairs around the threshold, in sets that take each of the three bandings."""
    rng = random.Random(count)
    alphabet = [chr(0x4E00 + number) for number in range(400)]
    texts = ["".join(rng.choices(alphabet, k=30)) for _ in range(count)]
    copies = [edited(text, rng, rng.randint(1, 5)) for text in texts[:300]]
    expected = {(i, count + i) for i in range(300) if jaccard(texts[i], copies[i]) >= 0.7}
    assert 50 < len(expected) < 300
    assert {(i, j) for i, j, _ in near_pairs(shingle(texts + copies))} == expected


def test_texts_of_other_blocks_are_not_compared() -> None:
    texts = ["头痛发热怎么办", "头痛发热怎么办", "头痛发热怎么办"]
    pairs = near_pairs(shingle(texts), blocks=np.array([1, 2, 1]))
    assert [pair[:2] for pair in pairs] == [(0, 2)]


def test_a_set_of_one_template_ends_and_says_that_it_is_not_complete() -> None:
    """All 9,000 texts are alike: 40 million pairs, more than are looked at."""
    texts = [f"请把下面这个汉字的拼音和部首都写出来，不要写别的任何内容：{chr(0x4E00 + n)}" for n in range(9_000)]
    pairs = near_pairs(shingle(texts))
    assert not pairs.complete
    assert len(set(clusters(len(texts), pairs.left, pairs.right).tolist())) == 1


@pytest.mark.parametrize(
    "text", ["\ud800单独的代理项", "\U0002a700\U0002a701\U0002a702", "e\u0301e\u0301e\u0301", "\0\0\0\0"]
)
def test_any_text_can_be_compared(text: str) -> None:
    assert list(near_pairs(shingle([text, "别的", text]))) == [(0, 2, 1.0)]


def test_nothing_has_no_pairs() -> None:
    assert len(near_pairs(shingle([]))) == 0
    assert len(near_pairs(shingle(["", ""]))) == 0
    assert len(NearIndex(shingle(["a"])).near(shingle([]))) == 0
