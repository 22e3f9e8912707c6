"""A suite's history made by the command line: candidates whose answers were recorded, compared one after the other."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from harness.release.signoffs import sign
from harness.review.settings import Settings
from harness.review.store import ReviewStore
from harness.runs.files import RunStore
from tests.dashboard.conftest import harness

#: Share of right answers of each version, on the target and on the guard.
VERSIONS = {"v1": (0.55, 0.80), "v2": (0.57, 0.79), "v3": (0.80, 0.80), "v4": (0.81, 0.55)}
ITEMS = 200


@dataclass(frozen=True)
class History:
    """A folder with the history in its store.

    Attributes:
        released: id of the comparison that was signed off.
    """

    folder: Path
    store: Path
    released: str

    @property
    def settings(self) -> Settings:
        return Settings(store=str(self.store), folder=self.folder, language="en")

    def open(self) -> ReviewStore:
        return ReviewStore(str(self.store), self.folder, {})


def write_history(folder: Path) -> None:
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
                {"task": task, "item_id": f"{task}-{i}", "output": f"yes {i}" if i in right else "no"}
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


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Four versions compared with one base, the third approved, then the suite edited and the third compared again."""
    folder = tmp_path_factory.mktemp("history")
    write_history(folder)
    into = ("--suite", "history", "--store", "store")
    harness(
        *(
            ("compare", "replay:base.jsonl", f"replay:{version}.jsonl", *into, "--json", f"{version}.json")
            for version in VERSIONS
        ),
        folder=folder,
    )
    third = str(json.loads((folder / "v3.json").read_text(encoding="utf-8"))["id"])
    store = RunStore(str(folder / "store"))
    sign(store, third, candidate="replay:v3.jsonl", name="Li Lei", decision="approve", note="", gate=0)
    write_suite(folder, margin=0.04)
    harness(("compare", "replay:base.jsonl", "replay:v3.jsonl", *into), folder=folder)
    return History(folder, folder / "store", third)
