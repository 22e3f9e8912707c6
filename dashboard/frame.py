"""What stands round every page: who may enter, the language, the store, and where one can go.

Nothing of the store is drawn before the visitor is admitted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import streamlit as st

from harness.errors import HarnessError
from harness.report.untrusted import visible
from harness.report.words import Language
from harness.review.catalog import StoredComparison
from harness.review.contests import comparison_label
from harness.review.markup import render, style
from harness.review.preferences import remember, remembered
from harness.review.settings import Settings
from harness.review.store import ReviewStore, open_store
from harness.review.words import PageWords, page_words

#: Where the chosen language stands in the address and in the session.
LANG = "lang"
TOKEN = "token"
#: In the address: which comparison a page opens.
COMPARISON = "comparison"
#: A file: Streamlit would fetch an icon that is named from the internet.
_ICON = Path(__file__).with_name("icon.svg")


@dataclass(frozen=True)
class Page:
    """What a page draws with.

    Attributes:
        links: the pages by name, to lead from one to another.
    """

    settings: Settings
    store: ReviewStore
    language: Language
    say: PageWords
    links: dict[str, st.Page] = field(default_factory=dict)

    @property
    def first_command(self) -> str:
        """What makes a first comparison."""
        return f"harness compare BASE CANDIDATE --suite medical --store {self.settings.store}"

    def attempt(self, draw: Callable[[], None]) -> None:
        """Draw a part of a page; what cannot be read is said in its place, and the other parts are drawn."""
        try:
            draw()
        except HarnessError as error:
            self.html("hint", text=str(error))

    def html(self, template: str, **values: object) -> None:
        """Draw a template of `harness.review`; everything in `values` is escaped."""
        st.html(render(template, self.language, **values))


def choose_comparison(label: str, stored: Mapping[str, StoredComparison], key: str) -> str:
    """Let the visitor choose a comparison by its id; the one that the address names is chosen already."""
    ids = list(stored)
    asked = st.query_params.get(COMPARISON, "")
    return st.selectbox(
        label,
        ids,
        index=ids.index(asked) if asked in stored else 0,
        format_func=lambda one: comparison_label(stored[one]),
        key=f"{key}-{asked}",
    )


def draw() -> None:
    """Draw the page that the address asks for."""
    settings = Settings.found()
    language = _language(settings)
    say = page_words(language)
    st.set_page_config(page_title=say.product, page_icon=str(_ICON), layout="wide")
    st.html(style())
    if not _admitted(settings, say):
        return
    from dashboard.pages import pages_of

    try:
        page = Page(settings, open_store(settings), language, say)
    except HarnessError as error:
        st.html(render("hint", language, text=str(error)))
        return
    page.links.update(pages_of(page))
    chosen = st.navigation(list(page.links.values()))
    _sidebar(page)
    page.attempt(chosen.run)


def _admitted(settings: Settings, say: PageWords) -> bool:
    """Whether the token is right: from the address, or typed; then for as long as the page is open."""
    if not settings.token or st.session_state.get("admitted"):
        return True
    given = st.query_params.get(TOKEN, "")
    if not given:
        st.navigation([st.Page(lambda: None, title=say.token_title)], position="hidden")
        given = st.text_input(say.token_label, type="password", key="token-typed") or ""
    if given and settings.admits(given):
        st.session_state["admitted"] = True
        if TOKEN in st.query_params:  # it need not stand in the history and on screenshots
            del st.query_params[TOKEN]
        st.rerun()
    if given:
        st.error(say.token_wrong)
    return False


def _language(settings: Settings) -> Language:
    """Of the address, of this session, of the last visit, else of the machine."""
    asked = st.query_params.get(LANG) or st.session_state.get(LANG) or remembered(settings.preferences)
    language = cast(Language, asked) if asked in ("en", "zh") else settings.language
    st.session_state[LANG] = language
    return language


def _look_again(page: Page) -> None:
    page.store.catalog(now=True)


def _sidebar(page: Page) -> None:
    with st.sidebar:
        names: dict[Language, str] = {"zh": "中文", "en": "English"}
        chosen = st.segmented_control(
            page.say.language,
            list(names),
            default=page.language,
            format_func=lambda one: names[one],
            key=f"language-{page.language}",
            label_visibility="collapsed",
        )
        if chosen is not None and chosen != page.language:
            st.session_state[LANG] = chosen
            st.query_params[LANG] = chosen
            remember(page.settings.preferences, chosen)
            st.rerun()
        if st.button(page.say.reload, icon=":material/refresh:", key="reload"):
            page.attempt(lambda: _look_again(page))
        page.html("store_note", store=visible(page.settings.store))
