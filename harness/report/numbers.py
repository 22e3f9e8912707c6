"""Numbers as people read them: scores in per cent, differences in percentage points."""

from __future__ import annotations

#: What stands where there is no number.
NONE = "–"


def share(value: float | None) -> str:
    """A score: `72.0%`."""
    return NONE if value is None else f"{value:.1%}"


def points(value: float | None) -> str:
    """A difference in percentage points, always with its sign: `+41.0`. A real minus sign keeps columns straight."""
    if value is None:
        return NONE
    text = f"{100 * value:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "\u2212")


def size(value: float | None) -> str:
    """A difference without a sign: `11.0`."""
    return NONE if value is None else f"{100 * abs(value):.1f}"


def interval(ci: tuple[float, float] | None) -> str:
    """`[+32.0, +50.0]`."""
    return "" if ci is None else f"[{points(ci[0])}, {points(ci[1])}]"


def probability(value: float | None) -> str:
    """A p value: `<0.001`, `0.023`."""
    if value is None:
        return NONE
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def rate(value: float) -> str:
    """A share where tenths of a per cent say nothing: `29%`."""
    return f"{value:.0%}"


def variance(value: float) -> str:
    """A variance of scores: `0.173`."""
    return f"{value:.3f}"


def level(alpha: float) -> str:
    """Confidence level of an interval: `95%`."""
    return f"{100 * (1 - alpha):g}%"


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `2 h 05 min`."""
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def signed(value: float | None) -> str:
    """A difference in its own unit, with its sign: `+0.42`."""
    if value is None:
        return NONE
    text = f"{value:+.2f}"
    return "0.00" if text in ("+0.00", "-0.00") else text.replace("-", "\u2212")


def signed_interval(ci: tuple[float, float] | None) -> str:
    """`[+0.10, +0.74]`."""
    return "" if ci is None else f"[{signed(ci[0])}, {signed(ci[1])}]"
