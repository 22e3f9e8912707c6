"""kill -9 while a real engine answers: what had finished is kept, the rest is generated again, nothing is corrupt."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.api import Request as Asked
from harness.api import run
from harness.engines.base import Completion, Request
from harness.runs import runner
from tests.engines.tiny import make_adapter, make_model

pytestmark = pytest.mark.slow

ITEMS = 120
SUITE = """
name: long
tasks:
  - {name: qa, role: guard, goldset: set.jsonl, scorers: [contains], primary: contains, margin: 0.05,
     generation: {max_tokens: 96}}
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed")
    make_adapter(make_model(folder / "base"), folder / "lora", seed=1)
    rows = [{"id": f"i{n}", "question": f"the cat sat on {n}?", "answer": "mat"} for n in range(ITEMS)]
    (folder / "set.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "suite.yaml").write_text(SUITE, encoding="utf-8")
    # Small batches, so that answers finish all through the run and not at its end.
    (folder / "harness.yaml").write_text("engine: {name: transformers, batch_size: 6}\n", encoding="utf-8")
    return folder


class Witness:
    """A real engine that notes when each answer left it, before anyone could store it."""

    def __init__(self, engine: Any, notes: Path) -> None:
        self._engine = engine
        self._notes = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def generate(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        for finished in self._engine.generate(requests):
            lines = "".join(f"{c.key} {time.monotonic()}\n" for c in finished)
            os.write(self._notes, lines.encode())
            yield finished


def answer(folder: Path, store: Path, notes: Path, outputs: Path) -> None:
    """The process that is killed: both candidates, a real transformers engine."""
    import torch

    torch.set_num_threads(1)
    opened = runner.open_engine
    runner.open_engine = lambda choice, spec: Witness(opened(choice, spec), notes)
    _, samples = run(Asked(references=("./base", "./lora"), suite="suite.yaml", folder=folder, store=str(store)))
    rows = [[s.completion_key, s.output] for found in samples.values() for s in found]
    outputs.write_text(json.dumps(sorted(rows)), encoding="utf-8")


def noted(notes: Path) -> dict[str, float]:
    lines = notes.read_text().splitlines() if notes.exists() else []
    return {key: float(moment) for key, moment in (line.split() for line in lines)}


def stored(store: Path) -> set[str]:
    """Keys in the store, read as another program would; fails when the file is corrupt."""
    with sqlite3.connect(store / "completions.sqlite") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {key for (key,) in db.execute("SELECT key FROM completions")}


def test_five_kills_lose_nothing_that_had_finished_and_repeat_nothing_stored(workspace: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "transformers", "peft", "harness.api", "tests.engines.tiny"])

    def start(store: str, notes: str) -> Any:
        outputs = tmp_path / f"{notes}.json"
        process = context.Process(target=answer, args=(workspace, tmp_path / store, tmp_path / notes, outputs))
        process.start()
        return process

    whole = start("whole", "whole.notes")
    whole.join(300)
    assert whole.exitcode == 0
    assert len(noted(tmp_path / "whole.notes")) == 2 * ITEMS

    rng = random.Random(20)
    before: set[str] = set()
    for round_ in range(5):
        notes = tmp_path / f"round{round_}.notes"
        process = start("killed", notes.name)
        wanted = rng.randint(1, ITEMS // 6)
        while len(noted(notes)) < wanted:
            assert process.is_alive(), "the run ended before it could be killed"
            time.sleep(0.002)
        time.sleep(rng.uniform(0.0, 0.05))
        os.kill(process.pid, signal.SIGKILL)
        killed = time.monotonic()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
        finished = noted(notes)
        after = stored(tmp_path / "killed")
        assert not before & set(finished), "a stored answer was generated again"
        assert after >= before | {key for key, moment in finished.items() if moment < killed - 1.0}
        assert len(set(finished) - after) <= 6, "more than the batch in flight was lost"
        before = after
    assert 5 <= len(before) < 2 * ITEMS

    last = start("killed", "last.notes")
    last.join(300)
    assert last.exitcode == 0
    assert set(noted(tmp_path / "last.notes")) == set(noted(tmp_path / "whole.notes")) - before
    # Answers drawn in other batches are the same texts: float32 on one thread.
    assert json.loads((tmp_path / "last.notes.json").read_text()) == json.loads(
        (tmp_path / "whole.notes.json").read_text()
    )
