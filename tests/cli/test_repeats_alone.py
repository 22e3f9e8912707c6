"""Several answers to each item of one candidate alone, as `run` and `score` show them: what is counted by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import Bench
from tests.cli.test_repeats import BASE, four, record, suite

__all__ = ["four"]  # a fixture


def run(bench: Bench, *options: str) -> dict[str, Any]:
    bench("run", "replay:base.jsonl", "--suite", "suite.yaml", "--json", "out.json", *options)
    found: dict[str, Any] = json.loads((bench.folder / "out.json").read_text())["runs"][0]["tasks"][0]["metrics"]
    return next(iter(found.values()))  # type: ignore[no-any-return]


def score(bench: Bench, *options: str, scorer: str = "exact") -> dict[str, Any]:
    bench("score", "replay:base.jsonl", "--goldset", "facts.jsonl", "--scorer", scorer, "--json", "out.json", *options)
    found: dict[str, Any] = json.loads((bench.folder / "out.json").read_text())
    return found


@pytest.fixture
def recorded(four: Bench) -> Bench:
    """`score` calls its task "score", so these recordings name none."""
    rows = [
        {"item_id": item, "output": output, "repeat": repeat}
        for item, outputs in BASE.items()
        for repeat, output in enumerate(outputs)
    ]
    four.write("base.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    return four


@pytest.mark.parametrize("command", [run, score])
def test_pass_at_k_majority_and_variance_are_what_is_counted_by_hand(recorded: Bench, command: Any) -> None:
    found = command(recorded, "--repeats", "4")
    over = found["over_repeats"]
    # Right of four: 2, 1, 0, 4. Pairs without a right answer, of six: 1, 3, 6, 0.
    assert found["score"] == pytest.approx(7 / 16)
    assert {one["k"]: one["score"] for one in over["pass_at"]} == pytest.approx({1: 7 / 16, 2: 14 / 24, 4: 3 / 4})
    # f0 is a tie that the right answer opened.
    assert over["majority"]["score"] == 2 / 4
    assert over["repeats"] == 4
    # Within an item with c right of four: c (4 - c) / 12, that is 4, 3, 0, 0 twelfths.
    parts = over["variance"]
    assert parts["within"] == pytest.approx(7 / 48)
    assert parts["between"] == pytest.approx(140 / 16 / 16 / 3 - 7 / 48 / 4)
    assert parts["se"] ** 2 == pytest.approx(140 / 16 / 16 / 3 / 4)
    assert parts["se"] ** 2 == pytest.approx(parts["se_items"] ** 2 + parts["se_repeats"] ** 2)
    assert over["narrows"] == "items"
    for one in (*over["pass_at"], over["majority"]):
        assert one["ci"][0] <= one["score"] <= one["ci"][1]


def test_a_run_alone_says_what_a_comparison_says_of_the_same_side(recorded: Bench) -> None:
    over = run(recorded, "--repeats", "4")["over_repeats"]
    recorded.compare("--repeats", "4", "--json", "out.json")
    (compared, *_) = json.loads((recorded.folder / "out.json").read_text())["comparisons"][0]["results"]
    theirs = compared["over_repeats"]
    assert [one["score"] for one in over["pass_at"]] == [one["base"] for one in theirs["pass_at"]]
    assert over["majority"]["score"] == theirs["majority"]["base"]
    assert over["variance"] == theirs["variance"]["base"]


def test_the_terminal_shows_them_and_a_stored_run_shows_them_again(recorded: Bench) -> None:
    shown = recorded("run", "replay:base.jsonl", "--suite", "suite.yaml", "--repeats", "4").out
    assert "Over 4 answers to each item" in shown
    for part in ("pass@1", "pass@2", "58.3%", "majority@4", "variance between items"):
        assert part in shown
    assert "only more items would narrow the interval" in " ".join(shown.split())
    (name,) = [path.name for path in (recorded.folder / "runs").iterdir() if (path / "run.json").is_file()]
    again = recorded("runs", "show", name).out
    assert again[again.index("Over 4") :].split() == shown[shown.index("Over 4") :].split()


def test_one_answer_to_each_item_leaves_json_and_terminal_as_they_were(recorded: Bench) -> None:
    assert "over_repeats" not in run(recorded)
    assert "over_repeats" not in score(recorded)
    assert "answers to each item" not in recorded("run", "replay:base.jsonl", "--suite", "suite.yaml").out
    (manifest,) = [json.loads(path.read_text()) for path in recorded.folder.glob("runs/*/run.json")][:1]
    assert all("votes" not in task for task in manifest["tasks"])


def test_answers_that_the_gold_answer_sorts_have_no_majority(recorded: Bench) -> None:
    suite(recorded, "contains", "contains")
    for over in (run(recorded, "--repeats", "4"), score(recorded, "--repeats", "4", scorer="contains")):
        assert over["over_repeats"]["majority"] is None
        assert over["over_repeats"]["pass_at"][0]["score"] == pytest.approx(7 / 16)


def test_a_metric_between_0_and_1_has_its_variance_and_no_pass_at_k(recorded: Bench) -> None:
    over = score(recorded, "--repeats", "4", scorer="chrf")["over_repeats"]
    assert (over["pass_at"], over["majority"]) == ([], None)
    assert over["variance"]["within"] > 0.0


def test_an_item_with_a_failed_repeat_is_left_out_and_counted(four: Bench) -> None:
    record(four, "base", {**BASE, "f1": "RW-R"})
    found = run(four, "--repeats", "4")
    assert (found["n"], found["missing"]) == (3, 1)
    assert found["over_repeats"]["pass_at"][-1]["score"] == pytest.approx(2 / 3)
