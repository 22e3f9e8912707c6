"""Training on the test is refused, or recorded for ever."""

from __future__ import annotations

import json

from harness.candidates.lineage import read_lineage
from harness.gold.goldset import load_goldset
from tests.train.conftest import Yard


def planted(yard: Yard) -> str:
    items = load_goldset("medical-qa").items[:3]
    rows = [json.loads(line) for line in (yard.folder / "medical.jsonl").read_text(encoding="utf-8").splitlines()]
    yard.write("leaky.jsonl", [*rows, *({"instruction": item.text, "output": item.answer[0]} for item in items)])
    return yard.config(data={"medical": "leaky.jsonl"})


def test_gold_items_in_the_data_are_refused(yard: Yard) -> None:
    code, _, err = yard("train", "sft", planted(yard), "--suite", "medical")
    assert code == 2
    assert "3 of the 364 items of gold set 'medical-qa' stand in the training data" in err
    assert "leaky.jsonl, row 40" in err
    assert "--allow-leak" in err
    assert not (yard.folder / "candidates").exists()


def test_what_is_allowed_stands_in_the_lineage(yard: Yard) -> None:
    code, out, _ = yard("train", "sft", planted(yard), "--suite", "medical", "--allow-leak")
    assert code == 0
    assert "3 of 364 items word for word, allowed by --allow-leak" in out
    lineage = read_lineage(yard.folder / "candidates" / "mine")
    assert lineage is not None
    leaks = {leak.goldset: leak for leak in lineage.leaks}
    assert (leaks["medical-qa"].verbatim, leaks["medical-qa"].allowed) == (3, True)
    assert leaks["medical-qa"].digest == load_goldset("medical-qa").digest
    assert (leaks["general-retention"].verbatim, leaks["general-retention"].allowed) == (0, False)


def test_the_demos_own_data_holds_no_gold_item(yard: Yard) -> None:
    settings = {"data": {"medical": "medical.jsonl", "general": "general.jsonl"}}
    code, out, _ = yard("train", "sft", yard.config(**settings), "--suite", "medical", "--dry-run")
    assert code == 0
    assert out.count("none of its") == 3
