"""What the reports say, in both languages and every format."""

from __future__ import annotations

import dataclasses
import io
import string
from typing import get_args
from xml.etree import ElementTree as ET

import pytest
from rich.cells import cell_len
from rich.console import Console

from harness.comparison.results import Sides
from harness.comparison.statistics.verdict import NOTES, Verdict
from harness.doctor.finding import Finding, Status
from harness.gold.item import Item
from harness.report.conclusion import conclusion
from harness.report.gate import gate_reasons
from harness.report.html import render_html
from harness.report.junit import render_junit
from harness.report.markdown import render_markdown
from harness.report.numbers import duration, points, probability
from harness.report.terminal import print_report
from harness.report.view import TELLING, Evidence, View, build_view
from harness.report.words import EN, ZH, Words, language_of
from tests.report.made import compared, comparison, guard, plain_view, result, sample, tier, view_of_lost

FAILED = Finding(probe="eos-learned", status="fail", detail="40% of answers never end", remedy="Train with EOS.")
WARNED = Finding(probe="base-match", status="warn", detail="another name than in training")


def terminal(view: View, words: Words = EN, *, width: int = 120, colour: bool = False) -> str:
    out = io.StringIO()
    console = Console(
        file=out, width=width, markup=False, highlight=False, emoji=False, force_terminal=colour, no_color=not colour
    )
    print_report(console, view, words)
    return out.getvalue()


def sentence(view: View, words: Words = EN) -> str:
    return conclusion(view.candidates[0], 0.05, words)


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(Words)])
def test_both_languages_have_the_same_texts_with_the_same_fields(field: str) -> None:
    en, zh = getattr(EN, field), getattr(ZH, field)
    if field == "language":
        return
    if isinstance(en, str):
        assert en
        assert zh
        assert _fields(en) == _fields(zh)
    else:
        assert en.keys() == zh.keys()
        assert all(_fields(en[key]) == _fields(zh[key]) for key in en)


def test_every_verdict_status_and_note_has_words() -> None:
    for words in (EN, ZH):
        assert set(words.verdicts) == set(get_args(Verdict))
        assert set(words.statuses) == set(get_args(Status))
        assert set(words.notes) == set(NOTES) - {""}
    assert all(_fields(EN.notes[code]) == _fields(text) for code, text in NOTES.items() if code)


def test_the_conclusion_names_what_was_gained_and_what_was_lost() -> None:
    text = sentence(plain_view(result(), guard()))
    assert text == (
        "better on medical-qa (+41.0 points, 95% CI +32.0 to +50.0); "
        "lost general ability on general-retention (−41.0 points, 95% CI −50.0 to −32.0)."
    )
    assert "通用能力下降：general-retention" in sentence(plain_view(result(), guard()), ZH)


def test_the_conclusion_of_the_same_model_twice() -> None:
    same = {"identical": True, "delta": 0.0, "verdict": "held", "note_code": "identical", "note": "same answers"}
    assert sentence(plain_view(result(**same), guard(**same))) == "gives the same answers as the base."


def test_the_conclusion_doubts_scores_that_the_doctor_doubts() -> None:
    assert sentence(plain_view(result(), doctor=(FAILED,))).startswith("the doctor failed eos-learned")


def test_the_conclusion_says_when_a_task_is_incomplete() -> None:
    view = plain_view(result(missing=Sides(base=0, candidate=30)))
    assert sentence(view).startswith("incomplete on medical-qa")
    assert gate_reasons(view.candidates[0], EN) == [
        "medical-qa: answers missing, failed or unscored: 0 of the base, 30 of the candidate (allowed: 1 of 150)"
    ]


def test_an_inconclusive_task_says_how_many_items_would_decide() -> None:
    unsure = guard(verdict="inconclusive", note="…", note_code="more_items", note_params={"items": 200})
    assert "cannot tell on general-retention (about 200 more items would decide it)" in sentence(plain_view(unsure))
    assert "大约再有 200 题即可判定" in sentence(plain_view(unsure), ZH)


def test_the_doctor_stands_above_the_table() -> None:
    text = terminal(plain_view(result(), doctor=(WARNED, FAILED)))
    assert text.index("eos-learned") < text.index("base-match") < text.index("improved")
    assert "Train with EOS." in text
    assert "harness candidates doctor --explain eos-learned" in " ".join(text.split())


def test_verdicts_are_told_without_colour_and_with() -> None:
    plain = terminal(plain_view(result(), guard()))
    assert "▲ improved" in plain
    assert "▼ regressed" in plain
    assert "\x1b" not in plain
    assert "\x1b[" in terminal(plain_view(result(), guard()), colour=True)


