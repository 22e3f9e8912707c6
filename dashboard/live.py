"""Live: a run that is going on, looked at every few seconds."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard.frame import Page
from harness.review.live import build_live
from harness.runs.store import completions_path

#: Seconds between two looks while something runs, and while nothing does.
EVERY, IDLE = 2.0, 5.0


def draw(page: Page) -> None:
    page.html("page_head", title=page.say.pages["live"], lead=page.say.live.lead)
    at_work = build_live(completions_path(page.store.url)).at_work
    st.fragment(partial(_look, page), run_every=EVERY if at_work else IDLE)()


def _look(page: Page) -> None:
    live = build_live(completions_path(page.store.url))
    if live.runs:
        page.html("live", live=live)
    elif not live.faults:
        page.html("empty", title=page.say.live.none_title, text=page.say.live.none_text, command=page.first_command)
    if live.faults:
        page.html("faults", faults=live.faults)
