"""Tasks over the recorded gold sets, and recordings to spoil."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.engines.recorded.record import Reader, Record
from harness.engines.recorded.recording import Key, Recording, load_recording
from harness.gold.goldset import GoldSet, load_goldset
from harness.gold.item import Item
from harness.suites.spec import Task

DATA = Path(__file__).parent / "data"
GOLD = DATA / "gold"


@dataclass(frozen=True)
class Asked:
    """A task with its items."""

    task: Task
    goldset: GoldSet


def asked(name: str, items: Sequence[dict[str, Any]] | str = "", **spec: Any) -> Asked:
    """A task called `name`; `items` are rows, or the name of a recorded gold set (default: that of the task)."""
    given = {"scorers": ("exact",), "primary": "exact", **spec}
    task = Task(name=name, role="target", goldset="gold", **given)
    if isinstance(items, str):
        return Asked(task, load_goldset(GOLD / f"{items or name}.jsonl"))
    made = tuple(Item(**{"answer": "x", **row}) for row in items)
    return Asked(task, GoldSet(name, made, Path("gold.jsonl")))


def medical() -> Asked:
    return asked("medical-qa")


def arithmetic() -> Asked:
    return asked("arithmetic-mini", scorers=("number",), primary="number")


def letters() -> Asked:
    return asked(
        "tcm-choice", answer="loglikelihood", scorers=({"choice": {"method": "loglikelihood"}},), primary="choice"
    )


def texts() -> Asked:
    return asked(
        "tcm-choice-text",
        "tcm-choice",
        answer="loglikelihood",
        scorers=({"choice": {"method": "loglikelihood", "options": "text"}},),
        primary="choice_norm",
    )


def spoken() -> Asked:
    """The same questions, answered by a text that names a letter."""
    return asked("tcm-spoken", "tcm-choice", scorers=("choice",), primary="choice")


def read(reader: Reader, path: Path) -> list[Record]:
    return list(reader.read(path))


def load(path: Path, *tasks: Asked) -> Recording:
    return load_recording(path, tasks)


def outputs(recording: Recording) -> dict[Key, str]:
    return {key: record.output for key, record in recording.answers.items()}


def rows(path: Path) -> list[dict[str, Any]]:
    return list(_rows(path))


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line:
            yield json.loads(line)


def one(pattern: str) -> Path:
    """The one recorded file that matches."""
    (found,) = DATA.glob(pattern)
    return found


def lines(path: Path, *given: Any) -> Path:
    """A file of JSON lines; texts are written as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x, ensure_ascii=False) for x in given), "utf-8")
    return path


def exported(item: str, **more: Any) -> dict[str, Any]:
    """A line of `harness runs export`, from its columns (docs/architecture.md)."""
    return {
        "task": "qa",
        "item_id": item,
        "item_digest": "0" * 64,
        "repeat": 0,
        "prompt": "Which?",
        "output": "x",
        "finish_reason": "stop",
        "prompt_tokens": 5,
        "completion_tokens": 3,
        "latency": 0.5,
        "error": "",
        "score_exact": 1.0,
        **more,
    }
