"""The result in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.errors import EXIT_INCOMPLETE
from harness.report.numbers import level, points
from harness.report.view import CandidateView, TaskView
from harness.report.words import Words


def conclusion(candidate: CandidateView, alpha: float, words: Words) -> str:
    """One sentence for a person who reads nothing else."""
    failed = [finding.probe for finding in candidate.findings if finding.status == "fail"]
    incomplete = [task.result.task for task in candidate.tasks if task.code == EXIT_INCOMPLETE]
    parts: list[str] = []
    if failed:
        parts.append(words.says_doctor.format(probes=words.list_join.join(dict.fromkeys(failed))))
    if incomplete:
        parts.append(words.says_incomplete.format(tasks=words.list_join.join(incomplete)))
    if candidate.tasks and all(task.result.identical for task in candidate.tasks):
        parts.append(words.says_identical)
    else:
        parts += _clauses(candidate.tasks, alpha, words)
    return words.join.join(parts) + words.end


def _clauses(tasks: Sequence[TaskView], alpha: float, words: Words) -> list[str]:
    def measured(task: TaskView) -> str:
        result = task.result
        if result.ci is None:
            return result.task
        return words.with_interval.format(
            task=result.task,
            delta=points(result.delta),
            level=level(alpha),
            low=points(result.ci[0]),
            high=points(result.ci[1]),
        )

    def noted(task: TaskView) -> str:
        note = words.note_of(task.result)
        return words.with_note.format(task=task.result.task, note=note) if note else task.result.task

    kinds: list[tuple[str, str, str, Callable[[TaskView], str]]] = [
        ("improved", "target", words.says_improved_target, measured),
        ("regressed", "target", words.says_regressed_target, measured),
        ("held", "target", words.says_held_target, measured),
        ("regressed", "guard", words.says_regressed_guard, measured),
        ("improved", "guard", words.says_improved_guard, measured),
        ("held", "guard", words.says_held_guard, noted),
    ]
    clauses = []
    for verdict, role, text, name in kinds:
        found = [name(t) for t in tasks if t.result.verdict == verdict and t.result.role == role]
        if found:
            clauses.append(text.format(tasks=words.list_join.join(found)))
    unknown = [noted(task) for task in tasks if task.result.verdict == "inconclusive"]
    if unknown:
        clauses.append(words.says_inconclusive.format(tasks=words.list_join.join(unknown)))
    return clauses
