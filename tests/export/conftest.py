"""A folder with the demo's base and adapter in its harness.yaml, and `harness` in it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main

MODELS = Path(__file__).resolve().parents[2] / "harness" / "demo" / "models"
NAME = "lora_model_medical"
EXPORT = f"{NAME}-merged16"
WORKSPACE = f"""\
# ours
candidates:
  base: # tiny
    model: {MODELS / "base"}
  {NAME}:
    base: base
    adapter: {NAME}
"""


@dataclass
class Yard:
    """Where something is exported."""

    folder: Path
    capture: Callable[[], tuple[str, str]]

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of a command."""
        self.capture()
        code = main(list(arguments))
        return (code, *self.capture())

    def export(self, *arguments: str, candidate: str = NAME, to: str = "merged16") -> tuple[int, str, str]:
        return self("export", candidate, "--to", to, "--engine", "transformers", "--limit", "32", *arguments)

    def doctor(self, name: str = EXPORT) -> tuple[int, str]:
        """Exit code, and the line of merge-parity."""
        code, out, _ = self("candidates", "doctor", name, "--engine", "transformers", "--limit", "8", "--lang", "en")
        (line,) = [line for line in out.splitlines() if line.split()[:1] == ["merge-parity"]]
        return code, " ".join(line.split())

    @property
    def place(self) -> Path:
        return self.folder / "exports" / EXPORT

    @property
    def registered(self) -> bool:
        return EXPORT in (self.folder / "harness.yaml").read_text(encoding="utf-8")

    def record(self, place: Path | None = None) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(((place or self.place) / "export.json").read_text(encoding="utf-8"))
        return found

    def files(self) -> set[str]:
        """Everything below exports/."""
        root = self.folder / "exports"
        return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def _yard(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Yard:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.delenv("LLAMA_CPP", raising=False)
    return Yard(folder, lambda: tuple(capsys.readouterr()))  # type: ignore[arg-type, return-value]


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Yard:
    """Nothing exported yet."""
    (tmp_path / "harness.yaml").write_text(WORKSPACE, encoding="utf-8")
    shutil.copytree(MODELS / NAME, tmp_path / NAME)
    return _yard(tmp_path, monkeypatch, capsys)


@pytest.fixture(scope="session")
def exported_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    (folder / "harness.yaml").write_text(WORKSPACE, encoding="utf-8")
    shutil.copytree(MODELS / NAME, folder / NAME)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["export", NAME, "--to", "merged16", "--engine", "transformers", "--limit", "32"]) == 0
    return folder


@pytest.fixture
def exported(
    exported_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Yard:
    """With a good export, and its answers in the store."""
    shutil.copytree(exported_once, tmp_path, dirs_exist_ok=True)
    return _yard(tmp_path, monkeypatch, capsys)
