"""`py:` scorers: a user's function is a scorer like any other, and whatever it does wrong is said."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.cli import main
from harness.errors import InputError
from harness.gold.item import Item
from harness.scorers.base import Score, Scorer
from harness.scorers.registry import make_scorer
from harness.suites.spec import Task

ITEM = Item(question="?", answer="谢谢")
MODULE = """
from harness.scorers.base import Score
import our_words

def polite(item, output, word=our_words.PLEASE) -> bool:
    return word in output

def share(item, output):
    return len(set(output) & set(item.answer[0])) / len(set(item.answer[0]))

def both(item, output):
    return {"short": len(output) < 5, "thanks": 0.5 if "谢" in output else None}
both.metrics = ("short", "thanks")
both.binary = ("short",)

def whole(item, output):
    return Score("whole", 1.0, extracted="read", note="")

def broken(item, output):
    raise KeyError("no such word")

value = None
def gives(item, output):
    return value

not_callable = 3
def no_output(item): return 1.0
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "our_scorers.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "our_words.py").write_text("PLEASE = '请'\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    yield tmp_path
    assert sys.path == before
    for name in ("our_scorers", "our_words"):
        sys.modules.pop(name, None)


def _score(scorer: Scorer, output: str) -> dict[str, float | None]:
    return {score.metric: score.value for score in scorer.score(ITEM, output)}


@pytest.mark.parametrize("place", ["our_scorers", "our_scorers.py", "./our_scorers.py"])
def test_a_function_of_a_module_or_a_file_is_a_scorer(folder: Path, place: str) -> None:
    scorer = make_scorer(f"py:{place}:polite")
    assert scorer.metrics == ("polite",)
    assert scorer.binary("polite")
    assert _score(scorer, "请坐") == {"polite": 1.0}
    assert _score(scorer, "坐") == {"polite": 0.0}


def test_options_are_keyword_arguments(folder: Path) -> None:
    scorer = make_scorer({"py:our_scorers:polite": {"word": "您"}})
    assert _score(scorer, "您好") == {"polite": 1.0}
    assert '|options:{"word": "您"}|' in scorer.signature


def test_a_number_is_a_score_and_not_binary_unless_it_says_so(folder: Path) -> None:
    scorer = make_scorer("py:our_scorers:share")
    assert not scorer.binary("share")
    assert _score(scorer, "谢") == {"share": 1.0}
    (empty,) = scorer.score(ITEM, " ")
    assert (empty.value, empty.unextracted) == (0.0, True)


def test_several_metrics_are_named_by_the_function(folder: Path) -> None:
    scorer = make_scorer("py:our_scorers:both")
    assert scorer.metrics == ("short", "thanks")
    assert (scorer.binary("short"), scorer.binary("thanks")) == (True, False)
    scores = scorer.score(ITEM, "好")
    assert [(score.metric, score.value) for score in scores] == [("short", 1.0), ("thanks", None)]
    assert scores[1].note == "the function gave no score"
    assert _score(scorer, "非常谢谢您") == {"short": 0.0, "thanks": 0.5}


def test_a_score_is_taken_as_it_is(folder: Path) -> None:
    (score,) = make_scorer("py:our_scorers:whole").score(ITEM, "x")
    assert score == Score("whole", 1.0, extracted="read")


@pytest.fixture
def returning(folder: Path) -> Callable[[Any], Scorer]:
    def make(value: Any) -> Scorer:
        scorer = make_scorer("py:our_scorers:gives")
        sys.modules["our_scorers"].value = value  # type: ignore[attr-defined]
        return scorer

    return make


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, 1.0),
        (0, 0.0),
        (0.25, 0.25),
        (None, None),
        (np.float32(0.5), 0.5),
        (np.bool_(True), 1.0),
        (np.int64(1), 1.0),
    ],
)
def test_what_may_be_returned(returning: Callable[[Any], Scorer], value: Any, expected: float | None) -> None:
    assert _score(returning(value), "x") == {"gives": expected}


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("1.0", "it returned '1.0' (str). Return True, False, a number"), ([1.0], "(list)"),
        ({"other": 1.0}, "the metrics ['other'], which its attribute 'metrics' does not name"),
        (1.5, "a score lies between 0 and 1"), (-0.1, "a score lies between 0 and 1"), (math.nan, "between 0 and 1"),
        (np.array([1.0, 0.0]), "only"), (Score("gives", 2.0), "a score lies between 0 and 1"),
        (Score("other", 1.0), "does not name"), (10**400, "between 0 and 1"),
    ],
)  # fmt: skip
def test_what_may_not_is_explained(returning: Callable[[Any], Scorer], value: Any, part: str) -> None:
    scorer = returning(value)
    with pytest.raises((TypeError, ValueError)) as caught:
        scorer.score(ITEM, "x")
    assert part in str(caught.value)


