"""Open questions of public sets, answered and judged from end to end with a scripted judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli import main
from tests.engines.endpoint.server import Reply, chat, question, serving
from tests.judge.answers import JUDGE, one, sides

MODELS = Path(__file__).resolve().parents[2] / "harness" / "demo" / "models"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    entries = {"base": {"model": str(MODELS / "base")}}
    entries["lora"] = {"base": "base", "adapter": str(MODELS / "lora_model_medical")}
    Path("harness.yaml").write_text(yaml.safe_dump({"candidates": entries}))
    return tmp_path


def imported(source: Path, columns: str) -> int:
    """As a gold set of open questions; returns how many."""
    asked = ["goldset", "import", str(source), "--map", f"{columns},open=true", "--as", "asked", "--licence", "as told"]
    assert main(asked) == 0
    return len(Path("goldsets/asked.jsonl").read_text().splitlines())


def suite(*scorers: str) -> str:
    scored = list(scorers) or ["answered"]
    task = {
        "name": "asked",
        "role": "guard",
        "goldset": "asked",
        "scorers": scored,
        "primary": scored[0],
        "margin": 0.02,
    }
    Path("asked.yaml").write_text(yaml.safe_dump({"name": "asked", "tasks": [task]}))
    return "asked.yaml"


def compared(*more: str) -> str:
    assert main(["compare", *more, "--suite", suite(), "--json", "c.json"]) in (0, 3)
    return str(json.loads(Path("c.json").read_text())["id"])


def longer(body: dict[str, Any], nth: int) -> Reply:
    """Prefers the longer answer."""
    first, second = sides(body)
    return chat(
        f"Verdict: {'tie' if len(first) == len(second) else 'A' if len(first) > len(second) else 'B'}", model="judge"
    )


def by_length(body: dict[str, Any], nth: int) -> Reply:
    """Scores an answer by its length."""
    score = min(5, 1 + len(one(body)) // 40)
    return chat(json.dumps({"correctness": score, "instruction": score, "clarity": 3}), model="judge")


@pytest.mark.parametrize(
    ("source", "columns", "count", "shown"),
    [
        ("mt_bench/question.jsonl", "id=question_id,question=turns.0,metadata.topic=category", 80, ""),
        ("pandalm/testset-inference-v1.json", "question=instruction+input,metadata.topic=motivation_app", 170, ""),
        ("medical_sft/huatuo/question.json", "question=question,metadata.topic=ICD-10", 200, "两个回答"),
    ],
)
def test_live_answers_to_open_questions_are_judged(
    shared_data: Path, source: str, columns: str, count: int, shown: str
) -> None:
    assert imported(shared_data / source, columns) == count
    comparison = compared("base", "lora", "--engine", "transformers", "--limit", "8")
    with serving(longer, models=JUDGE) as server:
        assert main(["judge", "pairwise", comparison, "--judge", f"openai:judge@{server.url}", "--json", "j.json"]) == 0
        texts = [question(body) for body in server.bodies]
    found = json.loads(Path("j.json").read_text())
    (task,) = found["tasks"]
    assert task["n"] == 8
    assert task["wins"] + task["losses"] + task["ties"] == 8
    assert found["reference"] is False
    assert not any("<<<reference" in text for text in texts), "there is no gold answer to show"
    assert all(shown in text for text in texts)
    with serving(by_length, models=JUDGE) as server:
        assert main(["judge", "rubric", comparison, "--judge", f"openai:judge@{server.url}", "--json", "j.json"]) == 0
    (task,) = json.loads(Path("j.json").read_text())["tasks"]
    assert task["n"] == 8
    assert {one["name"] for one in task["measures"]} == {"correctness", "instruction", "clarity", "overall"}
    assert main(["judge", "label", comparison, "--output", "sheet.jsonl", "--items", "8"]) == 0
    assert "reference" not in json.loads(Path("sheet.jsonl").read_text().splitlines()[0])


def test_recorded_answers_of_alpaca_eval_are_judged(shared_data: Path) -> None:
    """805 questions with the answers of two models, and a judge that likes length."""
    folder = shared_data / "alpaca_eval"
    imported(folder / "example_outputs.json", "question=instruction,metadata.topic=dataset")
    ids = {row["question"]: row["id"] for row in map(json.loads, Path("goldsets/asked.jsonl").read_text().splitlines())}
    for name, file in (("example", "example_outputs.json"), ("concise", "alpaca-7b_concise.model_outputs.json")):
        rows = {
            ids[row["instruction"].strip()]: row["output"]
            for row in json.loads((folder / file).read_text())
            if row["instruction"].strip() in ids
        }
        lines = [json.dumps({"item_id": key, "output": output}) for key, output in rows.items()]
        Path(f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    comparison = compared("replay:example.jsonl", "replay:concise.jsonl")

    def mostly_longer(body: dict[str, Any], nth: int) -> Reply:
        """On a quarter of the pairs the shorter one, so that length does not decide everything."""
        first, second = sides(body)
        better = len(first) > len(second) if (len(first) + len(second)) % 4 else len(first) < len(second)
        return chat(f"Verdict: {'tie' if len(first) == len(second) else 'A' if better else 'B'}", model="judge")

    with serving(mostly_longer, models=JUDGE) as server:
        assert main(["judge", "pairwise", comparison, "--judge", f"openai:judge@{server.url}", "--json", "j.json"]) == 0
    found = json.loads(Path("j.json").read_text())
    (task,) = found["tasks"]
    assert (task["n"], task["unscored"], found["left_out"]) == (804, 0, 1), "one model left one question out"
    assert task["wins"] + task["ties"] + task["losses"] == 804
    assert task["inconsistent"] == 0
    assert task["position"]["bias"] == 0.0
    controlled = task["length_controlled"]
    assert controlled["rate"] == pytest.approx(0.5, abs=0.1), "beyond length this judge has no preference"
    assert controlled["ci"][0] < 0.5 < controlled["ci"][1]


@pytest.mark.parametrize("scorer", ["exact", "rouge", "number", "contains"])
def test_a_scorer_that_compares_refuses_open_questions(capsys: pytest.CaptureFixture[str], scorer: str) -> None:
    Path("goldsets").mkdir()
    lines = [{"id": "a", "question": "2+2?", "answer": "4"}, {"id": "b", "question": "为什么？", "answer": []}]
    Path("goldsets/asked.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main(["compare", "base", "lora", "--suite", suite("answered", scorer), "--engine", "transformers"]) == 2
    error = capsys.readouterr().err
    assert f"1 of 2 items have no 'answer', which the scorer {scorer} of task 'asked' compares with" in error
    assert "item 'b'" in error


def test_open_questions_cannot_be_graded_against_gold_answers(capsys: pytest.CaptureFixture[str]) -> None:
    Path("goldsets").mkdir()
    Path("goldsets/asked.jsonl").write_text(json.dumps({"id": "b", "question": "为什么？", "answer": []}) + "\n")
    for name in ("x", "y"):
        Path(f"{name}.jsonl").write_text(json.dumps({"item_id": "b", "output": name}) + "\n")
    comparison = compared("replay:x.jsonl", "replay:y.jsonl")
    assert main(["judge", "reference", comparison, "--judge", "base", "--engine", "transformers"]) == 2
    assert "1 of 1 items have no gold answer to grade against" in capsys.readouterr().err
    assert main(["judge", "label", comparison, "--mode", "reference", "--output", "s.jsonl"]) == 2


def test_a_set_of_open_questions_is_checked(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imported(shared_data / "medical_sft/huatuo/question.json", "question=question,metadata.topic=ICD-10")
    capsys.readouterr()
    assert main(["goldset", "check", "goldsets/asked.jsonl", "--json", "found.json"]) in (0, 1)
    codes = {one["code"] for one in json.loads(Path("found.json").read_text())["findings"]}
    assert not codes & {"trivial-answer", "contradicting-answers", "short-answer", "majority-answer"}


def test_without_saying_so_questions_need_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("q.json").write_text(json.dumps([{"ask": "为什么？", "topic": "x"}]))
    assert main(["goldset", "import", "q.json", "--map", "question=ask", "--as", "asked"]) == 2
    assert "open: true" in capsys.readouterr().err


def test_a_forgotten_answer_is_no_open_question(capsys: pytest.CaptureFixture[str]) -> None:
    Path("goldsets").mkdir()
    Path("goldsets/asked.jsonl").write_text(json.dumps({"id": "b", "question": "为什么？"}) + "\n")
    assert main(["goldset", "show", "goldsets/asked.jsonl"]) == 2
    assert "the key 'answer' is missing" in capsys.readouterr().err


def test_an_empty_answer_is_no_open_question(capsys: pytest.CaptureFixture[str]) -> None:
    Path("goldsets").mkdir()
    Path("goldsets/asked.jsonl").write_text(json.dumps({"id": "b", "question": "为什么？", "answer": " "}) + "\n")
    assert main(["goldset", "show", "goldsets/asked.jsonl"]) == 2
    assert "'answer' is empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("output", "value"), [("胃炎。", 1.0), ("", 0.0), (" \n", 0.0), ("无", 0.0), ("……", 0.0), ("N/A", 0.0), ("0", 1.0)]
)
def test_answered(output: str, value: float) -> None:
    from harness.gold.item import Item
    from harness.scorers.registry import make_scorer

    (score,) = make_scorer("answered").score(Item(id="x", question="?", answer=()), output)
    assert score.value == value
