"""Verdicts as JSON where a server can be held to it; where it cannot, its words are read as ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.judge.reading import read_choice, read_grade, read_scores
from tests.engines.endpoint.server import Reply, Script, chat, failed, serving
from tests.judge.answers import JUDGE, RIGHT, fair, gold, make_comparison, one, sides, wrong

ITEMS = 12


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    make_comparison(ITEMS, wrong, lambda n: RIGHT.format(n=n))
    return tmp_path


def judge(mode: str, script: Script, *more: str) -> list[dict[str, Any]]:
    comparison = json.loads(Path("c.json").read_text())["id"]
    with serving(script, models=JUDGE) as server:
        assert (
            main(["judge", mode, comparison, "--judge", f"openai:judge@{server.url}", "--json", "j.json", *more]) == 0
        )
        return list(server.bodies)


def task() -> dict[str, Any]:
    (found,) = json.loads(Path("j.json").read_text())["tasks"]
    return dict(found)


def schema(body: dict[str, Any]) -> dict[str, Any]:
    assert body["response_format"]["type"] == "json_schema"
    return dict(body["response_format"]["json_schema"]["schema"])


def in_json(body: dict[str, Any], nth: int) -> Reply:
    """A server that holds its model to the schema, and a judge whose reasons name both verdicts."""
    first, _ = sides(body)
    verdict = "A" if gold(body) in first else "B"
    return chat(json.dumps({"reason": 'Not "Verdict: tie", nor [[tie]].', "verdict": verdict}), model="judge")


def test_a_server_is_asked_for_json_and_its_verdict_is_read() -> None:
    bodies = judge("pairwise", in_json)
    assert all(schema(body)["properties"]["verdict"] == {"enum": ["A", "B", "tie"]} for body in bodies)
    assert list(schema(bodies[0])["properties"]) == ["reason", "verdict"], "reasons come before the verdict"
    assert (task()["wins"], task()["unscored"]) == (ITEMS, 0)


@pytest.mark.parametrize("mode", ["reference", "rubric"])
def test_grades_have_a_schema_of_their_own(mode: str) -> None:
    def script(body: dict[str, Any], nth: int) -> Reply:
        right = gold(body) in one(body)
        said = {"reason": "…", **(
            {"grade": "correct" if right else "wrong"}
            if mode == "reference"
            else dict.fromkeys(("correctness", "instruction", "clarity"), 5 if right else 1)
        )}  # fmt: skip
        return chat(json.dumps(said), model="judge")

    properties = schema(judge(mode, script)[0])["properties"]
    if mode == "reference":
        assert properties["grade"] == {"enum": ["wrong", "partly", "correct"]}
    else:
        assert properties["clarity"] == {"enum": [1, 2, 3, 4, 5]}
    assert task()["measures"][0]["preferred"] == "candidate"
    assert task()["unscored"] == 0


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (400, "response_format of type json_schema is not supported"),
        (422, "Extra fields not permitted"),
        (501, "grammar: not implemented"),
    ],
)
def test_a_server_that_cannot_is_asked_again_without(code: int, says: str) -> None:
    def script(body: dict[str, Any], nth: int) -> Reply:
        if "response_format" in body:
            return Reply(status=code, content={"error": {"message": says}})
        return fair(body)

    bodies = judge("pairwise", script)
    held = sum("response_format" in body for body in bodies)
    assert 1 <= held < len(bodies) / 2, "not every question learns it anew"
    assert len(bodies) - held == 2 * ITEMS
    assert (task()["wins"], task()["unscored"]) == (ITEMS, 0)


def test_another_refusal_is_no_reason_to_ask_again() -> None:
    def script(body: dict[str, Any], nth: int) -> Reply:
        return failed(400) if "第7题" in body["messages"][-1]["content"] else in_json(body, nth)

    bodies = judge("pairwise", script)
    assert all("response_format" in body for body in bodies)
    assert task()["unscored"] == 1


def test_a_server_that_ignores_it_is_read_as_ever() -> None:
    judge("pairwise", fair)
    assert (task()["wins"], task()["unscored"]) == (ITEMS, 0)


def test_it_can_be_switched_off() -> None:
    assert not any("response_format" in body for body in judge("pairwise", fair, "--no-structured"))


def test_json_that_was_cut_off_is_no_verdict() -> None:
    assert read_choice('{"reason": "A is better because') == "unparsed"
    assert read_grade('{"reason": "correct in part') is None
    assert read_scores('{"reason": "x", "clarity": 5, "tone', ("clarity", "tone")) is None
