"""May this candidate be released? The suite's policy, applied."""

from __future__ import annotations

from collections.abc import Sequence

from harness.comparison.results import GateResult, TaskResult
from harness.doctor.finding import Finding
from harness.errors import (
    EXIT_GATE_FAILED,
    EXIT_INCOMPLETE,
    EXIT_INCONCLUSIVE,
    EXIT_OK,
    EXIT_USAGE,
)

#: Which exit code outweighs which when several apply.
_PRECEDENCE = (EXIT_USAGE, EXIT_INCOMPLETE, EXIT_GATE_FAILED, EXIT_INCONCLUSIVE, EXIT_OK)


def incomplete(results: Sequence[TaskResult]) -> list[str]:
    """Tasks with more failures than their `max_error_rate` allows, in words."""
    found = []
    for result in results:
        if not result.primary:
            continue
        for side in ("base", "candidate"):
            failed = getattr(result.errors, side) + getattr(result.missing, side) + getattr(result.unscored, side)
            asked = result.n + max(
                result.errors.base + result.missing.base + result.unscored.base,
                result.errors.candidate + result.missing.candidate + result.unscored.candidate,
            )
            if asked and failed / asked > result.max_error_rate:
                found.append(
                    f"{result.task}: {failed} of {asked} answers of the {side} are missing or failed "
                    f"(allowed: {result.max_error_rate:.1%})"
                )
    return found


def judge(results: Sequence[TaskResult], doctor: Sequence[Finding]) -> GateResult:
    """Apply the policy: guards hold, targets improve (or what `require` says), the doctor passes, all is answered."""
    codes, reasons = [EXIT_OK], []
    if not any(result.primary for result in results):
        codes.append(EXIT_INCOMPLETE)
        reasons.append("no task was compared")
    for reason in incomplete(results):
        codes.append(EXIT_INCOMPLETE)
        reasons.append(reason)
    for finding in doctor:
        if finding.status == "fail":
            codes.append(EXIT_GATE_FAILED)
            reasons.append(f"doctor: {finding.probe}: {finding.detail}")
    for result in results:
        if not result.primary:
            continue
        if result.verdict == "inconclusive":
            codes.append(EXIT_INCONCLUSIVE)
            reasons.append(
                f"{result.task}: inconclusive ({result.note})" if result.note else f"{result.task}: inconclusive"
            )
        elif result.verdict == "regressed" or (result.require == "improve" and result.verdict == "held"):
            codes.append(EXIT_GATE_FAILED)
            wanted = "had to improve" if result.require == "improve" else "had to hold"
            reasons.append(f"{result.task}: {result.verdict}, {wanted}")
    code = worst(codes)
    return GateResult(passed=code == EXIT_OK, exit_code=code, reasons=tuple(reasons))


def worst(codes: Sequence[int]) -> int:
    """The exit code that outweighs the others."""
    return min(codes, key=_PRECEDENCE.index, default=EXIT_OK)
