"""The demo is trained on the prompts that the suites send."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.demo import goldsets, prompts

SUITES = Path(__file__).parents[2] / "suites"


def tasks() -> list[dict[str, Any]]:
    found = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(SUITES.glob("*.yaml"))]
    return [task for suite in found for task in suite["tasks"] if task["goldset"] in goldsets.NAMES]


@pytest.mark.parametrize("task", tasks(), ids=lambda task: str(task["name"]))
def test_suite_prompts_are_those_of_the_training_data(task: dict[str, Any]) -> None:
    expected = prompts.ARITHMETIC if task["goldset"] == "arithmetic-mini" else prompts.QA
    assert task["prompt"] == expected


def test_every_gold_set_is_in_a_suite() -> None:
    assert {task["goldset"] for task in tasks()} >= set(goldsets.NAMES)
