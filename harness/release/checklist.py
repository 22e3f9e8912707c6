"""What a release review goes through: the gate line by line, and what a person has to weigh besides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.comparison.results import Comparison, TaskResult
from harness.doctor.finding import Finding
from harness.errors import EXIT_INCOMPLETE, EXIT_INCONCLUSIVE, EXIT_OK, HarnessError
from harness.judge.calibration.results import Calibration, calibrations_of
from harness.judge.results import Judging, read_judging
from harness.release.words import Kind, ReleaseWords, Status, release_words
from harness.report.gate import task_reason
from harness.report.numbers import interval, points, size
from harness.report.untrusted import visible
from harness.report.view import CandidateView, TaskView
from harness.report.words import Language, Words, words
from harness.runs.files import RunStore

_DOCTOR: dict[str, Status] = {"pass": "pass", "warn": "look", "fail": "fail"}


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checklist.

    Attributes:
        name: what was checked, in each language; `says`: what was found.
    """

    kind: Kind
    status: Status
    name: Mapping[Language, str]
    says: Mapping[Language, str]


@dataclass(frozen=True, slots=True)
class JudgedBy:
    """One judging of a candidate's answers, with its newest calibration."""

    judging: Judging
    calibration: Calibration | None


def checklist(comparison: Comparison, candidate: CandidateView, judged: Sequence[JudgedBy] = ()) -> tuple[Check, ...]:
    """The checklist of one candidate, worst lines first within each kind.

    Args:
        comparison: as it is stored.
        candidate: of its view.
        judged: judgings of this candidate's answers.
    """
    checks = [
        *_intact(comparison),
        *(_task(task) for task in sorted(candidate.tasks, key=_order)),
        *_doctor(candidate.findings),
        *_answers(candidate.tasks),
        *_power(candidate.tasks),
        *_settings(comparison, candidate),
        *(_judge(one) for one in judged),
    ]
    return tuple(checks)


def judgings_of(store: RunStore, comparison: Comparison) -> tuple[JudgedBy, ...]:
    """What judges said of a comparison's answers; documents that cannot be read are passed over."""
    found = []
    for name in store.list_documents("judging"):
        if not name.startswith(f"{comparison.suite}-"):
            continue  # its name begins with its suite's
        try:
            judging = read_judging(store.read_document("judging", name), name)
            calibrations = calibrations_of(name, store) if judging.comparison == comparison.id else []
        except HarnessError:
            continue
        if judging.comparison == comparison.id:
            found.append(JudgedBy(judging, calibrations[0] if calibrations else None))
    return tuple(found)


def _both(text: Callable[[Words, ReleaseWords], str]) -> dict[Language, str]:
    languages: tuple[Language, Language] = ("en", "zh")
    return {language: text(words(language), release_words(language)) for language in languages}


def _same(text: str) -> dict[Language, str]:
    return _both(lambda *_: text)


def _order(task: TaskView) -> tuple[bool, bool]:
    return task.result.role == "guard", task.code == EXIT_OK


def _intact(comparison: Comparison) -> Iterator[Check]:
    if comparison.with_id().id != comparison.id:
        yield Check("record", "fail", _both(lambda _, say: say.changed_name), _both(lambda _, say: say.changed))


def _task(task: TaskView) -> Check:
    result = task.result
    status: Status = "pass" if task.code == EXIT_OK else "unsure" if task.code == EXIT_INCONCLUSIVE else "fail"

    def says(shown: Words, say: ReleaseWords) -> str:
        measured = say.verdict.format(
            verdict=shown.verdicts[result.verdict] if result.verdict else "",
            delta=points(result.delta),
            interval=interval(result.ci),
            n=result.n,
            requirement=shown.requirements[result.require],
            margin=size(result.margin),
        )
        note = shown.note_of(result)
        gaps = task_reason(task, shown) if task.code == EXIT_INCOMPLETE else ""
        return shown.join.join(part for part in (measured, note, gaps) if part)

    return Check(result.role, status, _same(result.task), _both(says))


def _doctor(findings: Sequence[Finding]) -> Iterator[Check]:
    looked = [finding for finding in findings if finding.status != "skip"]
    if not looked:
        yield Check("doctor", "look", _both(lambda _, say: say.doctor_name), _both(lambda _, say: say.no_doctor))
    for finding in sorted(looked, key=lambda one: ("fail", "warn", "pass").index(one.status)):
        text = finding.detail if finding.status == "pass" else finding.text
        yield Check("doctor", _DOCTOR[finding.status], _same(finding.probe), _same(text))


def _answers(tasks: Iterable[TaskView]) -> Iterator[Check]:
    """How many answers are not there; beyond what the suite allows, the task itself blocks."""
    gaps = []
    for task in tasks:
        result = task.result
        sides = (result.errors, result.missing, result.unscored)
        base, candidate = sum(side.base for side in sides), sum(side.candidate for side in sides)
        if base or candidate:
            gaps.append((result.task, base, candidate))

    def says(shown: Words, say: ReleaseWords) -> str:
        told = [say.answer_gaps.format(task=task, base=base, candidate=candidate) for task, base, candidate in gaps]
        return shown.join.join(told) or say.all_answered

    yield Check("answers", "look" if gaps else "pass", _both(lambda _, say: say.answers), _both(says))


def _power(tasks: Iterable[TaskView]) -> Iterator[Check]:
    """Where a verdict of no difference says less than it seems to."""
    for result in (task.result for task in tasks):
        blind = result.mde is not None and result.mde > result.margin and not result.identical
        if blind and result.verdict in ("held", "inconclusive"):
            yield _blind(result)


def _blind(result: TaskResult) -> Check:
    def says(_: Words, say: ReleaseWords) -> str:
        text = say.sees_target if result.role == "target" else say.sees_guard
        return text.format(n=result.n, mde=size(result.mde), margin=size(result.margin))

    return Check("power", "look", _both(lambda _, say: say.sees.format(task=result.task)), _both(says))


def _settings(comparison: Comparison, candidate: CandidateView) -> Iterator[Check]:
    if comparison.limit is not None:
        limit = comparison.limit
        says = _both(lambda _, say: say.limited.format(limit=limit))
        yield Check("setting", "look", _both(lambda _, say: say.limited_name), says)
    if comparison.part is not None:
        part = comparison.part
        says = _both(lambda _, say: say.part.format(part=part))
        yield Check("setting", "look", _both(lambda _, say: say.part_name), says)
    if candidate.prompts_differ:
        yield Check("setting", "look", _both(lambda _, say: say.prompts_name), _both(lambda _, say: say.prompts))
    for warning in candidate.warnings:
        yield Check("setting", "look", _both(lambda _, say: say.warning_name), _same(warning))


def _judge(one: JudgedBy) -> Check:
    judging, calibration = one.judging, one.calibration
    name = visible(f"{', '.join(judge.name for judge in judging.judges)} ({judging.mode})")
    if calibration is None:
        return Check("judge", "look", _same(name), _both(lambda _, say: say.uncalibrated))

    def says(shown: Words, say: ReleaseWords) -> str:
        people = visible(shown.list_join.join(calibration.annotators))
        if calibration.uncalibrated:
            tasks = visible(shown.list_join.join(calibration.uncalibrated))
            return say.partly_calibrated.format(people=people, tasks=tasks)
        return say.calibrated.format(people=people)

    return Check("judge", "look" if calibration.uncalibrated else "pass", _same(name), _both(says))
