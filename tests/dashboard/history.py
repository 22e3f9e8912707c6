"""A suite's history made by the command line: candidates whose answers were recorded, compared one after the other."""

from __future__ import annotations

import json
import random
from pathlib import Path

import yaml

#: Share of right answers of each version, on the target and on the guard.
VERSIONS = {"v1": (0.55, 0.80), "v2": (0.57, 0.79), "v3": (0.80, 0.80), "v4": (0.81, 0.55)}
ITEMS = 200


def write_history(folder: Path, *, hostile: str = "") -> None:
    """A gold set for each task, a suite, and an answer file for base and versions.

    A better version keeps what a worse one had right: only what has to change does.
    """
    (folder / "goldsets").mkdir(parents=True)
    (folder / "suites").mkdir()
    for number, task in enumerate(("skills", "general")):
        rows = [{"id": f"{task}-{i}", "question": f"{task} {i}?", "answer": f"yes {i}"} for i in range(ITEMS)]
        _lines(folder / "goldsets" / f"{task}.jsonl", rows)
        hard = random.Random(number).sample(range(ITEMS), ITEMS)
        for name, shares in {"base": (0.5, 0.8), **VERSIONS}.items():
            right = set(hard[: round(ITEMS * shares[number])])
            rows = [
                {"task": task, "item_id": f"{task}-{i}", "output": f"yes {i}" if i in right else f"no {hostile}"}
                for i in range(ITEMS)
            ]
            with (folder / f"{name}.jsonl").open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in rows)
    write_suite(folder, margin=0.05)


def write_suite(folder: Path, *, margin: float) -> None:
    """The suite; another margin is another suite."""
    tasks = [
        {"name": name, "role": role, "goldset": f"goldsets/{name}.jsonl", "scorers": ["exact"], "primary": "exact",
         "margin": margin}
        for name, role in (("skills", "target"), ("general", "guard"))
    ]  # fmt: skip
    text = yaml.safe_dump({"name": "history", "tasks": tasks})
    (folder / "suites" / "history.yaml").write_text(text, encoding="utf-8")


def _lines(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