@pytest.mark.parametrize("width", [60, 80, 104, 160])
@pytest.mark.parametrize("words", [EN, ZH], ids=["en", "zh"])
def test_no_line_is_wider_than_the_terminal_and_no_task_is_dropped(width: int, words: Words) -> None:
    text = terminal(view_of_lost({"q1": "一个很长的回答。" * 40}, question="问题" * 100), words, width=width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert words.verdicts["regressed"] in text
    assert "general" in text


def test_a_narrow_terminal_keeps_the_numbers_that_do_not_fit_the_table() -> None:
    text = terminal(plain_view(result(gained=("a", "b"), lost=("c",))), width=80)
    assert "+41.0 [+32.0, +50.0]" in text
    assert "p adj. <0.001; 2 gained, 1 lost" in text


def test_tiers_that_can_show_nothing_are_marked() -> None:
    view = plain_view(guard(slices=(tier("easy", -0.4), tier("medium", 0.2), tier("hard", 0.0, uninformative=True))))
    text = terminal(view)
    assert "uninformative difficulty: hard" in text
    assert text.index("difficulty=easy") < text.index("difficulty=medium")
    assert "uninformative" in render_html(view, "en")


def test_a_slice_that_may_be_chance_is_not_shown_as_a_change() -> None:
    text = terminal(plain_view(guard(slices=(tier("easy", -0.4), tier("medium", -0.05)))))
    assert "difficulty=easy" in text
    assert "difficulty=medium" not in text


def test_what_the_doctor_says_is_not_said_twice() -> None:
    twice = compared(result(), doctor=(WARNED,)).model_copy(
        update={"warnings": ("another name than in training (the shapes fit)", "something else")}
    )
    assert build_view(comparison(twice), Evidence({}, {})).candidates[0].warnings == ("something else",)


def test_different_prompts_are_mentioned_everywhere() -> None:
    differing = compared(result()).model_copy(update={"prompts_differ": True, "warnings": ("careful",)})
    view = build_view(comparison(differing), Evidence({}, {}))
    for text in (terminal(view), render_markdown(view, EN), render_html(view, "en")):
        assert "prompted in different formats" in text
        assert "careful" in text


def test_counts_that_matter_stand_in_the_notes() -> None:
    text = terminal(plain_view(result(unextracted=Sides(base=0, candidate=2), unpaired=3)))
    assert "answers without anything to score: 0 base, 2 candidate" in text
    assert "3 items without a partner" in text
    assert "noise 1.0%" in text


def test_lost_items_come_from_regressed_guards_first() -> None:
    items = {f"i{n}": Item(id=f"i{n}", question="Q?", answer=("A",)) for n in range(6)}
    lost_target = result(lost=("i0", "i1"))
    lost_guard = guard(lost=("i2", "i3", "i4", "i5"))
    view = build_view(comparison(compared(lost_target, lost_guard)), Evidence({}, {"general-retention": items}))
    telling = view.candidates[0].telling
    assert len(telling) == TELLING
    assert {flip.task for flip in telling} == {"general-retention"}


def test_an_item_that_was_edited_since_is_not_shown_as_the_question_asked() -> None:
    asked = Item(id="q", question="old question", answer=("A",))
    edited = Item(id="q", question="new question", answer=("A",))
    evidence = Evidence({"run-base": [sample(asked, "A")]}, {"general-retention": {"q": edited}})
    (flip,) = build_view(comparison(compared(guard(lost=("q",)))), evidence).candidates[0].telling
    assert flip.question == ""
    assert flip.gold == ()
    assert flip.base == "A"


def test_a_view_without_texts_still_reports() -> None:
    view = plain_view(result(), guard(lost=("q1",)))
    for words in (EN, ZH):
        assert words.no_text in terminal(view, words)
        assert words.no_text in render_markdown(view, words)
    assert EN.no_text in render_html(view, "en")


def test_the_page_holds_both_languages_and_opens_in_one() -> None:
    for language, checked in (("en", 'id="en" checked'), ("zh", 'id="zh" checked')):
        html = render_html(plain_view(result(), guard()), language)  # type: ignore[arg-type]
        assert checked in html
        assert "lost general ability" in html
        assert "通用能力下降" in html


def test_junit_has_a_case_for_each_task_and_probe() -> None:
    view = plain_view(result(), guard(), doctor=(FAILED, WARNED))
    suite = ET.fromstring(render_junit(view, EN)).find("testsuite")
    assert suite is not None
    assert {k: suite.get(k) for k in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "2",
        "errors": "0",
        "skipped": "0",
    }
    failure = suite.find("testcase[@name='general-retention']/failure")
    assert failure is not None
    assert failure.get("message") == "general-retention: regressed, had to hold"


def test_junit_counts_an_incomplete_task_as_an_error() -> None:
    suite = ET.fromstring(render_junit(plain_view(result(errors=Sides(base=9, candidate=0))), EN)).find("testsuite")
    assert suite is not None
    assert suite.get("errors") == "1"


def test_several_candidates_each_get_their_own_section() -> None:
    view = build_view(comparison(compared(result(), name="one"), compared(guard(), name="two")), Evidence({}, {}))
    assert view.code == 1
    for text in (terminal(view), render_markdown(view, EN), render_html(view, "en")):
        assert text.index("one") < text.rindex("two")


@pytest.mark.parametrize(
    ("value", "text"), [(0.41, "+41.0"), (-0.041, "−4.1"), (0.0, "0.0"), (-0.0001, "0.0"), (None, "–")]
)
def test_points(value: float | None, text: str) -> None:
    assert points(value) == text


def test_small_numbers() -> None:
    assert probability(0.0) == "<0.001"
    assert probability(0.0234) == "0.023"
    assert [duration(s) for s in (4.2, 99, 150, 7500)] == ["4 s", "99 s", "2 min", "2 h 05 min"]


@pytest.mark.parametrize(
    ("locale", "language"), [("zh_CN.UTF-8", "zh"), ("zh", "zh"), ("en_US", "en"), ("C", "en"), ("", "en")]
)
def test_the_language_of_a_locale(locale: str, language: str) -> None:
    assert language_of(locale) == language
