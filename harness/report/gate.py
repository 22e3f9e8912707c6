"""The gate's verdict in words. The policy itself is `harness.comparison.gate`; here it only gets a language."""

from __future__ import annotations

from harness.errors import EXIT_GATE_FAILED, EXIT_INCOMPLETE, EXIT_INCONCLUSIVE, EXIT_OK
from harness.report.view import CandidateView, TaskView
from harness.report.words import Words


def gate_word(code: int, words: Words) -> str:
    """`passed`, `failed`, `inconclusive` or `incomplete`."""
    if code == EXIT_OK:
        return words.gate_passed
    if code == EXIT_INCONCLUSIVE:
        return words.gate_inconclusive
    return words.gate_incomplete if code == EXIT_INCOMPLETE else words.gate_failed


def gate_reasons(candidate: CandidateView, words: Words) -> list[str]:
    """Why the gate did not pass, one reason a task or probe."""
    reasons = [reason for task in candidate.tasks if (reason := task_reason(task, words))]
    failed = [finding for finding in candidate.findings if finding.status == "fail"]
    return reasons + [words.reason_doctor.format(probe=f.probe, detail=f.detail) for f in failed]


def task_reason(task: TaskView, words: Words) -> str:
    """Why this task stops the gate; "" when it does not."""
    result = task.result
    if task.code == EXIT_INCOMPLETE:
        failures = (result.errors, result.missing, result.unscored)
        base, candidate = sum(f.base for f in failures), sum(f.candidate for f in failures)
        asked = result.n + max(base, candidate)
        return words.reason_incomplete.format(
            task=result.task,
            base=base,
            candidate=candidate,
            asked=asked,
            allowed=int(result.max_error_rate * asked),
        )
    if task.code == EXIT_INCONCLUSIVE:
        return words.reason_inconclusive.format(task=result.task, note=words.note_of(result))
    if task.code == EXIT_GATE_FAILED and result.verdict is not None:
        return words.reason_verdict.format(
            task=result.task,
            verdict=words.verdicts[result.verdict],
            requirement=words.requirements[result.require],
        )
    return ""
