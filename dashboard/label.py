"""Label: drawn answers, blind, one row at a time and by keyboard; every label is kept at once."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard.frame import Page
from harness.errors import HarnessError
from harness.judge.labels.book import LabelBook, annotator_name
from harness.judge.labels.drawing import Draw
from harness.report.untrusted import visible
from harness.review.contests import comparison_label
from harness.review.label_words import LabelWords, label_words
from harness.review.labelling import (
    MODES,
    Labelling,
    draws_of,
    make_draw,
    next_open,
    open_labelling,
    people_of,
)

#: In the address: which draw is opened.
DRAW = "draw"
#: In the session.
_WHO, _MADE = "annotator", "draw-made"
_RUBRICS = ("general", "medical")


def draw(page: Page) -> None:
    told = label_words(page.language)
    page.html("label_head", told=told)
    draws = {one.id: one for one in draws_of(page.store)}
    if not draws:
        page.html("hint", text=told.no_draws)
        _new(page, told, expanded=True)
        return
    ids = list(draws)
    asked = st.session_state.pop(_MADE, None) or st.query_params.get(DRAW, "")
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        chosen = st.selectbox(
            told.draw,
            ids,
            index=ids.index(asked) if asked in draws else len(ids) - 1,
            format_func=lambda one: _name(draws[one], told),
            key=f"draw-{asked}",
        )
    with right:
        who = _who(page, told)
    try:
        labelling = open_labelling(page.store, page.settings, chosen, page.language)
    except HarnessError as error:
        page.html("hint", text=str(error))
        labelling = None
    if labelling is not None:
        st.fragment(partial(_session, page, told, labelling, who))()
    _new(page, told, expanded=False)


def _who(page: Page, told: LabelWords) -> str:
    """The annotator's name. Once it is given its field goes, so that keys label and do not type."""
    if who := st.session_state.get(_WHO, ""):
        with st.container(horizontal=True, vertical_alignment="center"):
            page.html("label_who", told=told, who=who)
            st.button(told.change, key="label-change", on_click=lambda: st.session_state.pop(_WHO, None))
        return str(who)
    typed = st.text_input(told.who, key="label-who", help=told.who_help, max_chars=60)
    if typed and typed.strip():
        st.session_state[_WHO] = typed.strip()
        st.rerun()
    return ""


def _name(one: Draw, told: LabelWords) -> str:
    return visible(
        told.draw_name.format(
            suite=one.suite,
            mode=told.modes[one.mode],
            rows=len(one.rows),
            items=len(one.items),
            candidate=one.candidate,
            key=one.key[:6],
        )
    )


def _session(page: Page, told: LabelWords, labelling: Labelling, who: str) -> None:
    """Everything that a key changes."""
    book = LabelBook(page.store.runs, labelling.draw)
    try:
        name = annotator_name(who) if who.strip() else ""
        if name:
            _rows(page, told, labelling, book, name)
        with st.expander(told.how, expanded=not name):
            page.html("lines", lines=[told.rules[labelling.draw.mode], *labelling.criteria, told.rules_all])
        page.html("label_people", told=told, people=people_of(book))
    except HarnessError as error:
        st.error(visible(str(error)))


def _rows(page: Page, told: LabelWords, labelling: Labelling, book: LabelBook, name: str) -> None:
    total = len(labelling.rows)
    sheet = book.sheet(name)
    at = f"at-{labelling.draw.id}-{name}"
    if at not in st.session_state:
        st.session_state[at] = next_open(sheet.said, total)
    position = st.session_state[at]
    st.progress(len(sheet.said) / total, text=told.progress.format(done=len(sheet.said), total=total))
    if sheet.broken:
        page.html("hint", text=told.broken.format(count=len(sheet.broken)))
    if position is None:
        command = f"harness judge calibrate JUDGING --draw {labelling.draw.id} --store {page.settings.store}"
        page.html("label_done", told=told, total=total, command=command)
    else:
        said = sheet.said.get(position, {})
        shown = ", ".join(told.labels.get(label, label) for label in said.values())
        page.html("label_row", told=told, row=labelling.rows[position], position=position, total=total, label=shown)
        _keys(told, labelling, book, name, position)
    _steps(told, labelling.draw, at, position)


