"""The check of a gold set as a person reads it in a terminal, in ten seconds."""

from __future__ import annotations

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.gold.checks.finding import Evidence, Finding, Severity
from harness.report.check_words import CheckWords
from harness.report.untrusted import one_line
from harness.report.worth import DISCORDANCES, GoldsetCheck

# A symbol beside each colour, so that the page says the same without colours.
_SEVERITIES: dict[Severity, tuple[str, str]] = {
    "error": ("✖", "bold red"),
    "warning": ("!", "yellow"),
    "info": ("·", "dim"),
}
#: Pieces of evidence shown below a finding; a page has them all.
_SHOWN: dict[Severity, int] = {"error": 3, "warning": 2, "info": 0}
_CELLS = 76
_MOST_TOPICS = 24
_LEVELS = ("easy", "medium", "hard")


def print_check(console: Console, check: GoldsetCheck, words: CheckWords) -> None:
    """Print what was found, the worst first, then the tables."""
    console.print(Text(words.title.format(name=one_line(check.name, 60)), style="bold"))
    languages = ", ".join(f"{one_line(name, 12)} {count:,}" for name, count in check.languages.items())
    console.print(Text(words.set_line.format(items=check.items, languages=languages, digest=check.digest[:16])))
    if check.units < check.items:
        line = words.independent.format(units=check.units, clusters=check.clusters, near=check.near_clusters)
        console.print(Text(line, style="dim"))
    console.print()
    for finding in check.findings:
        for part in _finding(finding, words):
            console.print(part)
    tally = check.tally()
    clean = not tally["error"] and not tally["warning"]
    style = "bold red" if tally["error"] else "yellow" if tally["warning"] else "green"
    counted = words.verdict.format(**tally)
    console.print(Text(words.verdict_clean if clean else counted, style=style))
    columns, rows = topic_table(check.counts, words)
    if len(rows) > 1 or len(columns) > 2:
        console.print(Text())
        console.print(Text(words.coverage, style="bold"))
        left_out = len(rows) - _MOST_TOPICS if len(rows) > _MOST_TOPICS + 1 else 0
        if left_out:  # the sums stay
            rows = [
                *rows[: _MOST_TOPICS - 1],
                ["…", *[""] * (len(columns) - 2), words.more.format(count=left_out)],
                rows[-1],
            ]
        console.print(_table(columns, rows, numbers=len(columns) - 1))
    console.print(Text())
    console.print(Text(words.worth, style="bold"))
    console.print(Text(words.worth_note, style="dim"))
    console.print(_table(*worth_table(check, words), numbers=2 + len(DISCORDANCES)))


def topic_table(counts: dict[str, dict[str, int]], words: CheckWords) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of topic by difficulty, with sums."""
    found = {level for row in counts.values() for level in row}
    levels = [level for level in _LEVELS if level in found] + sorted(found.difference(_LEVELS))
    levels = levels if levels != ["-"] else []
    rows = [
        [topic, *(str(row.get(level, 0)) for level in levels), str(sum(row.values()))] for topic, row in counts.items()
    ]
    if len(rows) > 1:
        sums = [sum(row.get(level, 0) for row in counts.values()) for level in levels]
        total = sum(sum(row.values()) for row in counts.values())
        rows.append([words.all, *map(str, sums), str(total)])
    return [words.topic, *levels, words.all], rows


def worth_table(check: GoldsetCheck, words: CheckWords) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of the smallest differences, for the whole set and each difficulty."""
    columns = [words.tier, words.items, words.units, *(words.disagree.format(share=d) for d in DISCORDANCES)]
    rows = []
    for worth in check.worth:
        shown = [worth.smallest[discordance] for discordance in DISCORDANCES]
        cells = [words.nothing if value is None else words.points.format(value=100 * value) for value in shown]
        rows.append([worth.tier or words.all, f"{worth.items:,}", f"{worth.units:,}", *cells])
    return columns, rows


def _finding(finding: Finding, words: CheckWords) -> list[RenderableType]:
    symbol, style = _SEVERITIES[finding.severity]
    head = Text(f"{symbol} ", style=style)
    head.append(one_line(words.what(finding), 1000), style="not dim" if finding.severity == "info" else None)
    parts: list[RenderableType] = [head]
    shown = finding.evidence[: _SHOWN[finding.severity]]
    for evidence in shown:
        parts += [_indented(line) for line in _evidence(evidence, words)]
    if shown and len(finding.evidence) > len(shown):
        parts.append(_indented(Text(words.more.format(count=finding.count - len(shown)), style="dim")))
    parts.append(_indented(Text(words.remedy + words.to_do(finding), style="dim")))
    return parts


def _evidence(evidence: Evidence, words: CheckWords) -> list[Text]:
    lines = []
    for quote in evidence.quotes[:3]:
        line = Text(f"{one_line(quote.where, 40)} ", style="dim")
        line.append(one_line(quote.question, _CELLS), style="not dim")
        if quote.answer:
            line.append(f" = {one_line(quote.answer, 30)}", style="not dim")
        lines.append(line)
    notes = []
    if evidence.likeness is not None and evidence.likeness < 1:
        notes.append(words.likeness.format(value=evidence.likeness))
    if evidence.answered is not None:
        notes.append(words.answered if evidence.answered else words.not_answered)
    if notes and lines:
        lines[-1].append(f"  ({', '.join(notes)})", style="dim")
    return lines


def _table(columns: list[str], rows: list[list[str]], *, numbers: int) -> Padding:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    for place, column in enumerate(columns):
        number = place >= len(columns) - numbers
        table.add_column(
            one_line(column, 30), justify="right" if number else "left", overflow="fold", header_style="dim"
        )
    for row in rows:
        table.add_row(*(Text(one_line(cell, 40)) for cell in row))
    return _indented(table)


def _indented(part: RenderableType) -> Padding:
    return Padding(part, (0, 0, 0, 2), expand=False)
