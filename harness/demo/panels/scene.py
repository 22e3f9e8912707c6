"""Draws a panel as it is, before it is photographed."""

from __future__ import annotations

from typing import NamedTuple

from PIL import Image

from harness.demo.panels.panel import Panel
from harness.demo.panels.pen import HEIGHT, WIDTH, Box, Colour, Pen, Point

WHITE: Colour = (240, 240, 236)
BLACK: Colour = (16, 16, 18)
RED: Colour = (214, 52, 40)


class Theme(NamedTuple):
    """Colours of a display: its ground, what is lit, what is not, and of the plate and the dials beside it."""

    ground: Colour
    lit: Colour
    unlit: Colour
    plate: Colour
    ink: Colour
    face: Colour
    mark: Colour


_THEMES = (
    Theme((176, 190, 168), (22, 28, 24), (164, 178, 157), (34, 36, 40), WHITE, (20, 21, 24), (240, 240, 236)),
    Theme((18, 12, 6), (255, 150, 30), (40, 26, 12), (22, 22, 24), (250, 190, 120), (14, 14, 16), (250, 190, 120)),
    Theme((24, 70, 150), (232, 240, 255), (34, 80, 158), (16, 18, 28), (220, 232, 255), (10, 12, 20), (220, 232, 255)),
    Theme((206, 206, 200), (30, 30, 34), (196, 196, 190), (60, 62, 66), WHITE, (232, 231, 224), (24, 24, 28)),
    Theme((8, 10, 12), (90, 240, 200), (20, 34, 32), (12, 14, 16), (200, 240, 232), (8, 10, 12), (200, 240, 232)),
    Theme((20, 6, 6), (255, 80, 60), (44, 16, 14), (26, 24, 24), (250, 230, 224), (226, 222, 214), (40, 16, 14)),
)

# What panels say, in Chinese and in English.
_WORDS = {
    "zh": {"odometer": "总里程", "trip": "小计", "range": "续航", "outside": "外温", "km": "公里", "mi": "英里"},
    "en": {"odometer": "ODO", "trip": "TRIP", "range": "RANGE", "outside": "OUT", "km": "km", "mi": "miles"},
}
_GEARS = "PRND"


def draw(panel: Panel) -> Image.Image:
    """The panel, 480 by 270 pixels, RGB."""
    theme = _THEMES[panel.theme % len(_THEMES)]
    pen = Pen(theme.plate)
    {"lcd": _lcd, "drum": _drum, "screen": _screen}[panel.display](pen, panel, theme)
    return pen.finished()


def _words(panel: Panel) -> dict[str, str]:
    return _WORDS[panel.language]


def _speed_unit(panel: Panel) -> str:
    return "km/h" if panel.unit == "km" else "mph"


def _reading(panel: Panel) -> str:
    return str(panel.odometer).zfill(panel.wheels)


def _degrees(panel: Panel) -> str:
    return "°F" if panel.fahrenheit else "°C"


def _lamps(pen: Pen, panel: Panel, start: Point, step: float) -> None:
    for number, lamp in enumerate(panel.lamps):
        pen.lamp(lamp, (start[0] + number * step, start[1]), 15)


def _speedometer(pen: Pen, panel: Panel, theme: Theme, centre: Point, radius: float) -> None:
    if panel.speed is None:
        return
    pen.disc(centre, radius * 1.06, theme.face, (90, 92, 96), 2)
    beside = 0.34 if panel.speed * 2 < panel.dial_end else -0.34  # where the needle is not
    pen.text((centre[0] + beside * radius, centre[1]), _speed_unit(panel), max(radius * 0.09, 7), theme.mark, "ms")
    every = 40 if radius < 80 and panel.unit == "km" else 20
    pen.dial(centre, radius, panel.dial_end, panel.speed, theme.mark, RED, every)


# --- LCD -------------------------------------------------------------------------------------------------------------