def _keys(told: LabelWords, labelling: Labelling, book: LabelBook, name: str, position: int) -> None:
    """One button a label, each with its digit; of a rubric, one criterion after the other."""
    drawn = labelling.draw
    given = f"given-{drawn.id}-{name}-{position}"
    so_far: dict[str, str] = st.session_state.get(given, {})
    measure = drawn.measures[len(so_far)]
    ask = f"**{_plain(told.asks[drawn.mode].format(measure=measure))}**"
    given_so_far = "".join(f" · {one}: {told.labels.get(label, label)}" for one, label in so_far.items())
    st.markdown(ask + _plain(given_so_far))
    with st.container(horizontal=True):
        for number, label in enumerate(drawn.labels, 1):
            st.button(
                told.labels.get(label, label),
                key=f"say-{position}-{measure}-{label}",
                shortcut=str(number),
                width="stretch",
                type="primary",
                on_click=_say,
                args=(labelling, book, name, position, measure, label),
            )


def _say(labelling: Labelling, book: LabelBook, name: str, position: int, measure: str, label: str) -> None:
    """A key was pressed: keep the label and go on; a row with several criteria is kept when it has all.

    While the next row is being drawn the buttons of the last one still take keys: what is not asked now is no label.
    """
    drawn = labelling.draw
    given = f"given-{drawn.id}-{name}-{position}"
    so_far: dict[str, str] = st.session_state.get(given, {})
    if st.session_state.get(f"at-{drawn.id}-{name}") != position or drawn.measures[len(so_far)] != measure:
        return
    labels = {**so_far, measure: label}
    if len(labels) < len(drawn.measures):
        st.session_state[given] = labels
        return
    try:
        book.add(name, position, labels)
    except HarnessError as error:
        st.session_state["label-error"] = str(error)
        return
    st.session_state.pop(given, None)
    st.session_state[f"at-{drawn.id}-{name}"] = next_open(book.sheet(name).said, len(drawn.rows), position)


def _steps(told: LabelWords, drawn: Draw, at: str, position: int | None) -> None:
    if error := st.session_state.pop("label-error", None):
        st.error(visible(error))
    total = len(drawn.rows)
    here = total if position is None else position
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(told.back, key="label-back", shortcut="Left", disabled=here == 0, on_click=_go, args=(at, here - 1))
        last = here >= total - 1
        st.button(told.forward, key="label-next", shortcut="Right", disabled=last, on_click=_go, args=(at, here + 1))
        st.caption(told.keys.format(digits="/".join(str(number) for number in range(1, len(drawn.labels) + 1))))


def _go(at: str, position: int) -> None:
    st.session_state[at] = position


def _plain(text: str) -> str:
    """Names of criteria come out of files: no mark of Markdown in them is one."""
    return "".join(f"\\{char}" if char in "\\`*_{}[]()#+-.!|<>$:~" else char for char in visible(text))


def _new(page: Page, told: LabelWords, *, expanded: bool) -> None:
    """Draw answers of a comparison."""
    comparisons = {one.id: one for one in page.store.catalog().comparisons}
    if not comparisons:
        page.html("empty", title=page.say.empty_title, text=page.say.empty_text, command=page.first_command)
        return
    with st.expander(told.new_draw, expanded=expanded):
        page.html("hint", text=told.new_lead)
        first, second, third, fourth = st.columns([3, 2, 2, 1])
        with first:
            chosen = st.selectbox(
                told.comparison,
                list(comparisons),
                format_func=lambda one: comparison_label(comparisons[one]),
                key="new-comparison",
            )
        with second:
            names = [one.candidate for one in comparisons[chosen].comparison.comparisons]
            candidate = st.selectbox(told.candidate, names, format_func=visible, key=f"new-candidate-{chosen}")
        with third:
            mode = st.selectbox(told.way, MODES, format_func=told.modes.__getitem__, key="new-mode")
        with fourth:
            items = st.number_input(told.items, min_value=2, max_value=1000, value=50, key="new-items")
        rubric = st.selectbox(told.rubric, _RUBRICS, key="new-rubric") if mode == "rubric" else "general"
        if st.button(told.make, key="new-make"):
            try:
                made = make_draw(
                    page.store, page.settings, chosen, candidate, mode, items=int(items), rubric=str(rubric)
                )
            except HarnessError as error:
                st.error(visible(str(error)))
                return
            st.session_state[_MADE] = made.id
            st.query_params[DRAW] = made.id
            st.rerun()
