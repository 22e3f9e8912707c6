"""Compare: differences with their intervals, where they lie, and the answers that flipped, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

import streamlit as st

from dashboard.frame import Page, choose_comparison
from dashboard.items import draw_items
from harness.errors import HarnessError
from harness.report.untrusted import visible
from harness.report.words import words
from harness.review.catalog import Catalog
from harness.review.charts import FEW, ForestRow, HeatCell, forest, heat_map
from harness.review.contests import (
    Contest,
    any_contests,
    number_rows,
    run_label,
    runs_by_suite,
    stored_contests,
)

#: Candidates that are drawn beside each other.
MOST = 4


def draw(page: Page) -> None:
    say = page.say.compare
    page.html("compare_head")
    catalog = page.store.catalog()
    if not catalog.runs and not catalog.comparisons:
        page.html("empty", title=say.no_runs, text=page.say.empty_text, command=page.first_command)
        return
    try:
        contests = _chosen(page, catalog)
    except HarnessError as error:
        page.html("empty", title="", text=str(error), command="")
        return
    if not contests:
        return
    page.html("conclusions", conclusions=contests)
    _differences(page, contests)
    gone = sorted({run for one in contests for run in one.runs if run not in catalog.runs})
    if gone:
        page.html("gone", runs=gone)
        return
    _slices(page, contests)
    draw_items(page, contests)


def _chosen(page: Page, catalog: Catalog) -> tuple[Contest, ...]:
    """What the visitor chose to compare; empty while nothing is chosen."""
    say = page.say.compare
    ways = (["stored"] if catalog.comparisons else []) + (["any"] if catalog.runs else [])
    names = {"stored": say.stored, "any": say.any_runs}
    left, right = st.columns([5, 13], vertical_alignment="bottom")
    with left:
        way = st.segmented_control(
            say.source, ways, default=ways[0], format_func=names.__getitem__, required=True, key="way"
        )
    with right:
        return _stored(page, catalog) if way == "stored" else _any(page, catalog)


def _stored(page: Page, catalog: Catalog) -> tuple[Contest, ...]:
    say = page.say.compare
    by_id = {one.id: one for one in catalog.comparisons}
    left, right = st.columns(2)
    with left:
        chosen = choose_comparison(say.comparison, by_id, "comparison")
    contests = stored_contests(by_id[chosen])
    if len(contests) == 1:
        return contests
    with right:
        shown = st.multiselect(
            say.candidates,
            range(len(contests)),
            default=list(range(len(contests)))[:MOST],
            format_func=lambda number: contests[number].candidate,
            max_selections=MOST,
            key=f"candidates-{chosen}",
        )
    if not shown:
        page.html("hint", text=say.choose)
    return tuple(contests[number] for number in shown)


def _any(page: Page, catalog: Catalog) -> tuple[Contest, ...]:
    say = page.say.compare
    suites = runs_by_suite(catalog)
    first, second, third = st.columns([1, 2, 3])
    with first:
        suite = st.selectbox(say.suite, list(suites), format_func=visible, key="suite")
    runs = {run.id: run for run in suites[suite]}
    if len(runs) < 2:
        page.html("hint", text=say.one_run)
        return ()
    with second:
        base = st.selectbox(
            say.base_run,
            list(runs),
            index=len(runs) - 1,
            format_func=lambda one: run_label(runs[one]),
            key=f"base-{suite}",
        )
    with third:
        others = [run for run in runs if run != base]
        candidates = st.multiselect(
            say.candidate_runs,
            others,
            default=others[:1],
            format_func=lambda one: run_label(runs[one]),
            max_selections=MOST,
            key=f"against-{base}",
        )
    if not candidates:
        page.html("hint", text=say.choose)
    return any_contests(page.store.comparing, catalog, base, candidates)


def _differences(page: Page, contests: Sequence[Contest]) -> None:
    say, texts = page.say.compare, words(page.language)
    page.html("section", title=say.forest, text=say.forest_lead)
    # Task by task, so that the candidates stand under each other.
    tasks = list(dict.fromkeys(task.result.task for one in contests for task in one.view.tasks))
    rows = [
        ForestRow(contest.candidate, task.result)
        for name in tasks
        for contest in contests
        for task in contest.view.tasks
        if task.result.task == name
    ]
    if rows:
        st.altair_chart(forest(rows, texts, page.say), width="stretch", theme=None)
    with st.expander(say.numbers):
        page.html("numbers", rows=number_rows(contests, texts), several=len(contests) > 1)


def _slices(page: Page, contests: Sequence[Contest]) -> None:
    say = page.say.compare
    page.html("section", title=say.slices, text=say.slices_lead.format(count=FEW))
    st.fragment(partial(page.attempt, partial(_heat_map, page, contests)))()


def _heat_map(page: Page, contests: Sequence[Contest]) -> None:
    say = page.say.compare
    cells = [
        HeatCell(contest.candidate, task.result.task, cell)
        for contest in contests
        for result in contest.raw.results
        for task in contest.view.tasks
        if result.primary and task.result.task == visible(result.task)
        for cell in page.store.pairs.cells(contest.paired(result.task, result.metric))
    ]
    keys = sorted({one.cell.key for one in cells}, key=lambda key: _KEYS.get(key, 9))
    if not keys:
        page.html("hint", text=say.no_slices)
        return
    chosen = st.selectbox(
        say.slice_by, keys, format_func=lambda key: say.keys.get(key, visible(key)), key="slice-by", width=240
    )
    shown = [one for one in cells if one.cell.key == chosen]
    columns = len({(one.task, one.candidate) for one in shown})
    # A column alone would be as wide as the page.
    width: Literal["stretch"] | int = "stretch" if columns > _FEW_COLUMNS else _NAMES + columns * _COLUMN
    st.altair_chart(heat_map(shown, words(page.language), page.say), width=width, theme=None)


#: Pixels of a heat map's names and of one of its columns, up to so many columns.
_NAMES, _COLUMN, _FEW_COLUMNS = 180, 220, 3
#: The order of the keys that have a meaning to this project.
_KEYS = {"difficulty": 0, "topic": 1, "language": 2, "length": 3}
