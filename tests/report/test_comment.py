"""The report as a comment: no longer than GitHub takes, and nobody is called by it."""

from __future__ import annotations

import pytest

from harness.report.markdown import LONGEST, render_markdown
from harness.report.untrusted import markdown
from harness.report.view import Evidence, View, build_view
from harness.report.words import EN, ZH, Words
from tests.report.made import compared, comparison, guard, result, view_of_lost


def of_many(candidates: int, tasks: int) -> View:
    every = [
        compared(result(), *(guard(f"guard-{n}") for n in range(tasks)), name=f"candidate-{c}")
        for c in range(candidates)
    ]
    return build_view(comparison(*every), Evidence({}, {}))


def test_a_short_report_is_whole() -> None:
    text = render_markdown(view_of_lost({"q1": "x"}), EN)
    assert "<details>" in text
    assert EN.shortened not in text


@pytest.mark.parametrize("words", [EN, ZH], ids=["en", "zh"])
@pytest.mark.parametrize(("candidates", "tasks"), [(2, 400), (40, 30), (300, 20), (1000, 2)])
def test_a_comment_is_never_longer_than_github_takes(candidates: int, tasks: int, words: Words) -> None:
    text = render_markdown(of_many(candidates, tasks), words)
    assert len(text) <= LONGEST == 65_536
    assert len(text) > LONGEST / 8, "and not cut more than it must be"
    assert markdown(words.shortened) in text
    assert text.count("candidate-0") >= 1
    assert words.gate_failed in text


def test_what_does_not_fit_goes_from_the_least_to_the_most_telling() -> None:
    view = view_of_lost({f"q{n}": "长" * 200 for n in range(3)}, question="问" * 200)
    whole = render_markdown(view, EN)
    without_texts = render_markdown(view, EN, len(whole) - 1)
    assert "<details>" not in without_texts
    assert "| 🔴 regressed |" in without_texts
    without_table = render_markdown(view, EN, len(without_texts) - 1)
    assert "| 🔴 regressed |" not in without_table
    assert "lost general ability" in without_table
    shortest = render_markdown(view, EN, len(without_table) - 1)
    assert "- **failed** medical" in shortest


def test_candidates_that_do_not_fit_are_counted() -> None:
    text = render_markdown(of_many(1000, 2), EN)
    listed = text.count("- **failed**")
    assert 100 < listed < 1000
    assert f"and {1000 - listed:,} more candidates" in text


def test_names_and_sentences_of_any_length_leave_the_verdicts_standing() -> None:
    long = "x" * 1_000_000
    view = build_view(comparison(compared(result(long), name=long), suite=long, base=long), Evidence({}, {}))
    text = render_markdown(view, EN)
    assert len(text) <= LONGEST
    assert "Gate: **passed**" in text


@pytest.mark.parametrize("text", ["@team", "#1", "GH-3", "gh-3", "!7", "$5", "~bug", "%2", "&4", '~"a b"'])
def test_no_person_and_no_issue_is_referred_to(text: str) -> None:
    """GitHub and GitLab look for references in the finished HTML, so that escaping alone is not enough."""
    assert text not in markdown(f"see {text} now").replace("&#64;", "@").replace("&#35;", "#").replace(
        "&#33;", "!"
    ).replace("&#36;", "$").replace("&#126;", "~").replace("&#38;", "&")


def test_a_line_is_no_command() -> None:
    assert not markdown("/approve").startswith("/")
