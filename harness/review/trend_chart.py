"""The chart of a task's history: scores, the wedge of noise that each next one had to leave, breaks and releases."""

from __future__ import annotations

import altair as alt

from harness.report.numbers import interval, points, share
from harness.report.words import Words
from harness.review.chart_parts import BREAK, FONT, GREEN, GREY, INK, LINE, PARTS, RED, chart_of, named
from harness.review.trends import Point, TaskTrend
from harness.review.words import PageWords

_BLUE, _WEDGE = "#2b5c8a", "#dbe3ea"
_TONES = {"better": GREEN, "worse": RED}
#: Points up to which names stand level under the axis.
_LEVEL = 5


def trend_chart(trend: TaskTrend, words: Words, say: PageWords) -> alt.LayerChart:
    """Scores in per cent by the order in which the runs were made."""
    texts = say.trends
    places = [_place(index, point) for index, point in enumerate(trend.points)]
    dots = [_dot(place, point, words, say) for place, point in zip(places, trend.points, strict=True)]
    joined = [(index, point) for index, point in enumerate(trend.points) if point.joined is not None]
    steps: list[dict[str, object]] = []
    wedges: list[dict[str, object]] = []
    for index, point in joined:
        assert point.joined is not None
        before = trend.points[point.joined]
        for at, one in ((point.joined, before), (index, point)):
            steps.append({"place": places[at], "score": _per_cent(one.result.candidate), "step": str(index)})
        low, high = point.change.band if point.change else (0.0, 0.0)
        start = before.result.candidate or 0.0
        wedges += [
            {"place": places[point.joined], "low": 100 * start, "high": 100 * start, "step": str(index)},
            {"place": places[index], "low": 100 * (start + low), "high": 100 * (start + high), "step": str(index)},
        ]
    x = alt.X(
        "place:N",
        sort=places,
        title=None,
        scale=alt.Scale(domain=places, type="point", padding=0.5),
        axis=alt.Axis(
            labelExpr=f"slice({PARTS}, 0, 2)" if len(places) <= _LEVEL else f"{PARTS}[0]",
            labelAngle=0 if len(places) <= _LEVEL else -35,
            labelLimit=130,
            ticks=False,
            domainColor=LINE,
            labelColor=GREY,
        ),
    )
    scale = alt.Scale(domain=_domain(trend, wedges), nice=False, zero=False, clamp=True)
    axis = alt.Axis(title=texts.score, gridColor=LINE, titleColor=GREY, format=".0f", tickCount=5, minExtent=34)
    y = alt.Y("score:Q", scale=scale, axis=axis)
    detail = alt.Detail("step:N")
    found: alt.LayerChart = (
        alt.layer(
            chart_of(wedges)
            .mark_area(color=_WEDGE, opacity=0.75)
            .encode(x=x, y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q", detail=detail),
            chart_of(dots)
            .mark_rule(color=GREY, strokeDash=[3, 3], xOffset=-26)
            .encode(x=x)
            .transform_filter("datum.why != ''"),
            chart_of(dots).mark_text(color=GREY, fontSize=11, align="left", dx=-22, y=10).encode(x=x, text="why:N"),
            chart_of(dots)
            .mark_tick(color="#9aa5b0", thickness=2, width=22)
            .encode(x=x, y=alt.Y("base:Q", scale=scale, axis=axis)),
            chart_of(steps).mark_line(color="#7d8b99", strokeWidth=1.6).encode(x=x, y=y, detail=detail),
            chart_of(dots)
            .mark_circle(size=620, color=_BLUE, opacity=0.16)
            .encode(x=x, y=y)
            .transform_filter("datum.released != ''"),
            chart_of(dots)
            .mark_text(color=_BLUE, fontSize=11, fontWeight=600, dy=-20)
            .encode(x=x, y=y, text="released:N"),
            chart_of(dots)
            .mark_point(size=110, opacity=1, strokeWidth=2, filled=True)
            .encode(
                x=x,
                y=y,
                fill=alt.Color("fill:N", scale=None),
                stroke=alt.Color("tone:N", scale=None),
                tooltip=[
                    alt.Tooltip("who:N", title=texts.candidate),
                    alt.Tooltip("when:N", title=texts.when),
                    alt.Tooltip("shown:N", title=texts.score),
                    alt.Tooltip("step:N", title=texts.step),
                    alt.Tooltip("change:N", title=texts.against_before),
                    alt.Tooltip("delta:N", title=texts.against_base),
                    alt.Tooltip("n:Q", title=words.items, format=","),
                ],
            ),
        )
        .properties(height=230)
        .configure_view(stroke=None)
        .configure(font=FONT)
    )
    return found


def _place(index: int, point: Point) -> str:
    """A place on the axis: the name and the day, and the number, which keeps two of them apart."""
    return BREAK.join([named(point.candidate), f"{point.at:%m-%d %H:%M}", str(index)])


def _dot(place: str, point: Point, words: Words, say: PageWords) -> dict[str, object]:
    texts = say.trends
    tone = _TONES.get(point.step, INK)
    result, change = point.result, point.change
    return {
        "place": place,
        "score": _per_cent(result.candidate),
        "base": _per_cent(result.base),
        "fill": tone if point.step in _TONES else "white",
        "tone": tone,
        "why": texts.breaks[point.why] if point.why else "",
        "released": texts.released if point.released else "",
        "who": named(point.candidate),
        "when": f"{point.at:%Y-%m-%d %H:%M}",
        "shown": share(result.candidate),
        "step": texts.steps[point.step],
        "change": f"{points(change.delta)} {interval(change.ci)}" if change else "",
        "delta": f"{points(result.delta)} {interval(result.ci)} {words.verdicts[result.verdict or 'held']}",
        "n": result.n,
    }


def _domain(trend: TaskTrend, wedges: list[dict[str, object]]) -> list[float]:
    """Scores, bases and wedges with some room, and never a range so small that noise looks large."""
    values = [_per_cent(v) for p in trend.points for v in (p.result.candidate, p.result.base) if v is not None]
    values += [float(str(one[end])) for one in wedges for end in ("low", "high")]
    low, high = min(values), max(values)
    room = max(4.0, 0.18 * (high - low), (24.0 - (high - low)) / 2)
    return [max(-3.0, low - room), min(110.0, high + 1.4 * room)]


def _per_cent(value: float | None) -> float:
    return round(100 * (value or 0.0), 3)
