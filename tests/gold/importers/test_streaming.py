"""Rows stream: what is kept of each lets 660,000 of them pass within 1 GiB (`benchmarks/import_toyhom.py` does it)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

_BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "import_toyhom.py"


def peak(rows: int) -> float:
    """MiB that the import of so many rows takes, each of them accounted for."""
    command = [sys.executable, str(_BENCHMARK), "--rows", str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"^memory: +(\d+) MiB", done.stdout, re.MULTILINE)
    assert found is not None
    return float(found[1])


def test_memory_grows_by_what_the_whole_of_toyhom_allows() -> None:
    few, many = peak(1_000), peak(41_000)
    assert few + (many - few) / 40_000 * 660_000 < 1024
