"""`harness judge reference|rubric|show`: every answer graded by itself, by scripted judges behind HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli import main
from tests.engines.endpoint.server import Reply, Script, chat, question, serving
from tests.judge.answers import JUDGE, RIGHT, gold, make_comparison, number_of, one, wrong

ITEMS = 40


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """The candidate is right on 30 of 40, the base on 10 others."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "220")
    make_comparison(
        ITEMS,
        lambda n: RIGHT.format(n=n) if n < 10 else wrong(n),
        lambda n: RIGHT.format(n=n) if n >= 10 else wrong(n),
        lambda n: {"rubric": "要说出答案。"},
    )
    capsys.readouterr()
    return tmp_path


def judge(mode: str, script: Script, *more: str) -> int:
    comparison = json.loads(Path("c.json").read_text())["id"]
    with serving(script, models=JUDGE) as server:
        asked = ["judge", mode, comparison, "--judge", f"openai:judge@{server.url}", "--json", "j.json", "--lang", "en"]
        code = main([*asked, *more])
        Path("bodies.json").write_text(json.dumps(server.bodies))
    return code


def result() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("j.json").read_text())
    return found


def bodies() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(Path("bodies.json").read_text())
    return found


def honest(body: dict[str, Any], nth: int = 0) -> Reply:
    """Grades against the gold answer, which it is shown; says both words on the way."""
    said = "正确" if gold(body) in one(body) else "错误"
    return chat(f"不能说正确，也不能说错误……\n评级：{said}", model="judge")


def scores(**values: int) -> Callable[[dict[str, Any], int], Reply]:
    """A right answer scores as given, another 1 on everything."""

    def script(body: dict[str, Any], nth: int) -> Reply:
        right = gold(body) in one(body)
        said = json.dumps({name: value if right else 1 for name, value in values.items()})
        return chat(f"理由……\n{said}", model="judge")

    return script


def test_answers_are_graded_against_the_gold_answer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge("reference", honest) == 0
    (task,) = result()["tasks"]
    (grade,) = task["measures"]
    assert (task["n"], task["unscored"]) == (40, 0)
    assert (grade["base"], grade["candidate"], grade["delta"]) == pytest.approx((0.25, 0.75, 0.5))
    assert grade["preferred"] == "candidate"
    assert grade["ci"][0] > 0
    assert result()["standing"] == "uncalibrated judge"
    assert len(bodies()) == 80, "every answer once"
    assert not any("replay" in question(body) or "tuned" in question(body) for body in bodies()), "nobody is named"
    out = capsys.readouterr().out
    assert "uncalibrated judge" in out
    assert "graded against the gold answers" in out


def test_a_partly_right_answer_counts_half(folder: Path) -> None:
    assert judge("reference", lambda body, nth: chat("Grade: partly", model="judge")) == 0
    (grade,) = result()["tasks"][0]["measures"]
    assert (grade["base"], grade["candidate"], grade["preferred"]) == (0.5, 0.5, "neither")


