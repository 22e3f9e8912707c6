"""What a model answers is shown, and does nothing: not in a terminal, not on GitHub, not in a browser."""

from __future__ import annotations

import io
import re
import time
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from harness.report.html import render_html
from harness.report.junit import render_junit
from harness.report.markdown import render_markdown
from harness.report.terminal import print_report
from harness.report.untrusted import cells, excerpt, markdown, one_line, spreadsheet, visible
from harness.report.view import View
from harness.report.words import EN
from tests.report.made import view_of_lost

HOSTILE = {
    "ansi": "\x1b[2J\x1b[31mred\x1b]0;title\x07\x9b31m",
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "image": "![x](https://evil.example/track.png) [click](javascript:alert(1)) https://evil.example www.evil.example",
    "override": "safe \u202egnp.exe\u2066 \u200b\u2028\ufeff",
    "formula": '=HYPERLINK("http://evil.example","click")',
    "mention": "@everyone #1 closes #2 GH-3 :smile: `code` $x$ | cell | <!-- comment",
    "quit": "</code></table></details></pre></span><b>free",
    "template": "{{ 7*7 }} {% raw %} ${7*7} [bold]x[/bold]",
    "nul": "a\x00b\x08\x7f\ud800",
}


def terminal(view: View, width: int = 120) -> str:
    out = io.StringIO()
    print_report(Console(file=out, width=width, markup=False, highlight=False, emoji=False), view, EN)
    return out.getvalue()


class _Tags(HTMLParser):
    """Everything in a page that could act."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def page(html: str) -> _Tags:
    found = _Tags()
    found.feed(html)
    return found


@pytest.mark.parametrize("name", HOSTILE)
def test_no_control_or_direction_character_reaches_any_report(name: str) -> None:
    view = view_of_lost({name: HOSTILE[name]}, question=f"Q {HOSTILE[name]}", gold=f"A {HOSTILE[name]}")
    reports = [terminal(view), render_markdown(view, EN), render_html(view, "en"), render_junit(view, EN).decode()]
    for report in reports:
        # A word joiner of our own breaks mentions in Markdown.
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\u2028\ufeff\ud800]", report)


def test_an_answer_with_html_is_text_in_the_page() -> None:
    found = page(render_html(view_of_lost(HOSTILE), "en"))
    assert not found.tags & {"script", "img", "a", "b2", "iframe", "object", "link", "base"}
    assert not any(attribute.startswith("on") for attribute in found.attributes)
    assert not found.attributes & {"src", "href", "action", "srcdoc"}
    assert HOSTILE["script"] in found.text
    assert "{{ 7*7 }}" in found.text


def test_the_page_loads_and_runs_nothing() -> None:
    html = render_html(view_of_lost(HOSTILE), "zh")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "script-src" not in policy[1]
    assert "url(" not in html
    assert "@import" not in html


@pytest.mark.parametrize("name", HOSTILE)
def test_an_answer_with_markdown_is_text_on_github(name: str) -> None:
    text = render_markdown(view_of_lost({name: HOSTILE[name]}, question=HOSTILE[name], gold=HOSTILE[name]), EN)
    found = page(MarkdownIt("gfm-like", {"linkify": False}).render(text))
    assert not found.tags & {"img", "a", "script", "b", "s", "h1"}
    assert " ".join(visible(HOSTILE[name]).split()) in found.text.replace("\u2060", "")
    assert not re.search(r"@\w", found.text)
    assert not re.search(r"#\d", found.text)
    assert "https://" not in text
    assert "www." not in text
    assert ":smile:" not in text
    # Every row of a table keeps its number of cells: no answer broke out of one.
    for block in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        assert len({row.count("|") for row in block.splitlines()}) == 1


def test_markup_of_the_terminal_library_is_text() -> None:
    assert "[bold]x[/bold]" in terminal(view_of_lost({"template": HOSTILE["template"]}))


def test_a_line_of_a_megabyte_is_cut_everywhere() -> None:
    long = "\u202e<b>" + "长" * 1_000_000
    began = time.perf_counter()
    view = view_of_lost({"long": long, **{f"x{i}": long for i in range(20)}})
    reports = [terminal(view), render_markdown(view, EN), render_html(view, "en"), render_junit(view, EN).decode()]
    assert time.perf_counter() - began < 5
    assert max(map(len, reports)) < 400_000
    assert all(len(line) < 6_000 for line in reports[1].splitlines())
    assert "(1,000,004)" in reports[2]


def test_the_xml_can_be_read_back() -> None:
    root = ET.fromstring(render_junit(view_of_lost(HOSTILE), EN))
    assert root.find(".//failure") is not None


def test_names_of_candidates_and_items_are_untrusted_too() -> None:
    view = view_of_lost({"<img src=x>\x1b[31m|@me": "x"})
    assert "img" not in page(render_html(view, "en")).tags
    assert "\x1b" not in terminal(view)
    assert "<img" not in render_markdown(view, EN)


@given(st.text())
def test_visible_text_has_nothing_that_acts_and_is_stable(text: str) -> None:
    shown = visible(text)
    assert all(char in "\n\t" or ord(char) >= 0x20 for char in shown)
    assert not any(0xD800 <= ord(char) <= 0xDFFF for char in shown)
    assert visible(shown) == shown


@given(st.text(), st.integers(1, 60))
def test_one_line_is_one_line_and_fits(text: str, width: int) -> None:
    line = one_line(text, width)
    assert "\n" not in line
    assert sum(map(cells, line)) <= width


@given(st.text(alphabet="<>&[]()!*_`|\\#@:$~^{}-+=1.w aA\n"))
def test_markdown_text_comes_back_as_the_text_it_was(text: str) -> None:
    html = MarkdownIt("gfm-like", {"linkify": False}).render(f"x {markdown(text)}")
    found = page(html)
    assert found.tags <= {"p"}
    assert found.text.replace("\u2060", "").split() == ["x", *visible(text).split()]


@given(st.text(alphabet="<>-+=1.)# aA"))
def test_markdown_at_the_start_of_a_line_is_text(text: str) -> None:
    found = page(MarkdownIt("gfm-like", {"linkify": False}).render(markdown(text)))
    assert found.tags <= {"p"}


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "  =1", "\t=1", "\tx", "\r=1", "\n=1", "\u00a0=1", "＝1", "＋1", "－1", "＠x"]
)
def test_a_spreadsheet_cell_is_no_formula(text: str) -> None:
    assert not re.match(r"\s*[=+\-@＝＋－＠]|[\t\r\n]", spreadsheet(text))


@pytest.mark.parametrize("text", ["1 + 1 = 2", "a-b", "", "每天 2 次", "'x"])
def test_a_cell_that_is_no_formula_stays_as_it_is(text: str) -> None:
    assert spreadsheet(text) == text


def test_ordinary_chinese_text_is_unchanged() -> None:
    text = "每天 2 次，每次 500 mg（饭后）。👩‍⚕️"
    assert visible(text) == excerpt(text) == text
    assert one_line(text, 80) == text