def _lcd(pen: Pen, panel: Panel, theme: Theme) -> None:
    if panel.layout == "closeup":
        pen.window((12, 12, WIDTH - 12, HEIGHT - 12), BLACK, (90, 92, 96))
        _lcd_rows(pen, panel, theme, (26, 22, WIDTH - 26, HEIGHT - 22))
    elif panel.layout == "dial":
        _speedometer(pen, panel, theme, (122, 128), 106)
        _lcd_rows(pen, panel, theme, (248, 36, 466, 222))
        _lamps(pen, panel, (290, 246), 44)
    else:
        _speedometer(pen, panel, theme, (76, 120), 66)
        _tachometer(pen, theme, (404, 120), 66)
        _lcd_rows(pen, panel, theme, (151, 20, 329, 254))
        _lamps(pen, panel, (32, 226), 44)


def _tachometer(pen: Pen, theme: Theme, centre: Point, radius: float) -> None:
    pen.disc(centre, radius * 1.06, theme.face, (90, 92, 96), 2)
    pen.text((centre[0], centre[1] + radius * 0.5), "x1000", max(radius * 0.09, 7), theme.mark, "ms")
    pen.dial(centre, radius, 8, 0.9, theme.mark, RED, every=2)


def _lcd_rows(pen: Pen, panel: Panel, theme: Theme, box: Box) -> None:
    left, top, right, bottom = box
    wide, high = right - left, bottom - top
    pen.window(box, theme.ground, theme.unlit)
    edge, words = wide * 0.04, _words(panel)
    small = min(high * 0.14, wide * 0.085)
    first = top + high * 0.09 + small
    if panel.clock is not None:
        _lcd_clock(pen, panel.clock, (left + edge, first), small, theme)
    if panel.temperature is not None:
        degrees = _degrees(panel)
        unit = right - edge - small * 1.25
        pen.text((unit, first), degrees, small * 0.75, theme.lit)
        pen.segments((unit - small * 0.1, first), str(panel.temperature), small, theme.lit, theme.unlit, right=True)
    second = top + high * 0.47
    if panel.gear is not None:
        pen.text((left + edge, second), panel.gear, high * 0.15, theme.lit)
    if panel.range_left is not None:
        _lcd_row(
            pen,
            theme,
            (left + wide * 0.3, right),
            second,
            small * 0.8,
            words["range"],
            str(panel.range_left),
            panel.unit,
        )
    tall = min(high * 0.185, wide * 0.108)  # six digits then take half of the width
    rows = [(words["odometer"], _reading(panel), tall, words[panel.unit])]
    if panel.trip is not None:
        rows.insert(0 if panel.swapped else 1, (words["trip"], panel.trip, tall * 0.78, ""))
    baselines = [top + high * 0.72, top + high * 0.95] if len(rows) == 2 else [top + high * 0.85]
    for baseline, (label, number, height, unit_name) in zip(baselines, rows, strict=True):
        _lcd_row(pen, theme, (left + edge, right), baseline, height, label, number, unit_name)


def _lcd_row(
    pen: Pen,
    theme: Theme,
    span: tuple[float, float],
    baseline: float,
    height: float,
    label: str,
    number: str,
    unit: str,
) -> None:
    left, right = span
    letters = max(8, min(height * 0.42, (right - left) * 0.055))
    pen.text((left, baseline), label, letters, theme.lit)
    unit_at = right - (right - left) * 0.19
    pen.segments((unit_at - 3, baseline), number, height, theme.lit, theme.unlit, right=True)
    pen.text((unit_at, baseline), unit, letters, theme.lit)


def _lcd_clock(pen: Pen, clock: str, at: Point, height: float, theme: Theme) -> None:
    digits, _, half = clock.partition(" ")
    width = pen.segments(at, digits, height, theme.lit, theme.unlit)
    pen.text((at[0] + width + 2, at[1]), half, height * 0.55, theme.lit)


# --- mechanical ------------------------------------------------------------------------------------------------------


