"""From hostile answers, items, slices and names in files to every output of the command line: nothing acts."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import openpyxl
import pytest
from lxml import etree
from markdown_it import MarkdownIt

from harness.judge.labels.reading import read_labels
from harness.judge.labels.sheet import Sheet, write_sheet
from harness.report.markdown import LONGEST
from harness.runs.files import RunStore
from tests.browser import Open
from tests.cli.conftest import Bench, right
from tests.report.test_hostile import page

TEXTS = (
    "<script>window.acted = 1; alert(1)</script>",
    "<img src=https://evil.example/a onerror='window.acted = 1'>",
    "![x](https://evil.example/track.png) [click](javascript:alert(1)) <https://evil.example> www.evil.example",
    "\x1b[2J\x1b]0;owned\x07\x1b[31mred \x9b31m",
    "safe \u202egnp.exe\u2066 \u200b\u2028",
    "a\x00b\x08c\x7f\ufffe",
    "@everyone #1 closes GH-2 !3 ~bug | cell | `code` $x$ <!--",
    "</details></table></html>\n/approve\n\n# heading\n\n```\nopen",
    "长" * 300_000 + "\u202e<b>",
    *(f'{start}HYPERLINK("http://evil.example","click")' for start in ("=", "+", "-", "@", "\t=", "\r=", "＝", " ")),
)
#: How a text begins that a spreadsheet might run.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
NAME = "<img src=x onerror=alert(1)> ‮@me #1.jsonl"


@pytest.fixture
def hostile(bench: Bench) -> Bench:
    """The base is right everywhere; the candidate says something hostile to every item, whose own texts are hostile."""
    ids = [f"{text[:80]} {n}" for n, text in enumerate(TEXTS)]
    for name, prefix in (("facts", "f"), ("general", "g")):
        bench.gold(
            f"{name}.jsonl",
            [
                {"id": prefix + ids[n], "question": f"Q {text[:5000]}", "answer": [right(n), f"or {text[:500]}"],
                 "metadata": {"difficulty": text[:60]}}
                for n, text in enumerate(TEXTS)
            ],
        )  # fmt: skip
    for name, answer in (("base.jsonl", lambda n: right(n)), (NAME, lambda n: TEXTS[n])):
        rows = [
            {"task": task, "item_id": prefix + ids[n], "output": answer(n)}
            for task, prefix in (("facts", "f"), ("general", "g"))
            for n in range(len(TEXTS))
        ]
        bench.write(name, "".join(json.dumps(row) + "\n" for row in rows))
    asked = ("--json", "out.json", "--markdown", "out.md", "--html", "out.html", "--junit", "out.xml")
    assert bench("compare", "replay:base.jsonl", f"replay:{NAME}", "--suite", "suite.yaml", *asked).code == 0
    return bench


def test_neither_a_comment_nor_junit_holds_what_acts(hostile: Bench) -> None:
    comment = (hostile.folder / "out.md").read_text()
    assert len(comment) <= LONGEST
    rendered = page(MarkdownIt("gfm-like", {"linkify": False}).render(comment))
    assert not rendered.tags & {"img", "a", "script", "h1", "pre"}
    assert not re.search(r"[@#!~]\w|https://|www\.|^/", rendered.text, re.MULTILINE)
    cases = etree.fromstring((hostile.folder / "out.xml").read_bytes())
    etree.XMLSchema(etree.parse(Path(__file__).parents[1] / "report" / "junit.xsd")).assertValid(cases)


def test_the_page_holds_nothing_that_acts(hostile: Bench, opened: Open) -> None:
    found = opened((hostile.folder / "out.html").read_text(), bypass_csp=True)
    assert (found.requests, found.dialogs, found.errors) == ([], [], [])
    assert found.page.evaluate("window.acted") is None
    assert "<script>window.acted = 1; alert(1)</script>" in found.page.locator("body").inner_text()


def test_nothing_printed_moves_the_cursor_or_the_reading_direction(hostile: Bench) -> None:
    comparison = json.loads((hostile.folder / "out.json").read_text())
    run = comparison["comparisons"][0]["run_ids"]["candidate"]
    printed = [
        hostile("gate", "out.json"),
        hostile("gate", "out.json", "--lang", "zh"),
        hostile("runs", "list"),
        hostile("runs", "show", comparison["id"]),
        hostile("runs", "show", run),
        hostile("goldset", "show", "facts.jsonl", "--count", "99"),
        hostile("run", f"replay:{NAME}", "--suite", "suite.yaml", "--limit", "2"),
        hostile("gate", f"{NAME}\x1b[2J"),
        hostile("goldset", "check", "facts.jsonl"),
    ]
    for result in printed:
        assert result.out + result.err
        assert result.code in (0, 1, 2), result
        bad = {char for char in result.out + result.err if not char.isprintable() and char not in "\n\u3000"}
        assert not bad, (result.out + result.err)[:3000]


@pytest.mark.parametrize("side", ["base", "candidate"])
def test_no_cell_of_an_export_is_a_formula(hostile: Bench, side: str) -> None:
    run = json.loads((hostile.folder / "out.json").read_text())["comparisons"][0]["run_ids"][side]
    assert hostile("runs", "export", run, "--format", "csv", "--output", "out.csv").code == 0
    text = (hostile.folder / "out.csv").read_text(encoding="utf-8-sig")
    csv.field_size_limit(10_000_000)
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == 1 + 2 * len(TEXTS)
    assert {len(row) for row in rows} == {len(rows[0])}
    assert not [cell for row in rows for cell in row if _FORMULA.match(cell)]
    assert not [char for char in text if not char.isprintable() and char not in "\r\n\t\u3000"]


def test_a_label_sheet_of_hostile_answers_holds_no_formula_and_is_read_back(hostile: Bench) -> None:
    comparison = json.loads((hostile.folder / "out.json").read_text())["id"]
    for suffix in ("xlsx", "jsonl"):
        done = hostile("judge", "label", comparison, "--output", f"sheet.{suffix}", "--items", "99", "--seed", "1")
        if suffix == "xlsx":
            assert done.code == 2
            assert "300,004 characters does not fit a cell" in done.err
        else:
            assert done.code == 0
    rows = [json.loads(line) for line in (hostile.folder / "sheet.jsonl").read_text().split("\n") if line]
    said = {row["answer_a"] for row in rows} | {row["answer_b"] for row in rows}
    assert {text for text in TEXTS if text in said} == set(TEXTS), "JSON lines hold every answer as it was"
    filled = "".join(json.dumps(row | {"preference": "A"}, ensure_ascii=False) + "\n" for row in rows)
    labels = read_labels([hostile.write("wang.jsonl", filled)], RunStore("runs"))
    assert len(labels.said[0]) == len(rows) == 2 * len(TEXTS)


def test_an_excel_sheet_of_hostile_answers_holds_texts_alone(hostile: Bench) -> None:
    short = tuple(text for text in TEXTS if len(text) < 30_000)
    sheet = Sheet(("row", "answer"), ("preference",), tuple((f"r{n}", t) for n, t in enumerate(short)), short, ("A",))
    book = openpyxl.load_workbook(io.BytesIO(write_sheet(sheet, Path("s.xlsx"))))
    cells = [cell for line in book["labels"].iter_rows(min_row=2) for cell in line if cell.value is not None]
    assert len(cells) == 2 * len(short)
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.quotePrefix for cell in cells), "also after somebody has edited the cell"
