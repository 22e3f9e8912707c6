"""The rule of good and drifted, as a table of cases."""

from __future__ import annotations

from typing import Any

import pytest

from harness.comparison.results import Sides, TaskResult
from harness.doctor.finding import Finding
from harness.export.parity import decide

PASS = Finding(probe="merge-parity", status="pass", detail="near")
FAIL = Finding(probe="merge-parity", status="fail", detail="far")
WARN = Finding(probe="merge-parity", status="warn", detail="could not look")


def result(delta: float | None, p: float | None, margin: float = 0.05) -> TaskResult:
    none: dict[str, Any] = dict.fromkeys(("errors", "unextracted", "unscored", "missing"), Sides())
    return TaskResult(
        task="qa", role="target", metric="exact", primary=True, signature="", n=100, unpaired=0, identical=False,
        base=0.5, candidate=0.5, delta=delta, ci=None, p=p, p_adjusted=p, margin=margin, mde=None, noise=None,
        verdict="held", require="hold", max_error_rate=0.01, **none,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("delta", "p", "probe", "verdict"),
    [
        (0.0, 1.0, PASS, "good"),
        (-0.02, 0.001, PASS, "good"),  # no chance, and within the margin
        (-0.20, 0.20, PASS, "good"),  # beyond the margin, and chance explains it
        (-0.06, 0.05, PASS, "drifted"),
        (0.06, 0.05, PASS, "drifted"),  # what forgot less than its adapter has lost its adapter
        (0.0, 1.0, FAIL, "drifted"),
        (None, None, FAIL, "drifted"),
        (0.0, 1.0, None, "unproved"),
        (0.0, 1.0, WARN, "unproved"),
        (-0.50, 0.001, WARN, "drifted"),
    ],
)
def test_the_rule(delta: float | None, p: float | None, probe: Finding | None, verdict: str) -> None:
    found, reasons = decide([result(delta, p)], probe, alpha=0.05)
    assert found == verdict
    assert bool(reasons) == (verdict != "good")
