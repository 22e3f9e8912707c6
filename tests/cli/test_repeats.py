"""Several recorded answers to each item: what can be counted by hand is what is reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Bench

SUITE = """\
name: small
tasks:
  - {name: facts, role: target, goldset: facts.jsonl, scorers: [SCORER], primary: PRIMARY, max_error_rate: 0.5}
"""

#: The answers to four items, four times; R is right.
BASE = {"f0": "RWRW", "f1": "WXYR", "f2": "WXYZ", "f3": "RRRR"}
CANDIDATE = {"f0": "RRRW", "f1": "RWXR", "f2": "WWRR", "f3": "RRRR"}


@pytest.fixture
def four(bench: Bench) -> Bench:
    suite(bench, "exact", "exact")
    bench.gold("facts.jsonl", [{"id": f"f{i}", "question": f"Question {i}?", "answer": "R"} for i in range(4)])
    record(bench, "base", BASE)
    record(bench, "candidate", CANDIDATE)
    return bench


def suite(bench: Bench, scorer: str, primary: str) -> None:
    bench.write("suite.yaml", SUITE.replace("SCORER", scorer).replace("PRIMARY", primary))


def record(bench: Bench, name: str, answers: dict[str, str]) -> Path:
    rows = [
        {"task": "facts", "item_id": item, "output": output, "repeat": repeat}
        for item, outputs in answers.items()
        for repeat, output in enumerate(outputs)
        if output != "-"
    ]
    return bench.write(f"{name}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def result(bench: Bench, *options: str) -> dict[str, Any]:
    bench.compare("--json", "out.json", *options)
    found: dict[str, Any] = json.loads((bench.folder / "out.json").read_text())["comparisons"][0]["results"][0]
    return found


def sides(compared: dict[str, Any]) -> tuple[float, float]:
    return compared["base"], compared["candidate"]


def test_pass_at_k_of_recorded_answers_is_what_is_counted_by_hand(four: Bench) -> None:
    found = result(four, "--repeats", "4")["over_repeats"]
    assert found["repeats"] == 4
    by_size = {one["k"]: one for one in found["pass_at"]}
    assert list(by_size) == [1, 2, 4]
    # Right of four: the base 2, 1, 0, 4; the candidate 3, 2, 2, 4.
    assert sides(by_size[1]) == pytest.approx((7 / 16, 11 / 16))
    # Pairs without a right answer, of six: the base 1, 3, 6, 0; the candidate 0, 1, 1, 0.
    assert sides(by_size[2]) == pytest.approx((14 / 24, 22 / 24))
    assert sides(by_size[4]) == (3 / 4, 1.0)
    for one in by_size.values():
        assert one["delta"] == pytest.approx(one["candidate"] - one["base"])
        assert one["ci"][0] <= one["delta"] <= one["ci"][1]
    assert by_size[4]["ci_method"] == "tango"  # right or wrong by item


def test_the_majority_of_recorded_answers_is_what_is_counted_by_hand(four: Bench) -> None:
    found = result(four, "--repeats", "4")["over_repeats"]["majority"]
    # f0 of the base is a tie that the right answer opened, f2 of the candidate one that the wrong answer opened.
    assert sides(found) == (2 / 4, 3 / 4)


def test_the_variance_of_recorded_answers_is_what_is_counted_by_hand(four: Bench) -> None:
    found = result(four, "--repeats", "4")["over_repeats"]
    parts = found["variance"]
    # Within an item with c right of four: c (4 - c) / 12. Base: 4, 3, 0, 0; candidate: 3, 4, 4, 0 (twelfths).
    assert parts["base"]["within"] == pytest.approx(7 / 48)
    assert parts["candidate"]["within"] == pytest.approx(11 / 48)
    # Item means of the base in quarters: 2, 1, 0, 4; their mean 7/4, squares 1/16 + 9/16 + 49/16 + 81/16 = 140/16.
    assert parts["base"]["between"] == pytest.approx(140 / 16 / 16 / 3 - 7 / 48 / 4)
    # Differences in quarters: 1, 1, 2, 0; squared deviations from 1 sum to 2 quarters squared.
    assert parts["delta"]["se"] ** 2 == pytest.approx(2 / 16 / 3 / 4)
    # The draws alone, (7 + 11) / 48 / 16, would be more than that: all of it is theirs.
    assert parts["delta"]["se_repeats"] == parts["delta"]["se"]
    assert found["narrows"] == "repeats"


def test_the_mean_and_its_interval_are_those_of_item_means_whatever_else_is_shown(four: Bench) -> None:
    found = result(four, "--repeats", "4")
    (first, *_) = found["over_repeats"]["pass_at"]
    assert (found["base"], found["candidate"]) == pytest.approx((7 / 16, 11 / 16))
    assert found["ci"] == pytest.approx(first["ci"])


def test_fewer_repeats_than_recorded_count_the_first(four: Bench) -> None:
    found = result(four, "--repeats", "2")["over_repeats"]
    assert [one["k"] for one in found["pass_at"]] == [1, 2]
    assert sides(found["pass_at"][1]) == (2 / 4, 3 / 4)


def test_an_item_with_a_failed_repeat_is_left_out_and_counted(four: Bench) -> None:
    record(four, "candidate", {**CANDIDATE, "f1": "RW-R"})
    found = result(four, "--repeats", "4")
    assert (found["n"], found["missing"]) == (3, {"base": 0, "candidate": 1})
    assert sides(found["over_repeats"]["pass_at"][-1]) == (2 / 3, 1.0)


def test_one_answer_to_each_item_leaves_the_json_as_it_was(four: Bench) -> None:
    found = result(four)
    assert "over_repeats" not in found
    assert "answers to each item" not in four.compare().out


def test_answers_that_the_gold_answer_sorts_have_no_majority(four: Bench) -> None:
    """`contains` extracts an accepted answer or everything: all right answers would be one, each wrong one another."""
    suite(four, "contains", "contains")
    found = result(four, "--repeats", "4")["over_repeats"]
    assert found["majority"] is None
    assert sides(found["pass_at"][0]) == pytest.approx((7 / 16, 11 / 16))


def test_answers_that_hold_nothing_have_no_majority(four: Bench) -> None:
    suite(four, r"{regex: {pattern: '(\\d+)'}}".replace("\\\\", "\\"), "regex")
    found = result(four, "--repeats", "4")["over_repeats"]
    assert found["majority"] is None
    assert sides(found["pass_at"][-1]) == (0.0, 0.0)
    assert found["narrows"] is None


def test_a_metric_between_0_and_1_has_its_variance_and_no_pass_at_k(four: Bench) -> None:
    suite(four, "chrf", "chrf")
    found = result(four, "--repeats", "4")["over_repeats"]
    assert (found["pass_at"], found["majority"]) == ([], None)
    assert found["variance"]["base"]["within"] > 0.0


def test_the_report_shows_repeats_in_every_format_and_both_languages(four: Bench) -> None:
    shown = four.compare("--repeats", "4", "--markdown", "out.md", "--html", "out.html").out
    assert "Over 4 answers to each item" in shown
    assert "58.3% → 91.7%" in shown
    assert "majority@4" in shown
    assert "more repeats would narrow the interval" in " ".join(shown.split())
    text = (four.folder / "out.md").read_text()
    assert "| facts | pass&#64;\u20602 | 58.3% → 91.7% |" in text
    assert "more repeats would narrow the interval" in text
    page = (four.folder / "out.html").read_text()
    for part in ("Over 4 answers to each item", "pass@2", "58.3% → 91.7%", "多数票@4", "增加重复次数能缩窄区间"):
        assert part in page
    chinese = four.compare("--repeats", "4", "--lang", "zh").out
    assert "每题 4 次回答" in chinese
    assert "多数票@4" in chinese


def test_a_stored_comparison_shows_its_repeats_again(four: Bench) -> None:
    four.compare("--repeats", "4", "--json", "out.json")
    shown = four("gate", "out.json").out
    assert "Over 4 answers to each item" in shown


def test_an_item_that_lost_shows_an_answer_that_was_lost(four: Bench) -> None:
    """Both sides began with the right answer; what is shown beside each other must differ."""
    record(four, "base", {**BASE, "f3": "RRRR"})
    record(four, "candidate", {**CANDIDATE, "f3": "RRQR"})
    shown = four.compare("--repeats", "4").out
    lost = shown[shown.index("Lost:") : shown.index("Conclusion")]
    assert "facts f3" in lost
    assert [line.split() for line in lost.splitlines() if "candidate" in line][-1] == ["base", "R", "candidate", "Q"]
