"""Splits: nothing alike on both sides, every row on exactly one, in proportion, and the same whatever the order."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import InputError
from harness.gold.checks.similarity import THRESHOLD
from harness.gold.item import Item
from harness.gold.split import Split, largest_remainder, split_items
from harness.text import normalise
from tests.gold.checks.test_similarity import jaccard

WORDS = ("头痛", "发热", "咳嗽", "怎么办", "吃什么药", "严重吗", "三天", "孩子", "老人", "请问", "应该", "医生")


@st.composite
def items(draw: st.DrawFn) -> list[Item]:
    """Questions from few words, so that many are alike; some in clusters, all in one of four strata."""
    texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=7).map("".join)
    rows = draw(st.lists(st.tuples(texts, st.sampled_from("xyz"), st.sampled_from("ab"), st.sampled_from("ab"),
                                   st.none() | st.sampled_from("pq")), min_size=2, max_size=40))  # fmt: skip
    return [
        Item(id=f"i{n}", question=text, answer=answer, cluster=cluster, metadata={"topic": topic, "difficulty": tier})
        for n, (text, answer, topic, tier, cluster) in enumerate(rows)
    ]


def near(one: Item, two: Item) -> bool:
    """By hand: alike in words, and one answer; or the same words, whatever the answers."""
    if normalise(one.text) == normalise(two.text):
        return True
    return one.answer == two.answer and jaccard(normalise(one.text), normalise(two.text)) >= THRESHOLD


def drawn(made: list[Item], data: st.DataObject) -> Split:
    return split_items(made, data.draw(st.integers(1, len(made) - 1), label="gold"))


@settings(deadline=None)
@given(items(), st.data())
def test_no_near_duplicate_pair_straddles_and_no_cluster(made: list[Item], data: st.DataObject) -> None:
    # Below 20 items no common instruction is taken off, so the questions can be compared by hand as they are.
    made = made[:19]
    split = drawn(made, data)
    side = dict.fromkeys(split.gold, "gold") | dict.fromkeys(split.train, "train")
    for i, j in combinations(range(len(made)), 2):
        if near(made[i], made[j]) or (made[i].cluster is not None and made[i].cluster == made[j].cluster):
            assert side[i] == side[j], (made[i].text, made[j].text)


@settings(deadline=None)
@given(items(), st.data())
def test_every_row_lands_in_exactly_one_part(made: list[Item], data: st.DataObject) -> None:
    split = drawn(made, data)
    assert sorted(split.gold + split.train) == list(range(len(made)))


@settings(deadline=None)
@given(items(), st.data())
def test_each_stratum_is_within_one_cluster_of_its_share(made: list[Item], data: st.DataObject) -> None:
    gold = data.draw(st.integers(1, len(made) - 1), label="gold")
    split = split_items(made, gold)
    largest = max(split.clusters, default=1)
    assert sum(stratum.wanted for stratum in split.strata) == gold
    assert sum(stratum.gold for stratum in split.strata) == len(split.gold) <= gold
    for stratum in split.strata:
        assert abs(stratum.wanted - gold * stratum.items / len(made)) < 1
        assert abs(stratum.gold - stratum.wanted) <= largest


@settings(deadline=None)
@given(items(), st.data())
def test_the_order_of_the_file_changes_nothing(made: list[Item], data: st.DataObject) -> None:
    gold = data.draw(st.integers(1, len(made) - 1), label="gold")
    shuffled = data.draw(st.permutations(made), label="shuffled")
    one, two = split_items(made, gold), split_items(shuffled, gold)
    # Two rows of one content (their ids aside) are one cluster, so contents can be compared.
    assert Counter(made[at].digest for at in one.gold) == Counter(shuffled[at].digest for at in two.gold)


def plain(count: int) -> list[Item]:
    return [
        Item(id=f"i{n}", question=f"{chr(0x4E00 + 7 * n)}{chr(0x5E00 + 11 * n)}{chr(0x6E00 + 13 * n)}", answer=str(n),
             metadata={"topic": "甲乙丙"[n % 3], "difficulty": ("easy", "hard")[n % 10 < 3]})
        for n in range(count)
    ]  # fmt: skip


def test_independent_items_come_out_exactly_in_proportion() -> None:
    made = plain(600)
    split = split_items(made, 100)
    assert len(split.gold) == 100
    assert split.by == ("topic", "difficulty")
    assert all(stratum.gold == stratum.wanted for stratum in split.strata)
    share = Counter(made[at].metadata["topic"] for at in split.gold)
    assert set(share.values()) <= {33, 34}


def test_largest_remainder_is_hamiltons_method() -> None:
    """The example of 1790 apportionment textbooks: quotas 2.5, 1.5, 1.0 of 5 seats; ties go by name."""
    assert largest_remainder({("a",): 50, ("b",): 30, ("c",): 20}, 5) == {("a",): 3, ("b",): 1, ("c",): 1}
    assert largest_remainder({("a",): 47, ("b",): 16, ("c",): 158, ("d",): 12}, 10) == {
        ("a",): 2, ("b",): 1, ("c",): 7, ("d",): 0,
    }  # fmt: skip


def test_another_seed_draws_other_items_and_the_same_seed_the_same() -> None:
    made = plain(300)
    assert split_items(made, 50, seed=1) == split_items(made, 50, seed=1)
    assert split_items(made, 50, seed=1).gold != split_items(made, 50, seed=2).gold


def test_ids_do_not_matter() -> None:
    made = plain(100)
    renamed = [item.model_copy(update={"id": f"other-{item.id}"}) for item in made]
    assert split_items(made, 20).gold == split_items(renamed, 20).gold


def test_one_more_item_moves_few_others() -> None:
    made = plain(301)
    before = {made[at].id for at in split_items(made[:300], 60).gold}
    after = {made[at].id for at in split_items(made, 60).gold}
    assert len(before & after) >= 55


def test_what_cannot_be_balanced_is_told() -> None:
    """A stratum that is one cluster of ten cannot give three."""
    made = plain(90)
    made += [item.model_copy(update={"id": f"c{n}", "cluster": "c", "metadata": {"topic": "丁", "difficulty": "hard"}})
             for n, item in enumerate(plain(100)[90:])]  # fmt: skip
    split = split_items(made, 30)
    assert [(stratum.labels, stratum.wanted, stratum.gold) for stratum in split.unbalanced if stratum.gold == 0] == [
        (("丁", "hard"), 3, 0)
    ]
    assert len(split.gold) == 30  # others made up for it


@pytest.mark.parametrize("gold", [0, -1, 10, 11])
def test_a_part_may_not_be_empty(gold: int) -> None:
    with pytest.raises(InputError, match="leaves one part empty"):
        split_items(plain(10), gold)


def test_a_label_that_no_item_has_is_an_error() -> None:
    with pytest.raises(InputError, match="Did you mean 'topic'"):
        split_items(plain(10), 5, by=["topik"])