def _drum(pen: Pen, panel: Panel, theme: Theme) -> None:
    if panel.layout == "closeup":
        pen.window((40, 50, WIDTH - 40, HEIGHT - 14), theme.face, (90, 92, 96))
        _odometer_wheels(pen, panel, theme, (96, 94, 384, 144), 15)
        _trip_wheels(pen, panel, theme, (150, 186, 310, 224), 12)
        pods = ((54, 8), (190, 8), (326, 8))
    elif panel.layout == "single":
        _speedometer(pen, panel, theme, (240, 136), 122)
        _odometer_wheels(pen, panel, theme, (192, 200, 288, 225), 9)
        _trip_wheels(pen, panel, theme, (212, 162, 268, 180), 7)
        pods = ((8, 10), (374, 10), (374, 226))
        _lamps(pen, panel, (24, 250), 26)
    else:
        _speedometer(pen, panel, theme, (132, 136), 120)
        _odometer_wheels(pen, panel, theme, (84, 200, 180, 225), 9)
        _trip_wheels(pen, panel, theme, (104, 162, 160, 180), 7)
        _fuel(pen, panel, theme, (372, 108), 74)
        pods = ((270, 196), (374, 196), (270, 232))
        _lamps(pen, panel, (396, 248), 26)
    _pods(pen, panel, theme, pods)


def _odometer_wheels(pen: Pen, panel: Panel, theme: Theme, box: Box, letters: float) -> None:
    left, top, right, bottom = box
    pen.window((left - 3, top - 3, right + 2, bottom + 3), (70, 72, 76), radius=2)
    pen.wheels(box, _reading(panel), panel.wheel, WHITE, BLACK)
    words = _words(panel)
    below = bottom + letters * 1.9
    pen.text((left, below), words["odometer"], letters, theme.mark)
    pen.text((right, below), words[panel.unit], letters, theme.mark, "rs")


def _trip_wheels(pen: Pen, panel: Panel, theme: Theme, box: Box, letters: float) -> None:
    if panel.trip is None:
        return
    left, top, right, bottom = box
    pen.window((left - 3, top - 3, right + 2, bottom + 3), (70, 72, 76), radius=2)
    digits = panel.trip.replace(".", "").zfill(4)
    pen.wheels(box, digits, 0.0, WHITE, BLACK, last=(BLACK, WHITE) if panel.swapped else (WHITE, RED))
    pen.text((right + 6, bottom - 2), _words(panel)["trip"], letters, theme.mark)


def _fuel(pen: Pen, panel: Panel, theme: Theme, centre: Point, radius: float) -> None:
    pen.disc(centre, radius * 1.06, theme.face, (90, 92, 96), 2)
    pen.arc(centre, radius * 0.85, 200, 340, theme.mark, 2)
    pen.text((centre[0] - radius * 0.8, centre[1] + radius * 0.1), "E", radius * 0.14, RED, "ms")
    pen.text((centre[0] + radius * 0.8, centre[1] + radius * 0.1), "F", radius * 0.14, theme.mark, "ms")
    share = 0.15 + (panel.odometer % 70) / 100
    tip = (centre[0] - radius * 0.75 * (1 - 2 * share), centre[1] - radius * 0.75 * (1 - abs(1 - 2 * share)) ** 0.5)
    pen.line([centre, tip], RED, 2)
    pen.disc(centre, radius * 0.08, (40, 40, 42), theme.mark, 1)


def _pods(pen: Pen, panel: Panel, theme: Theme, places: tuple[Point, Point, Point]) -> None:
    """Small windows for what a mechanical panel shows beside its dial."""
    clock, temperature, gear = places
    if panel.clock is not None:
        pen.window((*clock, clock[0] + 98, clock[1] + 32), theme.ground)
        _lcd_clock(pen, panel.clock, (clock[0] + 8, clock[1] + 26), 20, theme)
    if panel.temperature is not None:
        x, y = temperature
        pen.window((x, y, x + 98, y + 32), theme.ground)
        pen.segments((x + 66, y + 26), str(panel.temperature), 20, theme.lit, theme.unlit, right=True)
        pen.text((x + 69, y + 26), _degrees(panel), 12, theme.lit)
    if panel.gear is not None:
        x, y = gear
        pen.window((x, y, x + 98, y + 34), BLACK)
        _gears(pen, panel.gear, (x + 13, y + 24), 24, 14, theme)


