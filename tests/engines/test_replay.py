from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from harness.engines.base import Completion, Request, Sampling
from harness.engines.replay import MISSING, ReplayEngine
from harness.errors import EXIT_USAGE, HarnessError, InputError


def recording(folder: Path, *lines: Any) -> Path:
    path = folder / "outputs.jsonl"
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x, ensure_ascii=False) for x in lines), "utf-8")
    return path


def ask(engine: ReplayEngine, item: str, task: str = "qa", repeat: int = 0) -> Completion:
    (finished,) = engine.generate([Request("key", item, task, repeat, Sampling())])
    (completion,) = finished
    assert completion.key == "key"
    return completion


def test_what_was_recorded_comes_back(tmp_path: Path) -> None:
    engine = ReplayEngine(
        recording(
            tmp_path,
            {"item_id": "a", "output": "阿司匹林\u2028退热"},
            "",
            {"item_id": 7, "output": "", "finish_reason": "length"},
            {"item_id": "a", "output": "once more", "repeat": 1},
            {"item_id": "a", "output": "for maths", "task": "maths"},
            {"item_id": "broken", "output": None, "finish_reason": "error"},
        )
    )
    assert (ask(engine, "a").text, ask(engine, "a").finish_reason) == ("阿司匹林\u2028退热", "stop")
    assert ask(engine, "a", repeat=1).text == "once more"
    assert ask(engine, "a", task="maths").text == "for maths"
    assert ask(engine, "7").finish_reason == "length"
    assert ask(engine, "broken").finish_reason == "error"
    assert len(engine) == 5
    assert list(engine.generate([])) == []


@pytest.mark.parametrize(("item", "repeat"), [("b", 0), ("a", 1)])
def test_what_was_not_recorded_is_missing(tmp_path: Path, item: str, repeat: int) -> None:
    found = ask(ReplayEngine(recording(tmp_path, {"item_id": "a", "output": "x"})), item, repeat=repeat)
    assert (found.finish_reason, found.error, found.text) == ("error", MISSING, "")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"item_id": "b", "output": ', "not valid JSON"),
        ("[1]", "must be an object"),
        ({"output": "x"}, '"item_id" must be a text'),
        ({"item_id": True, "output": "x"}, '"item_id" must be a text'),
        ({"item_id": "b"}, '"output" must be a text'),
        ({"item_id": "b", "output": 3}, '"output" must be a text'),
        ({"item_id": "b", "output": "x", "repeat": -1}, '"repeat" must be'),
        ({"item_id": "b", "output": "x", "repeat": True}, '"repeat" must be'),
        ({"item_id": "b", "output": "x", "task": 1}, '"task" must be a text'),
        ({"item_id": "b", "output": "x", "finish_reason": "stopped"}, "Did you mean 'stop'"),
        ({"item_id": "b", "outputs": "x"}, "Did you mean 'output'"),
        ({"item_id": "a", "output": "again"}, "item 'a' stands here and in line 1"),
    ],
)
def test_a_broken_line_is_named_with_its_file_and_number(tmp_path: Path, line: Any, message: str) -> None:
    path = recording(tmp_path, {"item_id": "a", "output": "x"}, line)
    with pytest.raises(InputError) as caught:
        ReplayEngine(path)
    assert str(caught.value).startswith(f"{path}:2: ")
    assert message in str(caught.value)
    assert caught.value.exit_code == EXIT_USAGE


def test_a_missing_file_and_a_wrong_encoding_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        ReplayEngine(tmp_path / "none.jsonl")
    path = tmp_path / "gbk.jsonl"
    path.write_bytes('{"item_id": "a", "output": "退热"}'.encode("gbk"))
    with pytest.raises(InputError, match="UTF-8"):
        ReplayEngine(path)


def test_unknown_ids_are_refused_with_the_nearest_name(tmp_path: Path) -> None:
    lines = [{"item_id": "aspirin-1", "output": "x"}, {"item_id": "asprin-2", "output": "x"}]
    engine = ReplayEngine(recording(tmp_path, *lines, {"item_id": "zzz", "output": "x"}))
    known = {"qa": {"aspirin-1", "aspirin-2"}}
    assert [record.item_id for record in engine.unknown(known)] == ["asprin-2", "zzz"]
    with pytest.raises(
        InputError, match=r"jsonl:2: unknown item id 'asprin-2' \(2 such lines\)\. Did you mean 'aspirin-2'"
    ):
        engine.require_known(known)
    engine.require_known({"qa": {"aspirin-1", "asprin-2", "zzz"}})


def test_an_id_is_unknown_in_the_wrong_task_and_so_is_a_task(tmp_path: Path) -> None:
    known = {"medical-qa": {"a"}, "maths": {"m"}}
    engine = ReplayEngine(recording(tmp_path, {"item_id": "m", "output": "x", "task": "medical-qa"}))
    with pytest.raises(InputError, match="unknown item id 'm' in task 'medical-qa'"):
        engine.require_known(known)
    engine = ReplayEngine(recording(tmp_path, {"item_id": "a", "output": "x", "task": "medical_qa"}))
    with pytest.raises(InputError, match=r"unknown task 'medical_qa'\. Did you mean 'medical-qa'"):
        engine.require_known(known)
    ReplayEngine(recording(tmp_path, {"item_id": "a", "output": "x"})).require_known(known)


def test_recorded_outputs_have_no_likelihoods_and_nothing_to_close(tmp_path: Path) -> None:
    engine = ReplayEngine(recording(tmp_path, {"item_id": "a", "output": "x"}))
    with pytest.raises(HarnessError, match="no likelihoods"):
        engine.logprobs([])
    engine.close()
    assert engine.name == "replay"
    assert "outputs.jsonl" in engine.version


def test_ten_thousand_lines_load_at_once(tmp_path: Path) -> None:
    path = recording(tmp_path, *({"item_id": f"item-{n}", "output": "退热 " * 50} for n in range(10_000)))
    taken = []
    for _ in range(5):
        since = time.process_time()
        assert len(ReplayEngine(path)) == 10_000
        taken.append(time.process_time() - since)
    assert min(taken) < 0.3
