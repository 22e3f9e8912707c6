"""A folder with the demo base, its training files and a config; and `harness` in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli import main
from harness.demo import trainset

BASE = Path(__file__).resolve().parents[2] / "harness" / "demo" / "models" / "base"
QUICK = {
    "base": "base",
    "max_seq_length": 256,
    "learning_rate": 3e-3,
    "per_device_train_batch_size": 8,
    "gradient_accumulation_steps": 1,
    "max_steps": 4,
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Matrices this small only wait for each other."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def rows() -> dict[str, list[dict[str, str]]]:
    return {subject: list(trainset.rows(subject, 400)) for subject in ("medical", "general")}


@dataclass
class Yard:
    """Where something is trained."""

    folder: Path
    capture: Callable[[], tuple[str, str]]

    def config(self, name: str = "mine", **settings: Any) -> str:
        """Write NAME.yaml and return its name; `None` takes a key out."""
        content = {"name": name, "data": {"medical": "medical.jsonl"}, **QUICK, **settings}
        given = {key: value for key, value in content.items() if value is not None}
        text = yaml.safe_dump(given, allow_unicode=True, sort_keys=False)
        (self.folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        return f"{name}.yaml"

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of a command."""
        self.capture()
        code = main(list(arguments))
        return (code, *self.capture())

    def write(self, name: str, rows: list[dict[str, Any]]) -> None:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (self.folder / name).write_text(lines, encoding="utf-8")


@pytest.fixture
def yard(
    tmp_path: Path,
    rows: dict[str, list[dict[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Yard:
    monkeypatch.chdir(tmp_path)
    made = Yard(tmp_path, lambda: tuple(capsys.readouterr()))  # type: ignore[arg-type, return-value]
    for subject, content in rows.items():
        made.write(f"{subject}.jsonl", content)
    (tmp_path / "harness.yaml").write_text(
        f"# ours\ncandidates:\n  base: # tiny\n    model: {BASE}\n", encoding="utf-8"
    )
    return made
