"""The answers on Compare: flips first, a page of items at a time. A change of the filter draws nothing else anew."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboard.frame import Page
from harness.report.untrusted import visible
from harness.review.answers import answers_of
from harness.review.contests import Contest
from harness.review.export import selection_csv
from harness.review.gold import gold_of
from harness.review.items import ItemView, Side, item_views
from harness.review.pairs import KINDS, ItemFilter, Kind, Paired, PairedItem

#: Items on a page.
PER_PAGE = 10


def draw_items(page: Page, contests: Sequence[Contest]) -> None:
    """The section with the answers of `contests`."""
    page.html("section", title=page.say.compare.answers, text="")
    st.fragment(partial(page.attempt, partial(_draw, page, contests)))()


def _draw(page: Page, contests: Sequence[Contest]) -> None:
    say = page.say.compare
    *before, second, third = st.columns(3 if len(contests) > 1 else 2)
    chosen = 0
    for column in before:
        with column:
            chosen = st.selectbox(
                say.against,
                range(len(contests)),
                format_func=lambda number: contests[number].candidate,
                key=f"against-{[one.runs for one in contests]}",
            )
    contest = contests[chosen]
    with second:
        tasks = _tasks(contest)
        task = st.selectbox(say.task, tasks, format_func=visible, key=f"task-{contest.runs}")
    with third:
        metrics = sorted((one for one in contest.raw.results if one.task == task), key=lambda one: not one.primary)
        metric = st.selectbox(
            say.metric, [one.metric for one in metrics], format_func=visible, key=f"metric-{contest.runs}-{task}"
        )
    paired = contest.paired(task, metric)
    wanted = _filter(page, paired)
    shown = f"{paired}-{wanted}"
    total = page.store.pairs.page(paired, wanted, offset=0, limit=1).total
    if not total:
        page.html("hint", text=say.none_lost if wanted.kind == "lost" and not wanted.slices else say.none_found)
        return
    left, middle, right = st.columns([2, 3, 2], vertical_alignment="center")
    pages = -(-total // PER_PAGE)
    with middle:
        number = st.pagination(pages, key=f"page-{shown}") if pages > 1 else 1
    start = PER_PAGE * (int(number or 1) - 1)
    found = page.store.pairs.page(paired, wanted, offset=start, limit=PER_PAGE)
    with left:
        last = start + len(found.items)
        page.html("hint", text=say.shown.format(first=start + 1, last=last, total=found.total))
    with right, st.container(horizontal_alignment="right"):
        st.download_button(
            say.export,
            partial(selection_csv, page.store, contest, paired, wanted),
            file_name=f"{contest.comparison}-{wanted.kind}.csv",
            mime="text/csv",
            help=say.export_help,
            on_click="ignore",
            key=f"export-{shown}",
        )
    page.html("items", items=_views(page, contest, contests, paired, wanted.kind, found.items))


def _tasks(contest: Contest) -> list[str]:
    """Tasks, those with something to look at first: regressed, then most lost."""
    rank = {"regressed": 0, "inconclusive": 1, "improved": 2, "held": 3}
    primary = [one for one in contest.raw.results if one.primary]
    ordered = sorted(primary, key=lambda one: (rank.get(one.verdict or "held", 3), -len(one.lost)))
    return [one.task for one in ordered]


def _filter(page: Page, paired: Paired) -> ItemFilter:
    say = page.say.compare
    counts = page.store.pairs.counts(paired)
    kinds = [kind for kind in KINDS if kind != "failed" or counts["failed"]]
    first: Kind = next((kind for kind in kinds if counts[kind]), "all")
    kind = st.segmented_control(
        say.answers,
        kinds,
        default=first,
        format_func=lambda one: f"{say.kinds[one]} {counts[one]:,}",
        key=f"kind-{paired}",
        label_visibility="collapsed",
        required=True,
    )
    values = page.store.pairs.values(paired)
    columns = st.columns([2, *([1] * len(values))][:6]) if values else [st.container()]
    with columns[0]:
        search = st.text_input(say.search, key="search", label_visibility="collapsed", placeholder=say.search)
    slices = []
    for column, (key, known) in zip(columns[1:], values.items(), strict=False):
        with column:
            label = say.keys.get(key, visible(key))
            chosen = st.selectbox(
                label,
                [None, *known],
                format_func=partial(_value, say.any_value.format(key=label)),
                key=f"slice-{paired}-{key}",
                label_visibility="collapsed",
            )
        if chosen is not None:
            slices.append((key, chosen))
    return ItemFilter(kind or first, tuple(slices), search.strip())


def _value(any_value: str, value: str | None) -> str:
    return any_value if value is None else visible(value)


def _views(
    page: Page, contest: Contest, contests: Sequence[Contest], paired: Paired, kind: Kind, items: Sequence[PairedItem]
) -> tuple[ItemView, ...]:
    store, catalog = page.store, page.store.catalog()
    ids = [item.item_id for item in items]
    # The others stand beside the chosen one, where they were compared with the same base.
    beside = [one for one in contests if one is not contest and one.runs[0] == contest.runs[0]]
    sides = [
        Side(name, answers_of(store.query, catalog.runs[run], paired.task, ids))
        for name, run in [
            (contest.base, contest.runs[0]),
            *((one.candidate, one.runs[1]) for one in (contest, *beside)),
        ]
    ]
    record = next((task for task in catalog.runs[contest.runs[0]].tasks if task.name == paired.task), None)
    return item_views(
        items,
        paired.metric,
        sides[0],
        sides[1:],
        kind=kind,
        gold=gold_of(record, items, store.gold) if record is not None else {},
        judged=store.judged.of(catalog, contest.comparison, contest.raw.candidate, paired.task, ids),
    )
