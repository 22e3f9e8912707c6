"""The names that notebooks use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import harness
from tests.test_api import Script, folder, script

__all__ = ["folder", "script"]


def test_everything_exported_is_there() -> None:
    for name in harness.__all__:
        assert getattr(harness, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'compar'"):
        _ = harness.compar


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, harness; assert not {'numpy', 'pydantic', 'torch', 'rich'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_notebook_compares_in_one_call(folder: Path, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    outcome = harness.compare("./base", "./lora", suite="suite.yaml", limit=30)
    assert outcome.comparison.comparisons[0].results[0].n == 30
    manifests, _ = harness.run("./base", suite="suite.yaml", limit=30)
    assert manifests[0].status == "complete"


def test_suites_and_gold_sets_load_by_name() -> None:
    suite = harness.load_suite("medical")
    assert [task.role for task in suite.tasks] == ["target", "guard", "guard"]
    assert len(harness.load_goldset("medical-qa").items) >= 150
