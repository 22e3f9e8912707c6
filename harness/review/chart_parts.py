"""What every chart is made of: colours, names that are safe to draw, and data that stand in the chart itself."""

from __future__ import annotations

import altair as alt

from harness.report.untrusted import one_line, visible

RED, GREEN, AMBER, GREY = "#b42318", "#1c7a4a", "#96650b", "#5b6773"
FONT = "system-ui, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
INK, LINE, WASH = "#1f2933", "#e3e7eb", "#eef1f4"
#: Between parts of a label that stand under each other on an axis. No name holds it: it is not visible. A line
#: separator would end a text in the expressions that Vega-Lite makes of the names it sorts by.
BREAK = " \u2063"
#: The parts of such a label, as an expression of Vega.
PARTS = f"split(datum.label, '{BREAK}')"
#: Terminal cells of a name at most; what an axis has no room for it cuts when it draws.
_NAME = 200


def named(text: str) -> str:
    """A name in a chart."""
    return one_line(visible(text), _NAME)


def chart_of(data: list[dict[str, object]]) -> alt.Chart:
    """A chart over rows that travel with it."""
    return alt.Chart(alt.InlineData(values=data))
