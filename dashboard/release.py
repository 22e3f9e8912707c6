"""Release review: the checklist made of the gate, who signed, a form to sign, and the page to take away."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard.frame import Page, choose_comparison
from harness.errors import EXIT_OK, HarnessError
from harness.release.page import SYMBOLS, headline, render_release
from harness.release.release import CandidateReview, Release, open_release
from harness.release.signoffs import LONGEST_NAME, LONGEST_NOTE, Decision, sign
from harness.release.words import ReleaseWords, release_words
from harness.report.untrusted import visible

_CHOICES: dict[str, Decision | None] = {"approve": "approve", "reject": "reject", "note": None}


def draw(page: Page) -> None:
    told = release_words(page.language)
    page.html("release_head")
    stored = {one.id: one for one in page.store.catalog().comparisons}
    if not stored:
        page.html("empty", title="", text=told.none, command=page.first_command)
        return
    left, right, corner = st.columns([5, 3, 2], vertical_alignment="bottom")
    with left:
        chosen = choose_comparison(told.comparison, stored, "release")
    try:
        release = open_release(chosen, page.settings.store, texts=False)
    except HarnessError as error:
        page.html("hint", text=str(error))
        return
    with right:
        number = st.selectbox(
            told.candidate,
            range(len(release.candidates)),
            format_func=lambda one: release.candidates[one].view.name,
            key=f"candidate-{chosen}",
        )
    with corner:
        _export(page, told, chosen, release)
    one = release.candidates[number]
    comparison = release.comparison
    page.html("release_state", one=one, comparison=comparison, told=told, headline=headline(one, told))
    checks, signed = st.columns([5, 3], gap="large")
    with checks:
        page.html("release_checks", one=one, told=told, symbols=SYMBOLS)
    with signed:
        page.html("release_signed", one=one, told=told, broken=len(release.broken))
        _form(page, told, chosen, one)


def _form(page: Page, told: ReleaseWords, comparison: str, one: CandidateReview) -> None:
    place = f"{comparison}-{one.candidate}"
    with st.form(f"sign-{place}", border=True):
        name = st.text_input(told.your_name, max_chars=LONGEST_NAME, key=f"name-{place}")
        choice = st.radio(
            told.decision.capitalize(),
            list(_CHOICES),
            index=None,
            format_func={"approve": told.approve, "reject": told.reject, "note": told.only_note}.__getitem__,
            horizontal=True,
            key=f"decision-{place}",
        )
        note = st.text_area(told.your_note, max_chars=LONGEST_NOTE, key=f"note-{place}", placeholder=told.note_help)
        if one.gate != EXIT_OK:
            page.html("fine_print", text=told.reason_needed)
        sent = st.form_submit_button(told.sign, type="primary")
    page.html("fine_print", text=told.record)
    if not sent:
        return
    try:
        sign(
            page.store.runs,
            comparison,
            candidate=one.candidate,
            name=name,
            decision=_CHOICES[choice] if choice else None,
            note=note,
            gate=one.gate,
        )
    except HarnessError as error:
        st.error(visible(str(error)))
        return
    st.toast(told.signed_now)
    st.rerun()


def _export(page: Page, told: ReleaseWords, comparison: str, release: Release) -> None:
    st.download_button(
        told.export,
        partial(_page, page, comparison),
        file_name=f"{comparison}-review.html",
        mime="text/html",
        on_click="ignore",
        width="stretch",
        icon=":material/download:",
        key=f"export-{comparison}-{sum(len(one.signed) for one in release.candidates)}",
    )


def _page(page: Page, comparison: str) -> bytes:
    """The page as it is when it is asked for, with the texts of what flipped."""
    settings = page.settings
    release = open_release(comparison, settings.store, settings.goldsets, settings.folder)
    return render_release(release, page.language).encode()
