"""Small tables that several commands print."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from harness.cli.console import open_console
from harness.cli.summary import MetricScore
from harness.comparison.repeats_alone import OverRepeatsAlone
from harness.report.numbers import share, size, variance
from harness.report.repeats import narrowing
from harness.report.untrusted import one_line
from harness.report.words import EN
from harness.runs.files import RunManifest

_CELL = 60


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, stderr: bool = False, cell: int = _CELL
) -> None:
    """A table whose cells may hold anything."""
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="dim")
    for column in columns:
        table.add_column(Text(one_line(column, cell)), overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(text, cell)) for text in row))
    open_console(stderr=stderr).print(table)


def print_facts(facts: Sequence[tuple[str, str]], *, stderr: bool = False) -> None:
    """Names and values, one pair a line; nothing is cut."""
    console = open_console(stderr=stderr)
    width = max((len(name) for name, _ in facts), default=0)
    for name, value in facts:
        console.print(Text(f"{name:<{width}}  {' '.join(one_line(value, 4000).split())}"), soft_wrap=True)


def print_scores(
    manifest: RunManifest, scores: Sequence[tuple[str, str, MetricScore]], *, stderr: bool = False
) -> None:
    """The scores of one run: each with its n and interval."""
    rows = []
    for task, metric, score in scores:
        between = f"{share(score.ci[0])} to {share(score.ci[1])}" if score.ci else ""
        rows.append([task, metric, share(score.score), between, str(score.n), str(score.failed)])
    print_facts([("candidate", manifest.candidate.name), ("run", manifest.id)], stderr=stderr)
    print_table(("task", "metric", "score", "interval", "n", "failed"), rows, stderr=stderr)
    _print_repeats([(task, metric, s.over_repeats) for task, metric, s in scores if s.over_repeats], stderr=stderr)


def _print_repeats(found: Sequence[tuple[str, str, OverRepeatsAlone]], *, stderr: bool) -> None:
    """pass@k, the majority vote and the parts of the variance; nothing where items were answered once."""
    rows, notes = [], []
    for task, metric, over in found:
        numbers = [(f"pass@{one.k}", one.score, one.ci) for one in over.pass_at]
        if over.majority is not None:
            numbers.append((f"majority@{over.repeats}", over.majority.score, over.majority.ci))
        rows += [
            [task, metric, name, share(score), f"{share(ci[0])} to {share(ci[1])}" if ci else ""]
            for name, score, ci in numbers
        ]
        if (parts := over.variance) is not None:
            said = [
                f"variance between items {variance(parts.between)}, among the answers to one item "
                f"{variance(parts.within)}",
                f"standard error of the mean {size(parts.se)} points, {size(parts.se_items)} by the items and "
                f"{size(parts.se_repeats)} by the draws (the squares add up)",
                *narrowing(parts, over.narrows, EN),
            ]
            notes.append(f"{task}, {metric}: {'; '.join(said)}")
    if not found:
        return
    console = open_console(stderr=stderr)
    console.print(Text(f"Over {found[0][2].repeats} answers to each item"))
    if rows:
        print_table(("task", "metric", "", "score", "interval"), rows, stderr=stderr)
    for note in notes:
        console.print(Text(one_line(note, 4000), style="dim"))
