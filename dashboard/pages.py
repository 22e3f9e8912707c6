"""Which pages there are. A page is a module with `draw(page)`; its name is that of its words and its address."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from dashboard import compare, label, overview, release
from dashboard.frame import Page

#: In the order of the navigation; the first is where one arrives.
PAGES: dict[str, tuple[Callable[[Page], None], str]] = {
    "overview": (overview.draw, ":material/dashboard:"),
    "compare": (compare.draw, ":material/compare_arrows:"),
    "label": (label.draw, ":material/rate_review:"),
    "release": (release.draw, ":material/approval:"),
}


def pages_of(page: Page) -> list[st.Page]:
    """The pages as Streamlit navigates them."""
    found = []
    for number, (name, (draw, icon)) in enumerate(PAGES.items()):
        show = partial(draw, page)
        found.append(st.Page(show, title=page.say.pages[name], icon=icon, url_path=name, default=number == 0))
    return found
