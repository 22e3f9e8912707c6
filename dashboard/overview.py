"""Overview: what improved, what regressed, and whether general ability was lost, at one look."""

from __future__ import annotations

import streamlit as st

from dashboard.frame import COMPARISON, Page
from harness.review.overview import build_overview


def draw(page: Page) -> None:
    catalog = page.store.catalog()
    say = page.say
    page.html("overview_head")
    if catalog.empty:
        page.html("empty", title=say.empty_title, text=say.empty_text, command=page.first_command)
        return
    overview = build_overview(catalog)
    if overview.failed:
        page.html("doctor_failed", failed=overview.failed)
    for suite in overview.suites:
        page.html("suite_cards", suite=suite)
        st.page_link(
            page.links["compare"],
            label=say.to_compare,
            icon=":material/compare_arrows:",
            query_params={COMPARISON: suite.comparison},
        )
    if not overview.suites:
        page.html("empty", title="", text=say.no_comparison, command=page.first_command)
    if overview.abilities:
        page.html("ability", overview=overview)
    if overview.faults:
        page.html("faults", faults=overview.faults)
