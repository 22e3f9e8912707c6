"""Charts of the page Training: the course of one training over its steps, and a sweep with its front."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import altair as alt

from harness.candidates.lineage import Evaluation, Lineage
from harness.report.numbers import interval, points
from harness.report.sweep import Measured, Sweep, SweepPoint
from harness.report.words import Words
from harness.review.chart_parts import FONT, GREEN, GREY, INK, LINE, RED, chart_of, named
from harness.review.words import PageWords

#: Points of a loss curve that are drawn; of a longer log every nth.
MOST_LOSSES = 1_500
#: Tasks take these in order; none is a colour of a verdict.
_TASKS = ("#2b5c8a", "#7b5ea7", "#3a8f9e", "#8a6d3b", "#6b7785", "#b0709b")
_CHOSEN = "#4a5561"
#: Pixels left of the plot, so that the charts stand under each other.
_LEFT = 62


def loss_chart(lineage: Lineage, say: PageWords) -> alt.LayerChart | None:
    """Loss by step; None where the log has none that can be drawn."""
    losses = [point for point in lineage.losses if math.isfinite(point.loss)]
    every = max(1, -(-len(losses) // MOST_LOSSES))
    data: list[dict[str, object]] = [{"step": one.step, "loss": one.loss} for one in losses[::every]]
    if not data:
        return None
    texts = say.training
    line = chart_of(data).mark_line(color=_CHOSEN, strokeWidth=1.5, point={"size": 18} if len(data) < 60 else False)
    encoded = line.encode(
        x=_steps(lineage, say, titled=lineage.selection is None),
        y=alt.Y("loss:Q", scale=alt.Scale(zero=False), axis=_axis(texts.loss, "~g")),
        tooltip=[alt.Tooltip("step:Q", title=texts.step), alt.Tooltip("loss:Q", title=texts.loss, format=".4f")],
    )
    return _finished([encoded, *_chosen(lineage, say, named_above=True)], 150)


def delta_chart(lineage: Lineage, words: Words, say: PageWords) -> alt.LayerChart | None:
    """Differences from the base by step, a line a task; None where the training was not measured."""
    if lineage.selection is None:
        return None
    texts = say.training
    data: list[dict[str, object]] = [
        {
            "step": one.step,
            "task": f"{named(score.task)} ({words.roles[score.role]})",
            "delta": 100 * score.delta,
            "low": 100 * score.ci[0] if score.ci else None,
            "high": 100 * score.ci[1] if score.ci else None,
            "zero": 0,
            "tone": RED if score.verdict == "regressed" else "white",
            "shown": f"{points(score.delta)} {interval(score.ci)}",
            "verdict": _verdict(score.verdict, words),
            "n": score.n,
        }
        for one in lineage.selection.during
        for score in one.scores
        if score.delta is not None
    ]
    if not data:
        return None
    tasks = list(dict.fromkeys(str(one["task"]) for one in data))
    colour = alt.Color(
        "task:N",
        scale=alt.Scale(domain=tasks, range=[_TASKS[index % len(_TASKS)] for index in range(len(tasks))]),
        legend=alt.Legend(
            title=None, orient="top", labelLimit=260, symbolType="stroke", symbolStrokeWidth=3, symbolOpacity=1
        ),
    )
    x = _steps(lineage, say, titled=all(one.kl is None for one in lineage.selection.during))
    y = alt.Y("delta:Q", axis=_axis(texts.delta, "+.0f"))
    base = chart_of(data)
    return _finished(
        [
            base.mark_rule(color="#8b97a3").encode(y="zero:Q"),
            base.mark_rule(strokeWidth=5, opacity=0.16).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour),
            base.mark_line(strokeWidth=2).encode(x=x, y=y, color=colour),
            base.mark_point(size=80, opacity=1, strokeWidth=2, filled=True).encode(
                x=x,
                y=y,
                stroke=colour,
                fill=alt.Color("tone:N", scale=None),
                tooltip=[
                    alt.Tooltip("step:Q", title=texts.step),
                    alt.Tooltip("task:N", title=words.task),
                    alt.Tooltip("shown:N", title=texts.delta),
                    alt.Tooltip("verdict:N", title=words.verdict),
                    alt.Tooltip("n:Q", title=words.items, format=","),
                ],
            ),
            *_chosen(lineage, say),
        ],
        230,
    )


def kl_chart(lineage: Lineage, say: PageWords) -> alt.LayerChart | None:
    """The distance to the base by step; None where it was not measured."""
    measured = lineage.selection.during if lineage.selection else ()
    data: list[dict[str, object]] = [
        {"step": one.step, "kl": one.kl} for one in measured if one.kl is not None and math.isfinite(one.kl)
    ]
    if not data:
        return None
    texts = say.training
    line = chart_of(data).mark_line(color=_CHOSEN, strokeWidth=1.5, point={"size": 30})
    encoded = line.encode(
        x=_steps(lineage, say, titled=True),
        y=alt.Y("kl:Q", axis=_axis(texts.kl, "~g")),
        tooltip=[alt.Tooltip("step:Q", title=texts.step), alt.Tooltip("kl:Q", title=texts.kl, format=".4f")],
    )
    return _finished([encoded, *_chosen(lineage, say)], 140)


def sweep_chart(sweep: Sweep, say: PageWords) -> alt.LayerChart:
    """Gain against what was kept; the front is joined."""
    texts = say.training
    data: list[dict[str, object]] = [
        {
            "gain": 100 * point.target.delta,
            "kept": 100 * point.worst.delta,
            **_ends(point.target, "gain"),
            **_ends(point.worst, "kept"),
            "label": named(_label(point.settings)),
            "marked": named(_marked(point, sweep)),
            "tone": GREEN if point.front else GREY,
            "fill": GREEN if point.front else "white",
            "front": texts.front if point.front else texts.dominated,
            "who": named(point.candidate),
            "target": f"{points(point.target.delta)} {interval(point.target.ci)}",
            "guard": f"{named(point.worst.task)} {points(point.worst.delta)} {interval(point.worst.ci)}",
            "zero": 0,
            "on": point.front,
        }
        for point in sweep.points
    ]
    gain = texts.gain.format(task=named(sweep.points[0].target.task))
    x = alt.X("gain:Q", axis=alt.Axis(title=gain, gridColor=LINE, titleColor=GREY, format="+.0f"))
    y = alt.Y("kept:Q", axis=_axis(texts.worst_guard, "+.0f"))
    base = chart_of(data)
    tone = alt.Color("tone:N", scale=None)
    return _finished(
        [
            base.mark_rule(color="#c3ccd4").encode(x=alt.X("zero:Q")),
            base.mark_rule(color="#c3ccd4").encode(y=alt.Y("zero:Q")),
            base.mark_line(color=GREEN, opacity=0.35, strokeWidth=2)
            .transform_filter("datum.on")
            .encode(x=x, y=y, order="gain:Q"),
            base.mark_rule(opacity=0.45, strokeWidth=1.5).encode(x="gain_low:Q", x2="gain_high:Q", y=y, color=tone),
            base.mark_rule(opacity=0.45, strokeWidth=1.5).encode(x=x, y="kept_low:Q", y2="kept_high:Q", color=tone),
            base.mark_point(size=120, opacity=1, strokeWidth=2, filled=True).encode(
                x=x,
                y=y,
                stroke=tone,
                fill=alt.Color("fill:N", scale=None),
                tooltip=[
                    alt.Tooltip("who:N", title=texts.candidate),
                    alt.Tooltip("label:N", title=texts.config),
                    alt.Tooltip("target:N", title=gain),
                    alt.Tooltip("guard:N", title=texts.worst_guard),
                    alt.Tooltip("front:N", title=" "),
                ],
            ),
            base.mark_text(align="left", dx=10, dy=-10, fontSize=12).encode(x=x, y=y, text="marked:N", color=tone),
        ],
        330,
    )


def _verdict(verdict: str, words: Words) -> str:
    return next((text for name, text in words.verdicts.items() if name == verdict), verdict)


def _label(settings: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def _marked(point: SweepPoint, sweep: Sweep) -> str:
    """The text beside a point; of several in one place the first speaks for all."""
    here = [one for one in sweep.points if _place(one) == _place(point)]
    return " / ".join(_label(one.settings) for one in here) if here[0] is point else ""


def _place(point: SweepPoint) -> tuple[float, float]:
    return point.target.delta, point.worst.delta


def _ends(measured: Measured, name: str) -> dict[str, object]:
    low, high = measured.ci or (measured.delta, measured.delta)
    return {f"{name}_low": 100 * low, f"{name}_high": 100 * high}


def _steps(lineage: Lineage, say: PageWords, *, titled: bool) -> alt.X:
    """The axis that the charts of one training share."""
    last = max([point.step for point in lineage.losses] + [e.step for e in _evaluations(lineage)] + [1])
    axis = alt.Axis(
        title=say.training.step if titled else None, grid=False, tickMinStep=1, titleColor=GREY, format=",d"
    )
    return alt.X("step:Q", scale=alt.Scale(domain=[0, last * 1.03], nice=False), axis=axis)


def _evaluations(lineage: Lineage) -> Sequence[Evaluation]:
    return lineage.selection.during if lineage.selection else ()


def _chosen(lineage: Lineage, say: PageWords, *, named_above: bool = False) -> list[alt.Chart]:
    """The checkpoint that became the candidate."""
    if lineage.selection is None:
        return []
    data = chart_of([{"step": lineage.selection.chosen, "name": say.training.chosen}])
    x = alt.X("step:Q")
    found = [data.mark_rule(color=INK, strokeDash=[5, 4], strokeWidth=1.2).encode(x=x)]
    if named_above:
        found.append(data.mark_text(color=INK, fontSize=11, align="left", dx=5, y=8).encode(x=x, text="name:N"))
    return found


def _axis(title: str, shown: str) -> alt.Axis:
    return alt.Axis(
        title=title,
        gridColor=LINE,
        titleColor=GREY,
        format=shown,
        tickCount=5,
        minExtent=_LEFT - 22,
        maxExtent=_LEFT - 22,
    )


def _finished(layers: Sequence[alt.Chart], height: int) -> alt.LayerChart:
    chart: alt.LayerChart = (
        alt.layer(*layers).properties(height=height).configure_view(stroke=None).configure(font=FONT)
    )
    return chart
