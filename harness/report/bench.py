"""A bench of deployments on the terminal, as Markdown, and as a page."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.bench.results import ServingBench
from harness.report.bench_view import BenchTable, bench_table
from harness.report.bench_words import bench_words
from harness.report.untrusted import cells, markdown, one_line, visible
from harness.report.words import Language, words

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_CELL, _LINE = 60, 400
#: Columns that a name is given at least, as far as it needs them.
_NAME = 24
#: Columns of texts; all others are numbers and stand on the right.
_TEXTS = (0, 10)


def render_bench(bench: ServingBench, language: Language) -> RenderableType:
    """For a terminal: what makes the numbers doubtful first, what they stand on last."""
    found = _table(bench, language)
    name = min(_NAME, max((sum(map(cells, line)) for row in found.rows for line in row[0]), default=1))
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="dim")
    for number, head in enumerate(found.heads):
        table.add_column(
            Text(head),
            justify="left" if number in _TEXTS else "right",
            overflow="fold",
            min_width=name if number == 0 else None,
        )
    for row in found.rows:
        table.add_row(*(Text("\n".join(one_line(line, _CELL) for line in cell)) for cell in row))
    return Group(
        Text(one_line(found.title, _LINE), style="bold"),
        *(Text(f"! {one_line(line, _LINE)}") for line in found.warnings),
        Text(""),
        table,
        *(Text(one_line(line, _LINE), style="dim") for line in found.notes),
    )


def render_bench_markdown(bench: ServingBench, language: Language) -> str:
    """For a pull request; text of files and servers is inert."""
    found = _table(bench, language)
    rule = "|".join("---" if number in _TEXTS else "--:" for number in range(len(found.heads)))
    lines = [f"### {markdown(found.title)}", "", *(f"- {markdown(line)}" for line in found.warnings), ""]
    lines += [f"| {' | '.join(map(markdown, found.heads))} |", f"|{rule}|"]
    lines += [
        f"| {' | '.join('<br>'.join(markdown(one_line(line, _LINE)) for line in cell) for cell in row)} |"
        for row in found.rows
    ]
    return "\n".join([*lines, "", *(f"<sub>{markdown(line)}</sub>  " for line in found.notes), ""])


def render_bench_html(bench: ServingBench, language: Language) -> str:
    """One file that loads nothing and runs nothing, in both languages, opened in `language`."""
    tables = [(one, _table(bench, one)) for one in _languages()]
    return _template().render(tables=tables, language=language, texts=_TEXTS, title=bench.suite)


def _table(bench: ServingBench, language: Language) -> BenchTable:
    return bench_table(bench, bench_words(language), words(language))


def _languages() -> tuple[Language, ...]:
    return ("en", "zh")


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = visible
    return environment.get_template("bench.html.j2")
