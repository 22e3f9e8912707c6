"""What the reports of a judging and of its calibration share."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from harness.judge.results import Preferred
from harness.judge.scales import OVERALL
from harness.report.judged_words import JudgedWords


def preference(preferred: Preferred, words: JudgedWords) -> str:
    """Who is better, with a mark that needs no colour."""
    return {"candidate": words.candidate, "base": words.base, "neither": words.neither}[preferred]


def measure_name(measure: str, words: JudgedWords) -> str:
    """A criterion as the rubric calls it; the mean has a name in either language."""
    return words.overall if measure == OVERALL else measure


def plain_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: int) -> Table:
    """A table without lines.

    Args:
        left: so many columns are aligned left, the others right.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="dim")
    for number, head in enumerate(heads):
        table.add_column(Text(head), justify="left" if number < left else "right")
    for row in rows:
        table.add_row(*map(Text, row))
    return table
