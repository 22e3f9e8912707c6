"""Charts of the pages as Altair, which Streamlit brings along and draws without a network.

Every name in them goes through `visible`; the fields and titles are our own words, since a viewer takes a field called
"image" in a tooltip for an address. Red is a regression, green an improvement, amber what cannot be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from harness.comparison.results import TaskResult
from harness.report.numbers import interval, points, share, size
from harness.report.words import Words
from harness.review.chart_parts import AMBER, BREAK, FONT, GREEN, GREY, INK, LINE, PARTS, RED, WASH, chart_of, named
from harness.review.overview import span_of
from harness.review.pairs import SliceCell
from harness.review.words import PageWords

TONES = {"improved": GREEN, "held": GREY, "regressed": RED, "inconclusive": AMBER}

#: Items of a slice below which its difference says nothing.
FEW = 20
#: Rows of a heat map.
MOST_VALUES = 30


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One difference: a task's primary metric of one candidate."""

    candidate: str
    result: TaskResult


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A slice of a task of one candidate."""

    candidate: str
    task: str
    cell: SliceCell

    @property
    def few(self) -> bool:
        return self.cell.n < FEW

    @property
    def clear(self) -> bool:
        """The difference is larger than twice its standard error. For looking, not a verdict: nothing is adjusted."""
        return self.cell.se is not None and abs(self.cell.delta) > 1.96 * self.cell.se and not self.few


def forest(rows: Sequence[ForestRow], words: Words, say: PageWords) -> alt.LayerChart:
    """Differences with their intervals on one scale; the shaded part is what each task allows to be lost."""
    several = len({row.candidate for row in rows}) > 1
    data: list[dict[str, object]] = [
        {
            "task": named(row.result.task),
            "who": named(row.candidate),
            "row": named(f"{row.result.task} · {row.candidate}" if several else row.result.task),
            "role": words.roles[row.result.role],
            "delta": _points(row.result.delta),
            "low": _points(row.result.ci[0]) if row.result.ci else None,
            "high": _points(row.result.ci[1]) if row.result.ci else None,
            "margin": _points(-row.result.margin),
            "zero": 0,
            "tone": TONES[row.result.verdict or "held"],
            "verdict": say.identical if row.result.identical else words.verdicts[row.result.verdict or "held"],
            "scores": f"{share(row.result.base)} → {share(row.result.candidate)}",
            "change": f"{points(row.result.delta)} {interval(row.result.ci)}",
            "allowed": f"−{size(row.result.margin)}",
            "n": row.result.n,
        }
        for row in rows
    ]
    span = 100 * span_of([row.result for row in rows])
    scale = alt.Scale(domain=[-span, span], nice=False)
    base = chart_of(data).encode(
        y=alt.Y(
            "row:N",
            sort=[str(one["row"]) for one in data],
            title=None,
            axis=alt.Axis(labelLimit=320, labelFontSize=13, ticks=False, domain=False, labelPadding=10),
        ),
        tooltip=[
            alt.Tooltip("task:N", title=words.task),
            alt.Tooltip("who:N", title=words.candidate),
            alt.Tooltip("role:N", title=words.role),
            alt.Tooltip("verdict:N", title=words.verdict),
            alt.Tooltip("scores:N", title=f"{words.base} → {words.candidate}"),
            alt.Tooltip("change:N", title=say.points),
            alt.Tooltip("allowed:N", title=say.margin),
            alt.Tooltip("n:Q", title=words.items, format=","),
        ],
    )
    axis = alt.Axis(
        title=say.compare.delta_axis, grid=True, gridColor=LINE, format="+.0f", tickCount=9, titleColor=GREY
    )
    x = alt.X("delta:Q", scale=scale, axis=axis)
    colour = alt.Color("tone:N", scale=None)
    chart: alt.LayerChart = (
        alt.layer(
            base.mark_bar(color=WASH, height=alt.RelativeBandSize(0.86)).encode(
                x=alt.X("margin:Q", scale=scale, axis=axis), x2="zero:Q"
            ),
            base.mark_rule(color="#8b97a3").encode(x=alt.X("zero:Q", scale=scale)),
            base.mark_rule(strokeWidth=4, opacity=0.55, strokeCap="round").encode(
                x=alt.X("low:Q", scale=scale), x2="high:Q", color=colour
            ),
            base.mark_circle(size=130, opacity=1, stroke="white", strokeWidth=1.5).encode(x=x, color=colour),
        )
        .properties(height=max(70, 34 * len(data)))
        .configure_view(stroke=None)
        .configure(font=FONT)
    )
    return chart


def heat_map(cells: Sequence[HeatCell], words: Words, say: PageWords) -> alt.LayerChart:
    """Differences by slice; a cell with few items is grey, whatever its difference."""
    several = len({cell.candidate for cell in cells}) > 1
    order = _by_loss(cells)
    data: list[dict[str, object]] = [
        {
            "value": named(one.cell.value),
            "column": f"{named(one.task)}{BREAK}{named(one.candidate)}" if several else named(one.task),
            "fill": _fill(one),
            "ink": GREY if one.few else ("white" if one.clear and abs(one.cell.delta) > 0.15 else INK),
            "label": f"{points(one.cell.delta)}",
            "count": f"n {one.cell.n:,}",
            "scores": f"{share(one.cell.base)} → {share(one.cell.candidate)}",
            "change": points(one.cell.delta),
            "n": one.cell.n,
            "note": say.compare.few.format(count=FEW)
            if one.few
            else say.compare.clear
            if one.clear
            else say.compare.not_clear,
        }
        for one in cells
        if one.cell.value in order
    ]
    columns = list(dict.fromkeys(str(one["column"]) for one in data))
    base = chart_of(data).encode(
        x=alt.X(
            "column:N",
            sort=columns,
            title=None,
            axis=alt.Axis(
                orient="top",
                labelAngle=0,
                labelLimit=200,
                labelExpr=PARTS,
                labelPadding=22 if several else 6,  # the second line of a label goes down
                ticks=False,
                domain=False,
                labelFontSize=12,
            ),
        ),
        y=alt.Y(
            "value:N",
            sort=[named(value) for value in order],
            title=None,
            axis=alt.Axis(labelLimit=240, ticks=False, domain=False, labelFontSize=13, labelPadding=8),
        ),
        tooltip=[
            alt.Tooltip("column:N", title=words.task),
            alt.Tooltip("value:N", title=say.compare.slice),
            alt.Tooltip("scores:N", title=f"{words.base} → {words.candidate}"),
            alt.Tooltip("change:N", title=say.points),
            alt.Tooltip("n:Q", title=words.items, format=","),
            alt.Tooltip("note:N", title=words.note),
        ],
    )
    chart: alt.LayerChart = (
        alt.layer(
            base.mark_rect(stroke="white", strokeWidth=2, cornerRadius=4).encode(color=alt.Color("fill:N", scale=None)),
            base.mark_text(fontSize=13, fontWeight=600, dy=-6).encode(
                text="label:N", color=alt.Color("ink:N", scale=None)
            ),
            base.mark_text(fontSize=10.5, dy=9).encode(text="count:N", color=alt.Color("ink:N", scale=None)),
        )
        .properties(height=max(60, 40 * len({str(one["value"]) for one in data}) + 30))
        .configure_view(stroke=None)
        .configure(font=FONT)
    )
    return chart


def _by_loss(cells: Sequence[HeatCell]) -> list[str]:
    """The values of a key, those first in which most was lost; of many, those that have most items."""
    items: dict[str, int] = {}
    worst: dict[str, float] = {}
    for one in cells:
        items[one.cell.value] = items.get(one.cell.value, 0) + one.cell.n
        if not one.few:
            worst[one.cell.value] = min(worst.get(one.cell.value, 1.0), one.cell.delta)
    kept = sorted(items, key=lambda value: -items[value])[:MOST_VALUES]
    return sorted(kept, key=lambda value: (worst.get(value, 2.0), value))


def _fill(one: HeatCell) -> str:
    """A colour only where the difference can be told from none."""
    if one.few:
        return "#e3e6e9"
    if not one.clear:
        return "#f5f7f8"
    steps = ("#eab5ad", "#d4756a", "#b42318") if one.cell.delta < 0 else ("#a9d5bb", "#5fae82", "#1c7a4a")
    return steps[min(2, int(abs(one.cell.delta) / 0.08))]


def _points(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 3)