# --- screen ----------------------------------------------------------------------------------------------------------


def _gears(pen: Pen, gear: str, at: Point, step: float, size: float, theme: Theme) -> None:
    """All positions of the lever, the chosen one bright and boxed."""
    for number, letter in enumerate(_GEARS):
        x = at[0] + number * step
        if letter == gear:
            pen.window(
                (x - size * 0.75, at[1] - size * 1.35, x + size * 0.75, at[1] + size * 0.35), theme.ink, radius=3
            )
        pen.text((x, at[1]), letter, size, BLACK if letter == gear else (92, 94, 98), "ms")


def _screen(pen: Pen, panel: Panel, theme: Theme) -> None:
    pen.window((6, 6, WIDTH - 6, HEIGHT - 6), BLACK, (70, 72, 76), radius=14)
    words, ink = _words(panel), theme.ink
    pen.line([(24, 42), (WIDTH - 24, 42)], (70, 72, 76), 1)
    if panel.clock is not None:
        pen.text((26, 32), panel.clock, 14, ink)
    if panel.temperature is not None:
        number = f"{panel.temperature} {_degrees(panel)}"
        width = pen.text((WIDTH - 26, 32), number, 14, ink, "rs")
        pen.text((WIDTH - 34 - width, 32), words["outside"], 10, (150, 152, 156), "rs")
    if panel.gear is not None:
        _gears(pen, panel.gear, (192, 33), 32, 15, theme)
    rows = [(words["odometer"], str(panel.odometer).zfill(panel.wheels), words[panel.unit])]
    if panel.trip is not None:
        rows.insert(0 if panel.swapped else 1, (words["trip"], panel.trip, words[panel.unit]))
    if panel.range_left is not None:
        rows.append((words["range"], str(panel.range_left), words[panel.unit]))
    (_screen_centre if panel.layout == "centre" else _screen_side)(pen, panel, theme, rows)


def _screen_centre(pen: Pen, panel: Panel, theme: Theme, rows: list[tuple[str, str, str]]) -> None:
    for side, start in ((92, 130), (388, -50)):
        pen.arc((side, 124), 66, start, start + 100, theme.lit if theme.lit != BLACK else theme.ink, 6)
    pen.text((240, 150), str(panel.speed), 62, theme.ink, "ms")
    pen.text((240, 178), _speed_unit(panel), 13, (170, 172, 176), "ms")
    _lamps(pen, panel, (92 - 22, 124), 24)
    step = (WIDTH - 40) / len(rows)
    for number, (label, reading, unit) in enumerate(rows):
        x = 26 + number * step
        pen.text((x, 218), label, 10, (170, 172, 176))
        width = pen.text((x, 246), reading, 17, theme.ink)
        pen.text((x + width + 5, 246), unit, 10, (170, 172, 176))


def _screen_side(pen: Pen, panel: Panel, theme: Theme, rows: list[tuple[str, str, str]]) -> None:
    pen.text((118, 158), str(panel.speed), 64, theme.ink, "ms")
    pen.text((118, 190), _speed_unit(panel), 14, (170, 172, 176), "ms")
    _lamps(pen, panel, (74, 228), 44)
    pen.line([(226, 60), (226, 246)], (70, 72, 76), 1)
    for number, (label, reading, unit) in enumerate(rows):
        y = 92 + number * 62
        pen.text((246, y), label, 12, (170, 172, 176))
        width = pen.text((246, y + 30), reading, 20, theme.ink)
        pen.text((246 + width + 7, y + 30), unit, 12, (170, 172, 176))
