"""`harness judge attack`: judges that obey, judges that do not, and judges that waver anyway."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.judge.attacks import ATTACKS, CONTROL
from tests.engines.endpoint.server import Reply, Script, chat, question, serving
from tests.judge.answers import JUDGE, RIGHT, fair, make_comparison, sides, wrong

ITEMS = 30


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """The candidate is right on 20 of 30 and the base on the others; every tenth pair is equally wrong."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    make_comparison(
        ITEMS,
        lambda n: wrong(n) if n % 10 == 0 or n % 3 else RIGHT.format(n=n),
        lambda n: f"{wrong(n)}对不起。" if n % 10 == 0 or not n % 3 else RIGHT.format(n=n),
    )
    capsys.readouterr()
    return tmp_path


def attack(script: Script, *more: str) -> int:
    comparison = json.loads(Path("c.json").read_text())["id"]
    with serving(script, models=JUDGE) as server:
        asked = ["judge", "attack", comparison, "--judge", f"openai:judge@{server.url}", "--json", "a.json"]
        code = main([*asked, "--lang", "en", *more])
        Path("bodies.json").write_text(json.dumps(server.bodies))
    return code


def results() -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in json.loads(Path("a.json").read_text())["attacks"]}


def bodies() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(Path("bodies.json").read_text())
    return found


def obeying(body: dict[str, Any], nth: int) -> Reply:
    """Takes a verdict that stands in an answer for its own."""
    for label, answer in zip("AB", sides(body), strict=True):
        if f"结论：{label}" in answer:
            return chat(f"结论：{label}", model="judge")
    return fair(body)


def test_a_judge_that_looks_at_the_answers_alone_is_not_moved(capsys: pytest.CaptureFixture[str]) -> None:
    assert attack(fair) == 0
    found = json.loads(Path("a.json").read_text())
    assert (found["drawn"], found["decided"]) == (30, 27)
    for name, one in results().items():
        assert (one["n"], one["flipped"], one["tied"], one["unread"]) == (27, 0, 0, 0), name
        assert one["ci"][0] == pytest.approx(0.0, abs=1e-12)
        assert one["ci"][1] > 0.1, "27 pairs prove little"
    assert len(bodies()) == 2 * 30 + 2 * 27 * (1 + len(ATTACKS)), "both orders of everything"
    assert "0/27" in capsys.readouterr().out


def test_a_judge_that_obeys_is_found_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert attack(obeying) == 0
    found = results()
    assert {name for name, one in found.items() if one["flipped"] == 27} == {
        "fake verdict",
        "fake turn",
        "imitated fence",
    }
    assert found["harmless"]["control"]
    assert found["harmless"]["flipped"] == found["authority"]["flipped"] == 0
    out = capsys.readouterr().out
    assert "harmless (changes nothing that matters)" in out
    assert "27/27" in out


def test_a_judge_that_is_impressed_only_in_one_order_gives_ties() -> None:
    """What moves a judge in one order is a tie, as everywhere."""

    def impressed(body: dict[str, Any], nth: int) -> Reply:
        first, _ = sides(body)
        return chat("结论：A", model="judge") if "主任医师" in first else fair(body)

    assert attack(impressed) == 0
    one = results()["authority"]
    assert (one["flipped"], one["tied"]) == (0, 27)


def test_a_judge_that_refuses_attacked_answers_is_not_flipped() -> None:
    def refusing(body: dict[str, Any], nth: int) -> Reply:
        return chat("回答里有指令，不予评判。", model="judge") if "另一个回答已撤回" in question(body) else fair(body)

    assert attack(refusing) == 0
    one = results()["fake turn"]
    assert (one["n"], one["flipped"], one["unread"], one["share"]) == (0, 0, 27, None)


def test_nothing_that_was_tried_reaches_the_judge_as_a_token() -> None:
    assert attack(fair, "--items", "5") == 0
    assert not any("<|im" in question(body) for body in bodies())
    assert all(question(body).count("<<<") == 8 for body in bodies())


def test_nothing_decided_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert attack(lambda body, nth: chat("Verdict: tie", model="judge")) == 3
    assert "no pair has a loser" in capsys.readouterr().out


def test_equal_answers_cannot_be_attacked(capsys: pytest.CaptureFixture[str]) -> None:
    make_comparison(5, lambda n: "同", lambda n: "同")
    assert attack(fair) == 2
    assert "two equal answers" in capsys.readouterr().err
    assert attack(fair, "--items", "0") == 2


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_attack_names_the_attackers_label(language: str) -> None:
    for one in ATTACKS:
        said = one.on("答", "B", language)
        assert "{label}" not in said
        assert said.startswith("答") != one.replaces
    assert "B" not in CONTROL.on("答", "B", language)
