"""Training: how each candidate that was trained here came to be."""

from __future__ import annotations

import streamlit as st

from dashboard.frame import Page
from harness.candidates.workspace import load_workspace
from harness.errors import HarnessError
from harness.report.untrusted import visible
from harness.report.words import words
from harness.review.training import StoredSweep, Trained, build_trainings, sources_of
from harness.review.training_charts import delta_chart, kl_chart, loss_chart, sweep_chart

#: Where a first training is shown by a command.
_COMMAND = "harness train sft CONFIG.yaml --suite medical"


def draw(page: Page) -> None:
    say = page.say.training
    page.html("page_head", title=page.say.pages["training"], lead=say.lead)
    try:
        found = build_trainings(load_workspace(page.settings.folder), page.store.catalog())
    except HarnessError as error:
        page.html("empty", title="", text=str(error), command="")
        return
    if found.trained:
        _one(page, found.trained)
    else:
        page.html("empty", title=say.none_title, text=say.none_text, command=_COMMAND)
    if found.sweeps:
        _sweep(page, found.sweeps)
    if found.unknown:
        page.html("hint", text=say.unknown.format(names=words(page.language).list_join.join(found.unknown)))
    if found.faults:
        page.html("faults", faults=found.faults)


def _one(page: Page, trained: tuple[Trained, ...]) -> None:
    say = page.say.training
    number = st.selectbox(
        say.candidate,
        range(len(trained)),
        format_func=lambda one: (
            f"{trained[one].name} · {sources_of(trained[one].lineage)} · "
            f"{visible(trained[one].lineage.finished[:16]).replace('T', ' ')}"
        ),
    )
    one = trained[number]
    page.html("section", title=say.course, text=say.course_lead if one.measured else "")
    page.html("training_outcome", one=one)
    texts = words(page.language)
    charts = [
        loss_chart(one.lineage, page.say),
        delta_chart(one.lineage, texts, page.say),
        kl_chart(one.lineage, page.say),
    ]
    if charts[0] is None:
        page.html("hint", text=say.no_losses)
    for chart in charts:
        if chart is not None:
            st.altair_chart(chart, width="stretch", theme=None)
    page.html("training_lineage", one=one, sources=sources_of(one.lineage))


def _sweep(page: Page, sweeps: tuple[StoredSweep, ...]) -> None:
    say = page.say.training
    number = 0
    if len(sweeps) > 1:
        number = st.selectbox(
            say.sweep.format(suite=""),
            range(len(sweeps)),
            format_func=lambda one: f"{visible(sweeps[one].sweep.suite)} · {sweeps[one].stored.made:%Y-%m-%d %H:%M}",
        )
    sweep = sweeps[number].sweep
    page.html("section", title=say.sweep.format(suite=sweep.suite), text=say.sweep_lead)
    st.altair_chart(sweep_chart(sweep, page.say), width="stretch", theme=None)
    page.html("training_sweep", sweep=sweep)
