"""The report that a person reads in a terminal, in ten seconds."""

from __future__ import annotations

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.comparison.results import SliceResult
from harness.comparison.statistics.verdict import Verdict
from harness.doctor.finding import Finding
from harness.errors import EXIT_OK
from harness.report.conclusion import conclusion
from harness.report.gate import gate_reasons, gate_word
from harness.report.numbers import interval, level, points, probability, share
from harness.report.repeats import repeat_notes, repeat_rows
from harness.report.untrusted import one_line
from harness.report.view import CandidateView, Flip, TaskView, View, task_notes
from harness.report.words import Words

# A symbol beside each word, so that the table says the same without colours.
_VERDICTS: dict[Verdict, tuple[str, str]] = {
    "improved": ("▲", "green"),
    "held": ("=", "cyan"),
    "regressed": ("▼", "bold red"),
    "inconclusive": ("?", "yellow"),
}
#: Below this width the table leaves p and flips to the notes.
_WIDE = 104
_QUESTION = 200
_ANSWER = 320


def print_report(console: Console, view: View, words: Words) -> None:
    """Print everything about a comparison to `console`."""
    comparison = view.comparison
    wide = console.width >= _WIDE
    for candidate in view.candidates:
        for part in _candidate(view, candidate, words, wide=wide):
            console.print(part)
    asked = words.asked.format(
        engine=f"{comparison.engine} {comparison.engine_version}".strip(), seed=comparison.seed, alpha=comparison.alpha
    )
    parts = [words.footer.format(id=comparison.id, version=comparison.harness_version), asked]
    if comparison.temperature is not None:
        parts.append(words.temperature.format(temperature=comparison.temperature))
    if comparison.limit:
        parts.append(words.limited.format(limit=comparison.limit))
    console.print(Text(words.join.join(parts), style="dim"))


def _candidate(view: View, candidate: CandidateView, words: Words, *, wide: bool) -> list[RenderableType]:
    comparison = view.comparison
    title = words.title.format(suite=comparison.suite, base=comparison.base, candidate=candidate.name)
    parts: list[RenderableType] = [Text(), Text(title, style="bold")]
    parts += [_finding(finding, words) for finding in candidate.troubles]
    if candidate.prompts_differ:
        parts.append(Text(f"! {words.prompts_differ}", style="yellow"))
    parts += [Text(f"! {warning}", style="yellow") for warning in candidate.warnings]
    parts += [Text(), _results(view, candidate, words, wide=wide)]
    for task in candidate.tasks:
        notes = task_notes(task, words) if wide else [*_left_out(task, words), *task_notes(task, words)]
        if notes:
            parts.append(_indented(Text(f"{task.result.task}: {words.join.join(notes)}", style="dim")))
    parts += _repeats(view, candidate, words)
    parts += _changes(candidate, words)
    if candidate.telling:
        parts += [Text(), Text(words.lost, style="bold")]
        parts += [_flip(flip, words) for flip in candidate.telling]
    sentence = Text(f"{words.conclusion}: ", style="bold")
    sentence.append(conclusion(candidate, comparison.alpha, words))
    gate = Text(f"{words.gate}: ", style="bold")
    gate.append(gate_word(candidate.code, words), style="green" if candidate.code == EXIT_OK else "bold red")
    parts += [Text(), sentence, gate]
    parts += [_indented(Text(f"- {reason}")) for reason in gate_reasons(candidate, words)]
    return parts


def _finding(finding: Finding, words: Words) -> Text:
    failed = finding.status == "fail"
    text = Text("✖ " if failed else "! ", style="bold red" if failed else "yellow")
    text.append(f"{words.doctor}: {finding.probe}: {words.statuses[finding.status]}: ")
    text.append(finding.text, style="not bold")
    text.append(f" ({words.explained.format(probe=finding.probe)})", style="not bold dim")
    return text


def _results(view: View, candidate: CandidateView, words: Words, *, wide: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True, padding=(0, 1))
    table.add_column(words.verdict, no_wrap=True)
    table.add_column(words.task, overflow="fold", min_width=10)
    table.add_column(f"{words.base} → {words.candidate}", justify="right", no_wrap=True)
    table.add_column(words.delta.format(level=level(view.comparison.alpha)), justify="right", no_wrap=True)
    table.add_column(words.items, justify="right", no_wrap=True)
    if wide:
        table.add_column(words.p_adjusted, justify="right", no_wrap=True)
        table.add_column(words.flips, justify="right", no_wrap=True)
    for task in candidate.tasks:
        result = task.result
        name = Text(result.task)
        name.append(f" {words.roles[result.role]}", style="dim")
        cells: list[RenderableType] = [
            _verdict(result.verdict, words),
            name,
            f"{share(result.base)} → {share(result.candidate)}",
            f"{points(result.delta)} {interval(result.ci)}".strip(),
            f"{result.n:,}",
        ]
        if wide:
            cells.append(probability(result.p_adjusted))
            cells.append(words.flip_counts.format(gained=len(result.gained), lost=len(result.lost)))
        table.add_row(*cells)
    return table