def test_half_a_point_is_no_answer_to_right_or_wrong(folder: Path) -> None:
    (folder / "half.py").write_text("def half(item, output) -> bool:\n    return 0.5\n", encoding="utf-8")
    with pytest.raises(ValueError, match="declared to be right or wrong alone"):
        make_scorer("py:half.py:half").score(ITEM, "x")


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("py:our_scorers", ["scorers: py:our_scorers", "py:module:function"]),
        ("py:our_scorers:absent", ["our_scorers has no function 'absent'"]),
        ("py:our_scorers:not_callable", ["has no function 'not_callable'"]),
        ("py:no_such_module_here:f", ["cannot be imported", "ModuleNotFoundError"]),
        ("py:absent.py:f", ["absent.py", "no such file"]),
        ("py:faulty.py:f", ["faulty.py cannot be imported: ZeroDivisionError"]),
        ("py:our_scorers:no_output", ["cannot be called with an item, an output", "def scorer(item, output"]),
        ({"py:our_scorers:share": {"word": 1}}, ["['word']", "unexpected keyword argument 'word'"]),
    ],
)
def test_what_cannot_be_loaded_is_an_error_that_names_it(folder: Path, spec: Any, parts: list[str]) -> None:
    (folder / "faulty.py").write_text("1 / 0\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        make_scorer(spec)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("place", ["our_scorers", "our_scorers.py"])
def test_an_edited_function_is_another_scorer_with_another_signature(folder: Path, place: str) -> None:
    before = make_scorer(f"py:{place}:polite")
    assert make_scorer(f"py:{place}:polite").signature == before.signature
    path = folder / "our_scorers.py"
    path.write_text(MODULE.replace("return word in output", "return word not in output  #"), encoding="utf-8")
    after = make_scorer(f"py:{place}:polite")
    assert after.signature != before.signature
    assert (_score(before, "请坐"), _score(after, "请坐")) == ({"polite": 1.0}, {"polite": 0.0})


def test_its_metric_may_be_the_primary_one_of_a_task(folder: Path) -> None:
    task = Task(name="t", role="target", goldset="g", scorers=("exact", "py:our_scorers:polite"), primary="polite")
    assert [scorer.metrics for scorer in task.make_scorers()] == [("exact",), ("polite",)]
    with pytest.raises(ValueError, match=r"not among the metrics \['polite'\]"):
        Task(name="t", role="target", goldset="g", scorers=("py:our_scorers:polite",), primary="share")


def test_the_command_line_scores_with_it_and_counts_what_it_could_not_score(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    items = [{"id": str(n), "question": f"q{n}", "answer": "谢谢"} for n in range(4)]
    outputs = ["请坐", "坐", "x", "请"]
    (folder / "gold.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
    (folder / "out.jsonl").write_text(
        "".join(json.dumps({"item_id": str(n), "output": text}) + "\n" for n, text in enumerate(outputs)),
        encoding="utf-8",
    )
    (folder / "faults.py").write_text(
        "def polite(item, output):\n    if output == 'x': raise KeyError('no such word')\n    return '请' in output\n",
        encoding="utf-8",
    )
    command = ["score", "replay:out.jsonl", "--goldset", "gold.jsonl", "--scorer", "py:faults.py:polite"]
    code = main([*command, "--json", "-", "--store", "store"])
    shown = capfd.readouterr()
    assert code == 3  # one of four could not be scored
    assert "1 of 4 answers are missing, failed or could not be scored" in shown.err
    assert "unscored: gold.jsonl: 1 answer: KeyError: 'no such word' (first: 2)" in shown.err
    found = json.loads(shown.out)
    assert (found["n"], found["unscored"], found["score"]) == (3, 1, pytest.approx(2 / 3))
    assert sorted(found["per_item"]) == ["0", "1", "3"]
    assert found["signature"].startswith("py:faults.py:polite|options:{}|source:")

    (folder / "suite.yaml").write_text(
        "name: s\ntasks:\n"
        "  - {name: t, role: target, goldset: gold.jsonl, primary: polite, scorers: ['py:faults.py:polite']}\n",
        encoding="utf-8",
    )
    code = main(["run", "replay:out.jsonl", "--suite", "suite.yaml", "--store", "store"])
    shown = capfd.readouterr()
    assert code == 3
    assert "1 answer: KeyError: 'no such word' (first: 2)" in shown.err
    assert "t: 1 of 4 answers are missing, failed or could not be scored" in shown.err
