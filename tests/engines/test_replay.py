"""The engine of a recording; the formats have their tests in `recorded/`."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from harness.engines.base import Completion, Request, Sampling
from harness.engines.replay import MISSING, ReplayEngine
from harness.errors import HarnessError
from tests.engines.recorded.made import Asked, asked, lines


def task(*ids: str, name: str = "qa") -> Asked:
    return asked(name, [{"id": i, "question": f"Which is {i}?"} for i in ids])


def ask(engine: ReplayEngine, item: str, task: str = "qa", repeat: int = 0) -> Completion:
    (finished,) = engine.generate([Request("key", item, task, repeat, Sampling())])
    (completion,) = finished
    assert completion.key == "key"
    return completion


def test_what_was_recorded_comes_back(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "outputs.jsonl",
        {"item_id": "a", "output": "阿司匹林\u2028退热"},
        "",
        {"item_id": 7, "output": "", "finish_reason": "length"},
        {"item_id": "a", "output": "once more", "repeat": 1},
        {"item_id": "a", "output": "for maths", "task": "maths"},
        {"item_id": "broken", "output": None, "finish_reason": "error"},
    )
    engine = ReplayEngine(path, [task("a", "7", "broken"), task("a", name="maths")])
    assert (ask(engine, "a").text, ask(engine, "a").finish_reason) == ("阿司匹林\u2028退热", "stop")
    assert ask(engine, "a", repeat=1).text == "once more"
    assert ask(engine, "a", task="maths").text == "for maths"
    assert ask(engine, "7").finish_reason == "length"
    assert ask(engine, "broken").finish_reason == "error"
    assert len(engine) == 5
    assert list(engine.generate([])) == []


@pytest.mark.parametrize(("item", "repeat"), [("b", 0), ("a", 1)])
def test_what_was_not_recorded_is_missing(tmp_path: Path, item: str, repeat: int) -> None:
    path = lines(tmp_path / "outputs.jsonl", {"item_id": "a", "output": "x"})
    found = ask(ReplayEngine(path, [task("a", "b")]), item, repeat=repeat)
    assert (found.finish_reason, found.error, found.text) == ("error", MISSING, "")


def test_recorded_outputs_have_no_likelihoods_and_nothing_to_close(tmp_path: Path) -> None:
    engine = ReplayEngine(lines(tmp_path / "outputs.jsonl", {"item_id": "a", "output": "x"}), [task("a")])
    with pytest.raises(HarnessError, match="no likelihoods"):
        engine.logprobs([])
    engine.close()
    assert engine.name == "replay"
    assert "outputs.jsonl" in engine.version


def test_the_version_says_what_was_read(tmp_path: Path) -> None:
    """The same name with another content is another recording."""
    path = lines(tmp_path / "outputs.jsonl", {"item_id": "a", "output": "x"})
    before = ReplayEngine(path, [task("a")]).version
    assert ReplayEngine(path, [task("a")]).version == before
    lines(path, {"item_id": "a", "output": "y"})
    assert ReplayEngine(path, [task("a")]).version != before


def test_ten_thousand_lines_load_at_once(tmp_path: Path) -> None:
    ids = [f"item-{n}" for n in range(10_000)]
    path = lines(tmp_path / "outputs.jsonl", *({"item_id": i, "output": "退热 " * 50} for i in ids))
    tasks = [task(*ids)]
    taken = []
    for _ in range(5):
        since = time.process_time()
        assert len(ReplayEngine(path, tasks)) == 10_000
        taken.append(time.process_time() - since)
    assert min(taken) < 0.3