def _left_out(task: TaskView, words: Words) -> list[str]:
    result = task.result
    flips = words.flips_note.format(gained=len(result.gained), lost=len(result.lost))
    return [words.p_note.format(p=probability(result.p_adjusted)), flips]


def _verdict(verdict: Verdict | None, words: Words) -> Text:
    if verdict is None:
        return Text()
    symbol, style = _VERDICTS[verdict]
    return Text(f"{symbol} {words.verdicts[verdict]}", style=style)


def _repeats(view: View, candidate: CandidateView, words: Words) -> list[RenderableType]:
    """pass@k, the majority vote and the parts of the variance; nothing where items were answered once."""
    table = Table(box=None, show_header=False, pad_edge=False, collapse_padding=True, padding=(0, 1))
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True)
    for _ in range(2):
        table.add_column(justify="right", no_wrap=True)
    lines: list[RenderableType] = []
    for task in candidate.tasks:
        if (found := task.result.over_repeats) is None:
            continue
        for row in repeat_rows(found, words):
            compared = row.compared
            table.add_row(
                Text(task.result.task, style="dim"),
                row.label,
                f"{share(compared.base)} → {share(compared.candidate)}",
                f"{points(compared.delta)} {interval(compared.ci)}".strip(),
            )
        if notes := repeat_notes(found, words):
            lines.append(_indented(Text(f"{task.result.task}: {words.join.join(notes)}", style="dim")))
    rows: list[RenderableType] = [_indented(table)] if table.row_count else []
    title = words.over_repeats.format(count=view.comparison.repeats)
    return [Text(), Text(title, style="bold"), *rows, *lines] if rows or lines else []


def _changes(candidate: CandidateView, words: Words) -> list[RenderableType]:
    table = Table(box=None, show_header=False, pad_edge=False, collapse_padding=True, padding=(0, 1))
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for _ in range(3):
        table.add_column(justify="right", no_wrap=True)
    for task in candidate.tasks:
        for part in _extremes(task):
            table.add_row(
                Text(task.result.task, style="dim"),
                Text(one_line(f"{part.key}={part.value}", 28)),
                f"{share(part.base)} → {share(part.candidate)}",
                f"{points(part.delta)} {interval(part.ci)}".strip(),
                f"{words.items} {part.n:,}",
            )
    blind = [line for task in candidate.tasks if (line := _blind(task, words))]
    if not table.row_count and not blind:
        return []
    rows: list[RenderableType] = [_indented(table)] if table.row_count else []
    return [Text(), Text(words.slices, style="bold"), *rows, *(_indented(Text(line, style="dim")) for line in blind)]


def _extremes(task: TaskView) -> list[SliceResult]:
    """Where a task surely lost most and where it surely gained most; one slice is no place."""
    if task.result.identical or len(task.slices) < 2:
        return []
    sure = [part for part in task.slices if not part.uninformative and part.ci and not part.ci[0] <= 0 <= part.ci[1]]
    return sure if len(sure) < 2 else [sure[0], sure[-1]]


def _blind(task: TaskView, words: Words) -> str:
    """The difficulty tiers that can show nothing; "" when the whole task is like that, which its note says."""
    if task.result.note_code.startswith("uninformative"):
        return ""
    blind = [one_line(part.value, 28) for part in task.slices if part.uninformative and part.key == "difficulty"]
    return words.blind_slices.format(task=task.result.task, slices=words.list_join.join(blind)) if blind else ""


def _flip(flip: Flip, words: Words) -> RenderableType:
    head = Text(f"{flip.task} {one_line(flip.item_id, 40)} ", style="dim")
    head.append(one_line(flip.question, _QUESTION) if flip.question else words.no_text, style="not dim")
    head.append(f"\n{words.gold}: ", style="dim")
    head.append(one_line(" / ".join(flip.gold), _QUESTION) if flip.gold else words.no_text, style="not dim")
    sides = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1), expand=True)
    for _ in range(2):
        sides.add_column(no_wrap=True)
        sides.add_column(ratio=1, overflow="fold")
    sides.add_row(
        Text(words.base, style="green"),
        Text(one_line(flip.base, _ANSWER)),
        Text(words.candidate, style="red"),
        Text(one_line(flip.candidate, _ANSWER)),
    )
    grid = Table.grid(expand=True)
    grid.add_row(head)
    grid.add_row(sides)
    return _indented(grid)


def _indented(part: RenderableType) -> Padding:
    return Padding(part, (0, 0, 0, 2), expand=False)
