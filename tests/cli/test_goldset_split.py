"""`harness goldset split`: two files and two cards, or nothing."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from harness.gold.goldset import load_goldset
from tests.cli.conftest import Bench
from tests.gold.test_split import plain


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_both_parts_are_gold_sets_with_cards_that_say_where_they_come_from(bench: Bench) -> None:
    result = bench("goldset", "split", "facts.jsonl", "--gold", "10", "--gold-out", "g.jsonl", "--train-out", "t.jsonl")
    gold, train = (load_goldset(bench.folder / name) for name in ("g.jsonl", "t.jsonl"))
    assert result.code == 0
    assert (len(gold.items), len(train.items)) == (10, 30)
    assert gold.warnings == train.warnings == ()
    assert {item.id for item in gold.items}.isdisjoint(item.id for item in train.items)
    assert Counter(str(item.metadata["difficulty"]) for item in gold.items) == {"easy": 5, "hard": 5}
    assert gold.card is not None
    assert train.card is not None
    assert gold.card.digest == gold.digest
    assert "facts.jsonl" in gold.card.notes
    assert "seed 0" in gold.card.notes
    assert gold.digest[:16] in train.card.notes


def test_a_training_file_keeps_its_shape_and_loses_what_was_taken(bench: Bench) -> None:
    rows = [
        {
            "instruction": f"{item.text}是什么意思",
            "input": "",
            "output": f"解释{n}",
            "kind": "xy"[n % 2],
            "extra": {"n": n},
        }
        for n, item in enumerate(plain(40))
    ]
    bench.write("train.json", json.dumps([*rows, rows[0], {"instruction": "", "output": "没有题", "kind": "x"}]))
    result = bench("goldset", "split", "train.json", "--gold", "10", "--by", "kind")
    gold = load_goldset(bench.folder / "train-gold.jsonl")
    left = lines(bench.folder / "train-train.jsonl")
    taken = {item.text for item in gold.items}
    assert result.code == 0
    assert len(taken) == 10
    assert all(row in [*rows, {"instruction": "", "output": "没有题", "kind": "x"}] for row in left)
    assert taken.isdisjoint(str(row["instruction"]) for row in left)
    assert {str(row["instruction"]) for row in left} | taken == {str(row["instruction"]) for row in rows} | {""}
    assert "1 rows without question or answer went to the train part" in result.out


def test_the_parts_of_a_split_do_not_leak(bench: Bench, shared_data: Path) -> None:
    """Toyhom's questions hold 64 that are nearly others: none of them ends up on both sides."""
    source = next((shared_data / "toyhom").glob("*.csv"))
    made = bench(
        "goldset", "split", str(source), "--gold", "400", "--gold-out", "g.jsonl", "--train-out", "t.jsonl",
        "--map", "question=title+ask,answer=answer,metadata.topic=department",
    )  # fmt: skip
    assert made.code == 0
    checked = bench("goldset", "check", "g.jsonl", "--against", "t.jsonl", "--json", "-")
    codes = {finding["code"] for finding in json.loads(checked.out)["findings"]}
    assert not codes & {"train-verbatim", "train-near"}


def test_nothing_is_written_over_or_half(bench: Bench) -> None:
    bench.write("g.jsonl", "mine\n")
    before = bench.files()
    given = ("goldset", "split", "facts.jsonl", "--gold", "10", "--train-out", "t.jsonl")
    for options, said in (
        (("--gold-out", "g.jsonl"), "exists already"),
        (("--gold-out", "t.jsonl"), "would overwrite"),
        (("--gold-out", "facts.jsonl", "--replace"), "would overwrite"),
        (("--gold-out", "no/such/folder.jsonl"), "does not exist"),
        (("--gold-out", "x.jsonl", "--by", "nothing"), "no item has 'nothing'"),
    ):
        result = bench(*given, *options)
        assert result.code == 2, options
        assert said in result.err
        assert bench.files() == before
    assert (bench.folder / "g.jsonl").read_text() == "mine\n"
    assert bench(*given, "--gold-out", "g.jsonl", "--replace").code == 0


def test_a_training_file_of_messages_is_divided(bench: Bench) -> None:
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"{item.text}是谁"},
                {"role": "assistant", "content": item.answer[0]},
            ]
        }
        for item in plain(20)
    ]
    bench.gold("chat.jsonl", rows)
    assert bench("goldset", "split", "chat.jsonl", "--gold", "5").code == 0
    assert len(load_goldset(bench.folder / "chat-gold.jsonl").items) == 5
    assert len(lines(bench.folder / "chat-train.jsonl")) == 15
    assert all(row in rows for row in lines(bench.folder / "chat-train.jsonl"))
