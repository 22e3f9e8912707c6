"""The tests of inspect's logs, run for real in the environment that has inspect-ai."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / ".venv" / "inspect" / "bin" / "python"


def test_inspect_logs_are_read_where_inspect_is() -> None:
    """Skipped where that environment was not made, which `make test` does; in CI it has to be there."""
    if not PYTHON.exists():
        reason = "needs .venv/inspect in the checkout: make .venv/.inspect"
        if os.environ.get("HARNESS_REQUIRE_SHARED_DATA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    # Nothing that this process can import may help the other one.
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    done = subprocess.run(
        [PYTHON, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "tests/engines/recorded/test_inspect_logs.py"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "runs in .venv/inspect" not in done.stdout, "inspect-ai is not installed there"
