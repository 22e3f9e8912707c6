"""The reports of `harness goldset check`: both languages say the same, and no text of an item acts."""

from __future__ import annotations

import io
from pathlib import Path
from string import Formatter

import pytest
from rich.console import Console

from harness.gold.checks import check_goldset
from harness.gold.checks.finding import Finding
from harness.gold.checks.messages import MESSAGES
from harness.gold.goldset import GoldSet
from harness.gold.item import Item
from harness.gold.notice import NOTICES, Notice
from harness.report.check_html import render_check
from harness.report.check_terminal import print_check
from harness.report.check_words import CHECK_EN, CHECK_ZH, CheckWords
from harness.report.worth import GoldsetCheck, with_worth
from tests.report.test_hostile import HOSTILE, _Tags


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_know_every_finding_and_the_same_names() -> None:
    assert set(CHECK_ZH.messages) == set(CHECK_EN.messages) == set(MESSAGES)
    for code, english in MESSAGES.items():
        chinese = CHECK_ZH.messages[code]
        assert names(chinese.what) == names(english.what), code
        assert names(chinese.remedy) == names(english.remedy), code
        for text in (chinese.what, chinese.remedy):
            assert any("\u4e00" <= char <= "\u9fff" for char in text), code


def test_every_notice_of_reading_is_a_finding_with_words_of_its_own() -> None:
    assert {code: MESSAGES[code].what for code in NOTICES} == dict(NOTICES)


def test_where_nothing_can_be_shown_no_number_of_points_is_promised() -> None:
    item = Item(id="only", question="头痛常见的原因有哪些？", answer="紧张")
    check = with_worth(check_goldset(GoldSet(name="one", items=(item,), path=Path("one.jsonl"))))
    found = next(finding for finding in check.findings if finding.code == "too-few-items")
    assert "1 independent items show no difference, however large" in found.what
    assert "差异再大也看不出来" in CHECK_ZH.what(found)
    assert "few-items" not in {finding.code for finding in check.findings}


def test_both_languages_have_the_same_names_in_every_text() -> None:
    for field in CheckWords.__dataclass_fields__:
        one, two = getattr(CHECK_EN, field), getattr(CHECK_ZH, field)
        if isinstance(one, str):
            assert names(one) == names(two), field


def made(hostile: str) -> GoldsetCheck:
    rows = [
        {
            "id": f"a{hostile}"[:60],
            "question": f"问题 {hostile}",
            "answer": hostile,
            "metadata": {"topic": hostile, "difficulty": "x"},
        },
        {
            "id": "b",
            "question": f"问题 {hostile}",
            "answer": "other",
            "metadata": {"topic": "t", "difficulty": hostile},
        },
        {"id": "c", "question": "别的题目是什么？", "answer": "无", "metadata": {"topic": "t"}},
    ]
    items = tuple(Item.model_validate(row) for row in rows)
    notice = Notice("no-card", {"path": hostile})
    return with_worth(check_goldset(GoldSet(name=hostile, items=items, path=Path("made.jsonl"), notices=(notice,))))


def terminal(check: GoldsetCheck, words: CheckWords, width: int = 120) -> str:
    out = io.StringIO()
    print_check(Console(file=out, width=width, markup=False, highlight=False, emoji=False), check, words)
    return out.getvalue()


@pytest.mark.parametrize("name", HOSTILE)
def test_the_page_holds_no_tag_of_an_item_and_loads_nothing(name: str) -> None:
    page = render_check(made(HOSTILE[name]), "en")
    seen = _Tags()
    seen.feed(page)
    clean = _Tags()
    clean.feed(render_check(made("plain"), "en"))
    assert seen.tags <= clean.tags
    assert seen.attributes <= clean.attributes
    assert not seen.tags & {"script", "img", "a", "iframe", "link", "object"}
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "default-src 'none'" in page


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("words", [CHECK_EN, CHECK_ZH], ids=["en", "zh"])
def test_the_terminal_shows_no_escape_of_an_item(name: str, words: CheckWords) -> None:
    text = terminal(made(HOSTILE[name]), words)
    assert not {char for char in text if char != "\n" and not char.isprintable() and char != "\u3000"}


def test_the_page_has_both_languages_and_all_pairs() -> None:
    page = render_check(made("plain"), "zh")
    assert '<html lang="zh">' in page
    assert "the same question has different answers" in page
    assert "同一道题有不同的答案" in page
    assert "other" in page


def test_a_clean_set_is_told_in_a_few_lines() -> None:
    items = tuple(
        Item(id=f"i{n}", question=f"{chr(0x4E00 + 7 * n)}{chr(0x5E00 + 11 * n)}{chr(0x6E00 + 13 * n)}", answer=f"答{n}")
        for n in range(300)
    )
    text = terminal(with_worth(check_goldset(GoldSet(name="clean", items=items, path=Path("x.jsonl")))), CHECK_EN)
    assert "Nothing was found" in text
    assert len(text.splitlines()) <= 14


def test_a_finding_fits_any_width() -> None:
    for width in (60, 80, 200):
        assert "different answers" in terminal(made("plain"), CHECK_EN, width).replace("\n", " ")


def test_every_finding_can_be_told_in_words() -> None:
    """The texts of a finding come from its own values: one without them would fail in the middle of a report."""
    finding = Finding(
        code="letter-balance", severity="warning", values={"spread": "A 1", "p": 0.001, "letter": "A", "share": 0.5}
    )
    assert "always answering A scores 50%" in finding.what
    assert "总答 A 就能得 50%" in CHECK_ZH.what(finding)
