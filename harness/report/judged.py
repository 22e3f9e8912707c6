"""A judging on the terminal: what makes it doubtful, what people made of it, and the judge's own numbers."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from harness.judge.calibration.results import Calibration
from harness.judge.results import JudgedGrades, JudgedPairs, JudgedTask, Judging
from harness.report.calibrated import calibrated_parts
from harness.report.judged_parts import measure_name, plain_table, preference
from harness.report.judged_words import JudgedWords, judged_words
from harness.report.numbers import NONE, interval, level, points, probability, share, signed, signed_interval
from harness.report.untrusted import one_line
from harness.report.words import Language


def render_judging(found: Judging, calibration: Calibration | None, language: Language) -> RenderableType:
    """The whole of it.

    Args:
        calibration: the latest of this judging; None says that there is none.
    """
    words = judged_words(language)
    parts: list[RenderableType] = [Text(_title(found, words), style="bold")]
    if calibration is None:
        parts.append(Text(f"! {words.uncalibrated}"))
    parts += [
        Text(f"! {words.partial.format(judge=one_line(judge.name, 80), why=judge.itself)}")
        for judge in found.judges
        if judge.itself
    ]
    if calibration is not None:
        parts += [*calibrated_parts(calibration, language), Text(""), Text(words.uncorrected, style="bold")]
    parts += [Text(""), *(_pairs(found, words) if isinstance(found, JudgedPairs) else _grades(found, words))]
    if found.left_out:
        parts.append(Text(f"  {words.left_out.format(count=found.left_out)}", style="dim"))
    footer = words.footer.format(judging=found.id, comparison=found.comparison, prompt=found.prompt, seed=found.seed)
    parts.append(Text(f"{footer}; {words.reference if found.reference else words.no_reference}", style="dim"))
    return Group(*parts)


def _title(found: Judging, words: JudgedWords) -> str:
    template = {"pairwise": words.title_pairwise, "rubric": words.title_rubric, "reference": words.title_reference}
    said = template[found.mode].format(
        suite=found.suite,
        base=found.base,
        candidate=found.candidate,
        judges=", ".join(judge.name for judge in found.judges),
        rubric=found.rubric if isinstance(found, JudgedGrades) else "",
    )
    return one_line(said, 400)


def _pairs(found: JudgedPairs, words: JudgedWords) -> list[RenderableType]:
    heads = [
        one.format(level=level(found.alpha))
        for one in (words.preferred, words.task, words.wins, words.rate, words.delta, words.p, words.controlled)
    ]
    parts: list[RenderableType] = [plain_table(heads, [_pair_row(task, words) for task in found.tasks], left=2)]
    for task in found.tasks:
        parts += [Text(f"  {task.task}: {note}", style="dim") for note in _pair_notes(task, words)]
    return parts


def _pair_row(task: JudgedTask, words: JudgedWords) -> list[str]:
    controlled = task.length_controlled
    return [
        preference(task.preferred, words),
        task.task,
        f"{task.wins}/{task.ties}/{task.losses}",
        share(task.win_rate),
        NONE if task.delta is None else f"{points(task.delta)} {interval(task.ci)}".strip(),
        probability(task.p_adjusted),
        share(controlled.rate),
    ]


def _pair_notes(task: JudgedTask, words: JudgedWords) -> list[str]:
    notes = []
    if task.position is not None:
        text = words.position_shown if task.position.shown else words.position
        notes.append(text.format(bias=points(task.position.bias), ci=interval(task.position.ci)))
    if task.inconsistent:
        notes.append(words.inconsistent.format(count=task.inconsistent, read=task.read))
    if task.unscored:
        notes.append(words.unscored.format(count=task.unscored))
    if task.identical:
        notes.append(words.identical.format(count=task.identical))
    if task.reliability is not None:
        notes.append(words.reliability.format(alpha=task.reliability))
    return notes


def _grades(found: JudgedGrades, words: JudgedWords) -> list[RenderableType]:
    delta = words.delta_scale.format(level=level(found.alpha), low=found.lowest, high=found.highest)
    heads = [
        words.preferred, words.task, words.measure, words.mean_base, words.mean_candidate, delta, words.p, "n",
    ]  # fmt: skip
    rows = [
        [
            preference(one.preferred, words),
            task.task,
            measure_name(one.name, words),
            NONE if one.base is None else f"{one.base:.2f}",
            NONE if one.candidate is None else f"{one.candidate:.2f}",
            f"{signed(one.delta)} {signed_interval(one.ci)}".strip(),
            probability(one.p_adjusted),
            str(task.n),
        ]
        for task in found.tasks
        for one in task.measures
    ]
    parts: list[RenderableType] = [plain_table(heads, rows, left=3)]
    for task in found.tasks:
        notes = []
        if task.unscored:
            notes.append(words.unscored_grades.format(count=task.unscored))
        if task.identical:
            notes.append(words.identical_grades.format(count=task.identical))
        notes += [
            words.reliability_of.format(measure=measure_name(one.name, words), alpha=one.reliability)
            for one in task.measures
            if one.reliability is not None
        ]
        parts += [Text(f"  {task.task}: {note}", style="dim") for note in notes]
    return parts
