"""Which pages there are. A page is a module of its name with `draw(page)`; it is imported when it is first drawn."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module

import streamlit as st

from dashboard.frame import Page

#: Name, which is also that of its module, its words and its address, and icon; the first is where one arrives.
PAGES = {
    "overview": ":material/dashboard:",
    "compare": ":material/compare_arrows:",
    "trends": ":material/timeline:",
    "training": ":material/model_training:",
    "live": ":material/play_circle:",
    "label": ":material/rate_review:",
    "release": ":material/approval:",
}


def pages_of(page: Page) -> dict[str, st.Page]:
    """The pages as Streamlit navigates them."""
    return {
        name: st.Page(
            _drawer(name, page), title=page.say.pages[name], icon=icon, url_path=name, default=name == next(iter(PAGES))
        )
        for name, icon in PAGES.items()
    }


def _drawer(name: str, page: Page) -> Callable[[], None]:
    return partial(_draw, name, page)


def _draw(name: str, page: Page) -> None:
    import_module(f"dashboard.{name}").draw(page)
