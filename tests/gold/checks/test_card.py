"""What the card says, and what reading the file left out."""

from __future__ import annotations

from dataclasses import replace

from harness.gold.card import Card
from harness.gold.checks.card import card
from harness.gold.checks.material import Material
from harness.gold.goldset import GoldSet
from harness.gold.notice import Notice
from tests.gold.checks.made import goldset, many

CARD = Card(name="made", purpose="p", authorship="a", licence="CC0", languages=("zh",))


def told(made: GoldSet) -> list[tuple[str, str]]:
    return [(finding.code, finding.what) for finding in card(Material(made))]


def test_a_card_that_fits_is_silent() -> None:
    made = goldset(many(5))
    fitting = CARD.model_copy(update={"items": 5, "digest": made.digest})
    assert told(replace(made, card=fitting)) == []


def test_a_card_that_counts_wrong_or_says_too_little_is_told() -> None:
    found = told(replace(goldset(many(5)), card=CARD.model_copy(update={"items": 6, "licence": "unknown"})))
    assert [code for code, _ in found] == ["card-items", "no-digest", "no-licence"]
    assert "the card says 6 items, the file holds 5" in found[0][1]
    assert "no digest" in found[1][1]
    assert "no licence" in found[2][1]


def test_rows_that_were_dropped_are_no_fault_of_the_card() -> None:
    made = replace(goldset(many(5)), notices=(Notice("repeated-rows", {"path": "x.jsonl", "rows": 2}),))
    assert told(made) == [("repeated-rows", "x.jsonl: 2 repeated rows were dropped")]
