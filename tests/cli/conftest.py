"""A folder with a gold set, a suite and recordings, and a way to call the command line in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main

SUITE = """\
name: small
tasks:
  - name: facts
    role: target
    goldset: facts.jsonl
    scorers: [exact]
    primary: exact
    margin: 0.1
    slices: [difficulty]
  - name: general
    role: guard
    goldset: general.jsonl
    scorers: [exact]
    primary: exact
    margin: 0.1
"""


@dataclass(frozen=True)
class Result:
    """What a command line left behind."""

    code: int
    out: str
    err: str


class Bench:
    """A working directory for one test."""

    def __init__(self, folder: Path, capture: Callable[[], tuple[str, str]]) -> None:
        self.folder = folder
        self._capture = capture

    def __call__(self, *arguments: str) -> Result:
        self._capture()
        code = main(list(arguments))
        out, err = self._capture()
        return Result(code, out, err)

    def compare(
        self, *options: str, base: str = "base", candidate: str = "candidate", suite: str = "suite.yaml"
    ) -> Result:
        return self("compare", f"replay:{base}.jsonl", f"replay:{candidate}.jsonl", "--suite", suite, *options)

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def gold(self, name: str, items: Sequence[Mapping[str, Any]]) -> Path:
        return self.write(name, "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items))

    def record(self, name: str, facts: Callable[[int], str], general: Callable[[int], str], n: int = 40) -> Path:
        rows = [{"task": "facts", "item_id": f"f{i}", "output": facts(i)} for i in range(n)]
        rows += [{"task": "general", "item_id": f"g{i}", "output": general(i)} for i in range(n)]
        return self.write(f"{name}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))

    def files(self) -> set[str]:
        """Every file in the folder, to see what a failed command left."""
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()}


def right(i: int) -> str:
    return f"answer {i}"


def wrong(i: int) -> str:
    return "no idea"


def share(of_ten: int) -> Callable[[int], str]:
    """Right on the first `of_ten` of every ten items."""
    return lambda i: right(i) if i % 10 < of_ten else wrong(i)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bench:
    """Base: 30% facts, 90% general. Candidate: 90% facts, 90% general, on other items."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "120")
    for name in ("LC_ALL", "LANG", "HARNESS_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def capture() -> tuple[str, str]:
        found = capsys.readouterr()
        return found.out, found.err

    made = Bench(folder, capture)
    made.write("suite.yaml", SUITE)
    for name, letter in (("facts", "f"), ("general", "g")):
        made.gold(
            f"{name}.jsonl",
            [
                {
                    "id": f"{letter}{i}",
                    "question": f"Question {letter}{i}?",
                    "answer": right(i),
                    "metadata": {"difficulty": "hard" if i % 2 else "easy"},
                }
                for i in range(40)
            ],
        )
    made.record("base", share(3), share(9))
    made.record("candidate", share(9), share(9))
    return made
