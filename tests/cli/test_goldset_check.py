"""`harness goldset check`: what it says, what it writes, and with which code it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.report.worth import smallest_difference
from tests.cli.conftest import Bench

BAD = [
    {"id": "a", "question": "What is 1+1?", "answer": "two"},
    {"id": "b", "question": "What is 1+1?", "answer": "two"},
    {"id": "c", "question": "What is 1+1?", "answer": "three"},
    {"id": "d", "question": "Is aspirin a drug or a food?", "answer": "drug"},
    {"id": "e", "question": "Tell me about heartburn.", "answer": "?"},
    {"id": "f", "question": "阿司匹林属于哪一类药物？", "answer": "<script>alert(1)</script>"},
]
CARD = """\
name: {name}
purpose: test
authorship: test
licence: CC0
languages: [en]
digest: {digest}
"""


def findings(bench: Bench, name: str) -> dict[str, dict[str, Any]]:
    return {f["code"]: f for f in json.loads((bench.folder / name).read_text())["findings"]}


def clean(bench: Bench) -> None:
    """facts.jsonl with a card that fits."""
    digest = json.loads(bench("goldset", "check", "facts.jsonl", "--json", "-").out)["digest"]
    bench.write("facts.yaml", CARD.format(name="facts", digest=digest))


def test_errors_end_with_1_and_everything_is_in_the_json(bench: Bench) -> None:
    bench.gold("bad.jsonl", BAD)
    result = bench("goldset", "check", "bad.jsonl", "--json", "out.json")
    found = findings(bench, "out.json")
    assert result.code == 1
    assert found["contradiction"]["items"] == ["a", "b", "c"]
    assert found["contradiction"]["severity"] == "error"
    assert found["contradiction"]["remedy"]
    assert [quote["where"] for quote in found["contradiction"]["evidence"][0]["quotes"]] == ["a", "b", "c"]
    assert found["duplicate"]["items"] == ["a", "b"]
    assert found["trivial-answer"]["items"] == ["e"]
    assert "leaked-answer" not in found  # a question may offer its answers
    assert "no card" in found["no-card"]["what"]
    assert "too-few-items" in found  # three independent items: no difference can be shown
    assert "different answers" in result.out


def test_warnings_end_with_0_and_strict_makes_them_count(bench: Bench) -> None:
    found = json.loads(bench("goldset", "check", "facts.jsonl", "--json", "-").out)["findings"]
    assert {finding["severity"] for finding in found} >= {"warning"}
    assert "error" not in {finding["severity"] for finding in found}
    assert bench("goldset", "check", "facts.jsonl").code == 0
    assert bench("goldset", "check", "facts.jsonl", "--strict").code == 1


def test_info_alone_is_no_fault_even_when_strict(bench: Bench) -> None:
    bench.gold(
        "fine.jsonl",
        [{"id": f"i{i}", "question": f"How much is {i} and {i * i}?", "answer": str(i + i * i)} for i in range(400)],
    )
    digest = json.loads(bench("goldset", "check", "fine.jsonl", "--json", "-").out)["digest"]
    bench.write("fine.yaml", CARD.format(name="fine", digest=digest))
    result = bench("goldset", "check", "fine.jsonl", "--strict", "--json", "out.json")
    assert {f["severity"] for f in findings(bench, "out.json").values()} == {"info"}
    assert result.code == 0


def test_bad_input_ends_with_2_and_writes_nothing(bench: Bench) -> None:
    before = bench.files()
    assert bench("goldset", "check", "nowhere").code == 2
    assert bench("goldset", "check", "facts.jsonl", "--near", "0.2").code == 2
    missing = bench("goldset", "check", "facts.jsonl", "--against", "nowhere.jsonl", "--json", "out.json")
    assert missing.code == 2
    assert "nowhere.jsonl" in missing.err
    bench.write("broken.jsonl", '{"question": "a"}\n{"question": \n')
    broken = bench("goldset", "check", "facts.jsonl", "--against", "broken.jsonl", "--json", "out.json")
    assert broken.code == 2
    assert "broken.jsonl:2" in broken.err
    assert bench.files() - before == {"broken.jsonl"}


def test_training_data_is_searched_and_shown_beside_the_item(bench: Bench) -> None:
    question = "What do patients with a peanut allergy have to avoid when they travel by plane abroad?"
    bench.gold("gold.jsonl", [{"id": "g", "question": question, "answer": "peanuts"}])
    bench.gold("train.jsonl", [{"messages": [{"role": "user", "content": question.upper()}]}])
    bench.gold("more.jsonl", [{"instruction": "Say hello.", "output": "Hello."}])
    given = ("goldset", "check", "gold.jsonl", "--against", "more.jsonl", "--against", "train.jsonl")
    result = bench(*given, "--json", "out.json", "--html", "out.html")
    found = findings(bench, "out.json")["train-verbatim"]
    assert result.code == 1
    assert [quote["where"] for quote in found["evidence"][0]["quotes"]] == ["g", "train.jsonl, row 1"]
    assert "train.jsonl, row 1" in (bench.folder / "out.html").read_text()


def test_the_report_speaks_chinese(bench: Bench) -> None:
    bench.gold("bad.jsonl", BAD)
    result = bench("goldset", "check", "bad.jsonl", "--lang", "zh")
    assert "同一道题有不同的答案" in result.out
    assert "这些题能看出多大的差异" in result.out


def test_what_is_wrong_with_a_card_is_told_in_chinese(bench: Bench) -> None:
    bench.gold("bad.jsonl", BAD[3:])
    assert "没有说明卡" in bench("goldset", "check", "bad.jsonl", "--lang", "zh").out
    card = CARD.format(name="bad", digest="a" * 64).replace("CC0", "unknown")
    bench.write("bad.yaml", f"{card}items: 9\n")
    shown = bench("goldset", "check", "bad.jsonl", "--lang", "zh").out
    for text in ("题目与说明卡上的摘要不符", "说明卡写着 9 道题，文件里有 3 道", "说明卡没有写许可"):
        assert text in shown
    assert "the card" not in shown
    bench.write("bad.yaml", card.replace(f"digest: {'a' * 64}\n", ""))
    assert "说明卡没有写摘要" in bench("goldset", "check", "bad.jsonl", "--lang", "zh").out


def test_json_on_stdout_is_alone_there(bench: Bench) -> None:
    result = bench("goldset", "check", "facts.jsonl", "--json", "-")
    assert json.loads(result.out)["items"] == 40
    assert "facts" in result.err


def test_the_worth_of_the_set_and_of_each_tier_is_told(bench: Bench) -> None:
    found = json.loads(bench("goldset", "check", "facts.jsonl", "--json", "-").out)
    whole, easy, hard = found["worth"]
    assert (whole["tier"], easy["tier"], hard["tier"]) == ("", "easy", "hard")
    assert 0.1 < whole["smallest"]["0.1"] < whole["smallest"]["0.4"] < easy["smallest"]["0.4"] < 0.8
    assert found["counts"] == {"-": {"easy": 20, "hard": 20}}


def test_items_of_one_cluster_count_once(bench: Bench) -> None:
    rows = [
        {"id": f"i{i}", "question": f"Question number {i}, please?", "answer": f"answer {i}", "cluster": f"c{i % 10}"}
        for i in range(100)
    ]
    bench.gold("clustered.jsonl", rows)
    found = json.loads(bench("goldset", "check", "clustered.jsonl", "--json", "-").out)
    assert (found["items"], found["units"], found["clusters"]) == (100, 10, 10)
    assert found["worth"][0]["smallest"]["0.1"] == smallest_difference(10, 0.1)


def test_more_items_show_smaller_differences() -> None:
    few, many = smallest_difference(100, 0.2), smallest_difference(10_000, 0.2)
    assert few is not None
    assert many is not None
    assert many < few / 5
    assert smallest_difference(4, 0.2) is None


@pytest.mark.parametrize("name", ["arithmetic-mini", "general-retention", "medical-qa", "tcm", "tcm-choice"])
def test_the_gold_sets_that_come_with_the_package_have_no_errors(bench: Bench, name: str) -> None:
    assert bench("goldset", "check", name).code == 0
