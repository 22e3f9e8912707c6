"""Pairwise judging on the terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.judge.results import JudgedPairs, JudgedTask, Preferred
from harness.report.judged_words import JudgedWords, judged_words
from harness.report.numbers import interval, level, points, probability, share
from harness.report.untrusted import one_line
from harness.report.words import Language


def render_judged(found: JudgedPairs, language: Language) -> RenderableType:
    """The table, what makes it doubtful before it, and what it stands on after it."""
    words = judged_words(language)
    judges = ", ".join(judge.name for judge in found.judges)
    title = words.title.format(suite=found.suite, base=found.base, candidate=found.candidate, judges=judges)
    parts: list[RenderableType] = [Text(one_line(title, 400), style="bold"), Text(f"! {words.uncalibrated}")]
    parts += [
        Text(f"! {words.partial.format(judge=one_line(judge.name, 80), why=judge.itself)}")
        for judge in found.judges
        if judge.itself
    ]
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="dim")
    heads = (words.preferred, words.task, words.wins, words.rate, words.delta, words.p, words.controlled)
    for number, head in enumerate(heads):
        table.add_column(Text(head.format(level=level(found.alpha))), justify="left" if number < 2 else "right")
    for task in found.tasks:
        table.add_row(*map(Text, _row(task, words)))
    parts += [Text(""), table]
    for task in found.tasks:
        parts += [Text(f"  {task.task}: {note}", style="dim") for note in _notes(task, words)]
    if found.left_out:
        parts.append(Text(f"  {words.left_out.format(count=found.left_out)}", style="dim"))
    footer = words.footer.format(comparison=found.comparison, prompt=found.prompt, seed=found.seed)
    parts.append(Text(f"{footer}; {words.reference if found.reference else words.no_reference}", style="dim"))
    return Group(*parts)


def _row(task: JudgedTask, words: JudgedWords) -> list[str]:
    preferred: Preferred = task.preferred
    delta = "–" if task.delta is None else f"{points(task.delta)} {interval(task.ci)}".strip()
    controlled = task.length_controlled
    equal = "–" if controlled.rate is None else share(controlled.rate)
    return [
        {"candidate": words.candidate, "base": words.base, "neither": words.neither}[preferred],
        task.task,
        f"{task.wins}/{task.ties}/{task.losses}",
        "–" if task.win_rate is None else share(task.win_rate),
        delta,
        probability(task.p_adjusted),
        equal,
    ]


def _notes(task: JudgedTask, words: JudgedWords) -> list[str]:
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
