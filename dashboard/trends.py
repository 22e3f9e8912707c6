"""Trends: a suite over time and over candidates, so that a change inside the noise does not look like news."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboard.frame import Page
from harness.report.untrusted import visible
from harness.report.words import words
from harness.review.trend_chart import trend_chart
from harness.review.trends import MOST, Asked, TaskTrend, build_trends, candidates, histories, summary

#: Rows of the table of steps on a page.
PER_PAGE = 20


def draw(page: Page) -> None:
    say = page.say.trends
    page.html("page_head", title=page.say.pages["trends"], lead=say.lead)
    catalog = page.store.catalog()
    if not catalog.comparisons:
        page.html("empty", title=page.say.empty_title, text=page.say.empty_text, command=page.first_command)
    else:
        trends = _chosen(page)
        if trends:
            page.html("trend_summary", found=summary(trends))
            if all(len(trend.points) == 1 for trend in trends):
                page.html("empty", title="", text=say.one_point, command=page.first_command)
            _charts(page, trends)
            page.html("section", title=say.history, text="")
            st.fragment(partial(_steps, page, trends))()
    if catalog.faults:
        page.html("faults", faults=catalog.faults)


def _chosen(page: Page) -> tuple[TaskTrend, ...]:
    """The history of what the visitor follows; empty while nothing is chosen."""
    say, catalog = page.say.trends, page.store.catalog()
    first, second, third = st.columns([1, 1, 2])
    with first:
        suite = st.selectbox(say.suite, list(catalog.latest()), format_func=visible)
    ways = histories(catalog, suite)
    with second:
        number = st.selectbox(
            say.asked, range(len(ways)), format_func=lambda one: _label(page, ways[one]), key=f"asked-{suite}"
        )
    names = candidates(catalog, suite, ways[number])
    with third:
        followed = st.multiselect(
            say.follow, names, default=names[:MOST], format_func=visible, key=f"follow-{suite}-{number}"
        )
    if not followed:
        page.html("hint", text=say.follow_none)
        return ()
    store = page.store
    return build_trends(catalog, store.releases, store.changes, suite, ways[number], followed)


def _label(page: Page, asked: Asked) -> str:
    say = page.say.trends
    parts = [say.parts[asked.part]] if asked.part else []
    if asked.limit is not None:
        parts.append(say.limited.format(limit=asked.limit))
    return ", ".join(parts) or say.whole


def _charts(page: Page, trends: Sequence[TaskTrend]) -> None:
    """Two beside each other: targets first, as in the suite."""
    texts = words(page.language)
    for start in range(0, len(trends), 2):
        for column, trend in zip(st.columns(2, gap="medium"), trends[start : start + 2], strict=False):
            with column:
                page.html("trend_title", trend=trend)
                st.altair_chart(trend_chart(trend, texts, page.say), width="stretch", theme=None)


def _steps(page: Page, trends: Sequence[TaskTrend]) -> None:
    say = page.say.trends
    rows = [(trend, point) for trend in trends for point in trend.points]
    rows.sort(key=lambda row: row[1].at, reverse=True)
    pages = -(-len(rows) // PER_PAGE)
    number = int(st.pagination(pages, key=f"steps-{len(rows)}") or 1) if pages > 1 else 1
    start = PER_PAGE * (number - 1)
    shown = rows[start : start + PER_PAGE]
    page.html("trend_steps", rows=shown)
    if pages > 1:
        page.html("hint", text=say.shown.format(first=start + 1, last=start + len(shown), total=len(rows)))
