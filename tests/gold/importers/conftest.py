"""An import into a temporary folder, and a look at what was written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from harness.errors import InputError
from harness.gold.importers.importing import import_goldset
from harness.gold.importers.report import ImportReport
from harness.gold.item import Item

Import: TypeAlias = Callable[..., tuple[ImportReport, tuple[Item, ...]]]


@pytest.fixture
def imported(tmp_path: Path) -> Import:
    """`imported(source, map=…)`: the report, and the items as they are read back through the card that was written."""
    from harness.gold.goldset import load_goldset

    def run(source: Path | str, **options: Any) -> tuple[ImportReport, tuple[Item, ...]]:
        folder = tmp_path / "goldsets"
        report = import_goldset(source, "mine", folder=folder, **options)
        assert report.rows == report.items + report.duplicates + sum(part.rows for part in report.left_out)
        assert {path.name for path in folder.iterdir()} <= {"mine.jsonl", "mine.yaml", "mine"}
        goldset = load_goldset(folder / "mine.jsonl")
        assert goldset.card is not None
        assert goldset.card.digest == goldset.digest == report.digest
        assert goldset.card.items == len(goldset.items) == report.items
        return report, goldset.items

    return run


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., str]:
    """`refused(source, …)`: what the error says; nothing may have been written."""

    def run(source: Path | str, **options: Any) -> str:
        folder = tmp_path / "goldsets"
        with pytest.raises(InputError) as caught:
            import_goldset(source, "mine", folder=folder, **options)
        assert not folder.exists() or list(folder.iterdir()) == []
        return str(caught.value)

    return run
