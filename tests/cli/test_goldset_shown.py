"""`harness goldset list|show` of sets whose items are not stored here."""

from __future__ import annotations

import pytest

from harness.cli.goldset import _where
from harness.gold.card import Card
from harness.gold.goldset import list_goldsets
from harness.validation import read_yaml
from tests.cli.conftest import Bench

CARD = """\
name: elsewhere
purpose: for a test
authorship: nobody
licence: none
languages: [en]
notes: published in the moon
"""


def test_a_set_that_needs_a_copy_shows_its_card_and_what_to_do(bench: Bench) -> None:
    bench.write("goldsets/elsewhere.yaml", CARD)
    shown = bench("goldset", "show", "elsewhere")
    assert shown.code == 0
    assert "published in the moon" in shown.out
    assert "--goldset elsewhere=PATH" in shown.out


def test_where_there_is_no_item_nothing_can_be_checked(bench: Bench) -> None:
    bench.write("goldsets/elsewhere.yaml", CARD)
    checked = bench("goldset", "check", "elsewhere")
    assert checked.code == 2
    assert "--goldset elsewhere=PATH" in checked.err


def test_a_broken_copy_is_an_error_and_not_a_missing_set(bench: Bench) -> None:
    bench.write("goldsets/elsewhere.yaml", CARD)
    assert bench("goldset", "show", "elsewhere", "--goldset", "elsewhere=nowhere.jsonl").code == 2
    bench.write("bad.jsonl", "{")
    assert bench("goldset", "show", "elsewhere", "--goldset", "elsewhere=bad.jsonl").code == 2


@pytest.mark.parametrize(
    ("name", "where"),
    [("tcm", "here"), ("math500", "on a hub"), ("cmmlu", "not here: needs a copy")],
)
def test_the_list_says_where_the_items_are(bench: Bench, name: str, where: str) -> None:
    path = list_goldsets()[name]
    assert _where(path, read_yaml(path.with_suffix(".yaml"), Card)) == where
    assert bench("goldset", "list").code == 0


def test_options_are_shown_with_their_letters(bench: Bench) -> None:
    bench.gold("mc.jsonl", [{"question": "Largest planet?", "choices": ["Mars", "Jupiter"], "answer": "B"}])
    shown = bench("goldset", "show", "mc.jsonl").out
    assert "Largest planet? A. Mars B. Jupiter" in " ".join(shown.split())
