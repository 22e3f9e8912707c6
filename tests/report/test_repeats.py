"""How several answers to each item are shown."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from harness.comparison.repeats import Compared, Narrows, OverRepeats, Parts, PassAtK, VarianceResult
from harness.report.markdown import render_markdown
from harness.report.repeats import repeat_notes, repeat_rows
from harness.report.view import Evidence, View, build_view
from harness.report.words import EN, ZH, Words
from tests.report.made import compared, comparison, guard, result
from tests.report.test_reports import terminal


def parts(share: float) -> Parts:
    """A standard error of 10 points, of whose square this share comes from the draws."""
    return Parts(between=0.21, within=0.04, se=0.1, se_items=0.1 * (1 - share) ** 0.5, se_repeats=0.1 * share**0.5)


def repeated(share: float, narrows: Narrows | None = "items") -> OverRepeats:
    numbers = {"base": 0.5, "candidate": 0.75, "delta": 0.25, "ci": (0.1, 0.4), "ci_method": "t"}
    return OverRepeats(
        repeats=4,
        pass_at=tuple(PassAtK.model_validate({"k": k, **numbers}) for k in (1, 2, 4)),
        majority=Compared.model_validate(numbers),
        variance=VarianceResult(base=parts(share), candidate=parts(share), delta=parts(share)),
        narrows=narrows,
    )


def view_of(found: OverRepeats | None, **changes: object) -> View:
    results = (result(over_repeats=found), guard())
    return build_view(comparison(compared(*results), **changes), Evidence({}, {}))


def test_the_sentence_says_how_much_each_would_narrow_the_interval() -> None:
    """Without the draws' half the interval is 1 - sqrt(1/2) = 29% narrower, without a quarter 13%."""
    assert repeat_notes(repeated(0.5, "repeats"), EN)[-1] == (
        "more repeats would narrow the interval: twice as many by about 13%, without end by about 29%; "
        "twice the items by about 29%"
    )
    assert repeat_notes(repeated(0.19, "items"), EN)[-1] == (
        "only more items would narrow the interval much: twice as many by about 29%; twice the repeats by about 5%, "
        "without end by about 10%"
    )
    assert "只有增加题数" in repeat_notes(repeated(0.19, "items"), ZH)[-1]


def test_where_nothing_varies_no_advice_is_given() -> None:
    still = Parts(between=0.2, within=0.0, se=0.0, se_items=0.0, se_repeats=0.0)
    found = OverRepeats(repeats=2, variance=VarianceResult(base=still, candidate=still, delta=still))
    assert len(repeat_notes(found, EN)) == 2
    assert repeat_notes(OverRepeats(repeats=2), EN) == []
    assert repeat_rows(OverRepeats(repeats=2), EN) == []


def test_the_errors_are_told_in_points() -> None:
    assert repeat_notes(repeated(0.36), EN)[1] == (
        "standard error of Δ 10.0 points, 8.0 by the items and 6.0 by the draws (the squares add up)"
    )


@pytest.mark.parametrize("words", [EN, ZH], ids=["en", "zh"])
@pytest.mark.parametrize("width", [80, 120])
def test_the_block_fits_the_terminal(width: int, words: Words) -> None:
    shown = terminal(view_of(repeated(0.3), repeats=4), words, width=width)
    assert words.over_repeats.format(count=4) in shown
    assert shown.count("50.0% → 75.0%") == 4
    assert all(cell_len(line) <= width for line in shown.splitlines())


def test_a_comparison_without_repeats_shows_no_block() -> None:
    assert "to each item" not in terminal(view_of(None))
    assert "to each item" not in render_markdown(view_of(None), EN)


def test_the_temperature_asked_for_stands_in_the_footer() -> None:
    warm, plain = view_of(None, temperature=0.8), view_of(None)
    for shown in (terminal(warm), render_markdown(warm, EN)):
        assert re.search(r"alpha\s+0.05; temperature 0.8", shown)
    assert "temperature" not in terminal(plain)
