"""Small tables that several commands print."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from harness.cli.console import open_console
from harness.cli.summary import MetricScore
from harness.report.numbers import share
from harness.report.untrusted import one_line
from harness.runs.files import RunManifest

_CELL = 60


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, stderr: bool = False, cell: int = _CELL
) -> None:
    """A table whose cells may hold anything."""
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
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