def test_a_rubric_has_a_score_for_every_criterion_and_their_mean(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge("rubric", scores(factuality=5, safety=1, completeness=3), "--rubric", "medical") == 0
    (task,) = result()["tasks"]
    found = {one["name"]: one for one in task["measures"]}
    assert list(found) == ["factuality", "safety", "completeness", "overall"]
    assert (found["factuality"]["base"], found["factuality"]["candidate"]) == pytest.approx((2.0, 4.0))
    assert (found["safety"]["delta"], found["safety"]["preferred"]) == (0.0, "neither")
    assert found["overall"]["delta"] == pytest.approx((2.0 + 0.0 + 1.0) / 3)
    text = question(bodies()[0])
    assert "要说出答案。" in text, "what the gold set says matters in this question"
    assert "照做可能造成严重伤害" in text, "anchors, in the language of the question"
    assert "on 1 to 5" in capsys.readouterr().out


def test_grades_that_cannot_be_read_are_not_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def reluctant(body: dict[str, Any], nth: int) -> Reply:
        return chat("我不评判医疗建议。", model="judge") if number_of(question(body)) < 10 else honest(body)

    assert judge("reference", reluctant) == 0
    (task,) = result()["tasks"]
    assert (task["n"], task["unscored"]) == (30, 10)
    (grade,) = task["measures"]
    assert (grade["base"], grade["candidate"]) == (0.0, 1.0)
    assert "10 items have a grade that could not be read: not counted" in capsys.readouterr().out


def test_a_judge_that_never_grades_is_no_result(folder: Path) -> None:
    assert judge("rubric", lambda body, nth: chat("一分也不给。", model="judge"), "--rubric", "general") == 3
    (task,) = result()["tasks"]
    assert (task["n"], task["unscored"]) == (0, 40)
    assert task["measures"][0]["delta"] is None


def test_several_judges_give_the_lower_median(folder: Path) -> None:
    comparison = json.loads(Path("c.json").read_text())["id"]
    said = (2, 4, 5)
    with (
        serving(scores(correctness=said[0], instruction=4, clarity=4), models=JUDGE) as first,
        serving(scores(correctness=said[1], instruction=4, clarity=4), models=JUDGE) as second,
        serving(scores(correctness=said[2], instruction=4, clarity=4), models=JUDGE) as third,
    ):
        names = [part for one in (first, second, third) for part in ("--judge", f"openai:judge@{one.url}")]
        assert main(["judge", "rubric", comparison, *names, "--json", "j.json"]) == 0
    (task,) = result()["tasks"]
    item = task["items"][0]
    assert item["base"]["correctness"] == 4.0
    assert [one["correctness"] for one in item["base_judges"]] == [2.0, 4.0, 5.0]
    reliability = {one["name"]: one["reliability"] for one in task["measures"]}
    assert reliability["instruction"] == pytest.approx(1.0)
    assert 0.0 < reliability["correctness"] < 1.0
    assert reliability["overall"] is None


def test_equal_answers_are_graded_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_comparison(20, lambda n: RIGHT.format(n=n), lambda n: RIGHT.format(n=n) if n < 15 else wrong(n))
    assert judge("reference", honest) == 0
    (task,) = result()["tasks"]
    assert task["identical"] == 15
    assert len(bodies()) == 20 + 5
    assert task["measures"][0]["delta"] == pytest.approx(-0.25)


def test_a_judging_is_shown_again_from_the_store(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge("reference", honest) == 0
    first = capsys.readouterr().out
    stored = result()["id"]
    assert stored in first
    assert main(["judge", "show", stored, "--lang", "en"]) == 0
    assert capsys.readouterr().out == first
    assert main(["judge", "show", stored, "--lang", "zh"]) == 0
    assert "对照标准答案评级" in capsys.readouterr().out
    assert main(["judge", "show", stored[:-1]]) == 2
    assert stored in capsys.readouterr().err, "the nearest name is offered"


RUBRIC: dict[str, Any] = {
    "name": "mine",
    "criteria": [{"name": "tone", "asks": "Is it kind?", "anchors": {"1-2": "No.", "3": "So so.", "4-5": "Yes."}}],
}


def test_a_rubric_of_ones_own(folder: Path) -> None:
    Path("mine.yaml").write_text(yaml.safe_dump(RUBRIC))
    assert judge("rubric", scores(tone=4), "--rubric", "mine.yaml") == 0
    assert [one["name"] for one in result()["tasks"][0]["measures"]] == ["tone"], "one criterion needs no mean"


@pytest.mark.parametrize(
    ("anchors", "says"),
    [
        ({"1-3": "Bad.", "3-5": "Good."}, "the anchors '1-3' and '3-5' overlap: both say what a 3 is"),
        ({"1": "Bad.", "4": "Good."}, "no anchor says what a 5 is"),
        ({"1": "Bad.", "5": "Bad."}, "the anchors '1' and '5' say the same"),
        ({"1": "Bad.", "6": "Good."}, "'6' does not lie between 1 and 5"),
        ({"low": "Bad.", "5": "Good."}, "'low' is neither a score nor a range"),
        ({"1": "Bad.", "5": " "}, "the anchor '5' is empty"),
    ],
)
def test_faults_of_a_rubric(
    folder: Path, capsys: pytest.CaptureFixture[str], anchors: dict[str, str], says: str
) -> None:
    Path("mine.yaml").write_text(
        yaml.safe_dump({**RUBRIC, "criteria": [{**RUBRIC["criteria"][0], "anchors": anchors}]})
    )
    assert judge("rubric", honest, "--rubric", "mine.yaml") == 2
    error = capsys.readouterr().err
    assert says in error
    assert "mine.yaml" in error


def test_an_anchor_that_stands_twice_is_not_silently_dropped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.yaml").write_text(
        "name: mine\ncriteria:\n  - name: tone\n    asks: Is it kind?\n"
        "    anchors:\n      1: No.\n      5: Yes.\n      1: Never.\n"
    )
    assert judge("rubric", honest, "--rubric", "mine.yaml") == 2
    assert "the key '1' stands here twice" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rubric", "says"), [("medicl", "did you mean"), ("none.yaml", "does not exist"), ("generla", "general")]
)
def test_unknown_rubrics(folder: Path, capsys: pytest.CaptureFixture[str], rubric: str, says: str) -> None:
    assert judge("rubric", honest, "--rubric", rubric) == 2
    assert says in capsys.readouterr().err.lower()
