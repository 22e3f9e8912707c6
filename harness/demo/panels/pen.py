"""Drawing: seven-segment digits, wheels with digits, dials, a few Chinese characters, text, lamps.

Coordinates are those of the finished picture (480 by 270); everything is drawn larger and scaled down, for smooth
edges.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Literal, TypeAlias

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 480, 270
_SCALE = 3
_CELL = 0.78  # width of a seven-segment digit with the gap behind it, in heights

Colour: TypeAlias = tuple[int, int, int]
Point: TypeAlias = tuple[float, float]
Box: TypeAlias = tuple[float, float, float, float]

# Which of the seven segments are lit: top, upper right, lower right, bottom, lower left, upper left, middle.
_LIT = {
    "0": "abcdef", "1": "bc", "2": "abdeg", "3": "abcdg", "4": "bcfg", "5": "acdfg", "6": "acdefg", "7": "abc",
    "8": "abcdefg", "9": "abcdfg", "-": "g", " ": "",
}  # fmt: skip

# Strokes of the characters that panels need, on a grid of 100 by 100; drawn for this project, so no font is needed.
_STROKES: dict[str, tuple[tuple[Point, ...], ...]] = {
    "总": (((32, 6), (42, 18)), ((68, 6), (58, 18)), ((26, 22), (74, 22), (74, 48), (26, 48), (26, 22)),
           ((14, 64), (8, 84)), ((30, 60), (30, 84), (36, 90), (66, 90), (68, 78)), ((46, 58), (54, 70)),
           ((80, 60), (92, 78))),
    "里": (((22, 10), (78, 10), (78, 48), (22, 48), (22, 10)), ((22, 29), (78, 29)), ((50, 10), (50, 90)),
           ((25, 68), (75, 68)), ((10, 90), (90, 90))),
    "程": (((38, 8), (12, 18)), ((6, 34), (46, 34)), ((26, 12), (26, 94)), ((26, 36), (6, 66)), ((26, 36), (44, 58)),
           ((54, 10), (92, 10), (92, 38), (54, 38), (54, 10)), ((52, 52), (94, 52)), ((54, 70), (92, 70)),
           ((48, 92), (98, 92)), ((73, 52), (73, 92))),
    "小": (((50, 8), (50, 88), (38, 80)), ((28, 38), (12, 70)), ((72, 38), (88, 70))),
    "计": (((16, 10), (27, 23)), ((8, 40), (26, 40), (26, 84), (40, 70)), ((44, 42), (96, 42)), ((70, 8), (70, 94))),
    "公": (((38, 10), (12, 48)), ((62, 10), (90, 48)), ((48, 48), (22, 86), (78, 80)), ((64, 62), (84, 92))),
    "英": (((8, 18), (92, 18)), ((34, 6), (34, 30)), ((66, 6), (66, 30)), ((24, 60), (24, 42), (76, 42), (76, 60)),
           ((6, 61), (94, 61)), ((50, 30), (50, 61), (40, 78), (12, 94)), ((50, 61), (64, 78), (90, 94))),
    "外": (((32, 6), (10, 48)), ((27, 22), (50, 22), (38, 60), (10, 94)), ((20, 44), (36, 56)), ((70, 6), (70, 94)),
           ((70, 38), (94, 56))),
    "温": (((10, 12), (22, 22)), ((5, 38), (17, 47)), ((7, 90), (24, 60)),
           ((38, 8), (86, 8), (86, 46), (38, 46), (38, 8)), ((38, 27), (86, 27)),
           ((36, 92), (36, 56), (88, 56), (88, 92)), ((53, 56), (53, 92)), ((71, 56), (71, 92)), ((26, 92), (98, 92))),
    "续": (((26, 6), (8, 32), (30, 30), (8, 58), (36, 54)), ((6, 86), (36, 74)), ((46, 16), (92, 16)),
           ((68, 4), (68, 32)), ((42, 34), (95, 34), (90, 46)), ((54, 44), (61, 52)), ((47, 55), (54, 63)),
           ((40, 70), (97, 70)), ((71, 42), (71, 70), (62, 82), (42, 95)), ((74, 76), (92, 95))),
    "航": (((25, 3), (19, 16)), ((12, 18), (12, 70), (5, 93)), ((12, 18), (40, 18), (40, 91), (32, 88)),
           ((3, 54), (46, 54)), ((24, 28), (28, 39)), ((24, 63), (28, 75)), ((70, 4), (75, 17)), ((52, 27), (97, 27)),
           ((60, 43), (60, 66), (48, 93)), ((60, 43), (82, 43), (82, 85), (87, 91), (97, 89), (97, 76))),
}  # fmt: skip


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType; its own wheels have it")
    return font


class Pen:
    """A canvas and what is drawn on it."""

    def __init__(self, background: Colour) -> None:
        self._image = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE), background)
        self._draw = ImageDraw.Draw(self._image)

    def finished(self) -> Image.Image:
        """The picture at its final size."""
        return self._image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)

    def line(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        self._draw.line([_up(p) for p in points], fill=colour, width=_size(width), joint="curve")

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        self._draw.polygon([_up(p) for p in points], fill=colour)

    def disc(
        self, centre: Point, radius: float, colour: Colour, outline: Colour | None = None, width: float = 1
    ) -> None:
        x, y = centre
        box = (*_up((x - radius, y - radius)), *_up((x + radius, y + radius)))
        self._draw.ellipse(box, fill=colour, outline=outline, width=_size(width))

    def arc(self, centre: Point, radius: float, start: float, end: float, colour: Colour, width: float) -> None:
        """Angles in degrees, clockwise from the right."""
        x, y = centre
        self._draw.arc(
            (*_up((x - radius, y - radius)), *_up((x + radius, y + radius))), start, end, colour, _size(width)
        )

    def window(self, box: Box, colour: Colour, outline: Colour | None = None, radius: float = 5) -> None:
        corners = (*_up(box[:2]), *_up(box[2:]))
        self._draw.rounded_rectangle(corners, radius * _SCALE, fill=colour, outline=outline, width=_SCALE)

    def text(self, at: Point, text: str, size: float, colour: Colour, anchor: str = "ls") -> float:
        """Text of a capital height of about `size`, Chinese included; returns its width.

        Args:
            anchor: Pillow's: `ls` left on the baseline, `ms` centred, `rs` right.
        """
        if any(char in _STROKES for char in text):
            return self._characters(at, text, size, colour, anchor)
        font = _font(round(size * 1.4 * _SCALE))
        self._draw.text(_up(at), text, fill=colour, font=font, anchor=anchor)
        return font.getlength(text) / _SCALE

    def _characters(self, at: Point, text: str, size: float, colour: Colour, anchor: str) -> float:
        each = size * 1.35
        width = len(text) * each * 1.08
        x = at[0] - {"l": 0.0, "m": width / 2, "r": width}[anchor[0]]
        for number, char in enumerate(text):
            left, top = x + number * each * 1.08, at[1] - each * 0.92
            for stroke in _STROKES[char]:
                points = [(left + px * each / 100, top + py * each / 100) for px, py in stroke]
                self.line(points, colour, each * 0.085)
        return width

    def segments(
        self, at: Point, text: str, height: float, lit: Colour, unlit: Colour, *, right: bool = False
    ) -> float:
        """Seven-segment digits on a baseline; returns the width. Points and colons stand between the digits."""
        x, y = at
        cell = height * _CELL
        width = sum(cell * (0.4 if char in ".:" else 1.0) for char in text)
        x -= width if right else 0.0
        for char in text:
            if char in ".:":
                for share in (0.0,) if char == "." else (0.28, 0.68):
                    self.disc(
                        (x + cell * 0.12 + height * share * 0.12, y - height * (share + 0.06)), height * 0.07, lit
                    )
                x += cell * 0.4
                continue
            for name in "abcdefg":
                self.polygon(_segment(name, x, y, height), lit if name in _LIT[char] else unlit)
            x += cell
        return width

    def wheels(
        self,
        box: Box,
        digits: str,
        turned: float,
        ink: Colour,
        paper: Colour,
        last: tuple[Colour, Colour] | None = None,
    ) -> None:
        """A row of number wheels in `box`. The last has turned on by `turned` of a digit; the others follow at a 9.

        Args:
            last: ink and paper of the last wheel where it differs (tenths).
        """
        left, top, right, bottom = box
        step = (right - left) / len(digits)
        height = bottom - top
        for number, digit in enumerate(digits):
            moves = turned if all(after == "9" for after in digits[number + 1 :]) else 0.0
            own_ink, own_paper = last if last is not None and number == len(digits) - 1 else (ink, paper)
            wheel = _wheel(int(digit), moves, _size(step - 1.5), _size(height), own_ink, own_paper)
            x, y = _up((left + number * step, top))
            self._image.paste(wheel, (round(x), round(y)))

    def dial(
        self, centre: Point, radius: float, end: int, value: float, ink: Colour, needle: Colour, every: int
    ) -> None:
        """A round scale from 0 to `end` with a long mark and a number `every` so many, and its needle."""
        for mark in range(0, end + 1, every // 2):
            long = mark % every == 0
            angle = _angle(mark / end)
            inner = radius * (0.86 if long else 0.92)
            self.line([_on(centre, radius, angle), _on(centre, inner, angle)], ink, 2 if long else 1.2)
            if long:
                x, y = _on(centre, radius * 0.72, angle)
                self.text((x, y), str(mark), max(radius * 0.085, 7), ink, "mm")
        angle = _angle(value / end)
        side = angle + math.pi / 2
        tip, tail = _on(centre, radius * 0.84, angle), _on(centre, -radius * 0.12, angle)
        self.polygon([_on(tail, 2.6, side), _on(tip, 0.8, side), _on(tip, -0.8, side), _on(tail, -2.6, side)], needle)
        self.disc(centre, radius * 0.07, (40, 40, 42), ink, 1)

    def lamp(self, name: str, at: Point, size: float) -> None:
        """A warning lamp, `size` high, centred at `at`."""
        x, y = at
        half = size / 2
        if name in ("arrow-left", "arrow-right"):
            way = -1 if name == "arrow-left" else 1
            shape: list[Point] = [(-1, -0.4), (0, -0.4), (0, -1), (1, 0), (0, 1), (0, 0.4), (-1, 0.4)]
            self.polygon([(x + way * px * half, y + py * half) for px, py in shape], (40, 200, 80))
        elif name == "engine":
            shape = [(-1, -0.2), (-0.6, -0.6), (0.4, -0.6), (0.6, -0.2), (1, -0.2), (1, 0.6), (-0.6, 0.6), (-0.8, 0.3)]
            self.line([(x + px * half, y + py * half) for px, py in [*shape, shape[0]]], (240, 170, 20), 1.4)
        elif name == "battery":
            self.line(_rectangle(x, y, half, half * 0.6), (220, 40, 40), 1.4)
            self.text((x, y), "- +", size * 0.3, (220, 40, 40), "mm")
        elif name == "beam":
            self.disc((x - half * 0.4, y), half * 0.6, (60, 110, 240))
            for row in (-0.6, 0, 0.6):
                self.line([(x + half * 0.4, y + row * half), (x + half, y + row * half)], (60, 110, 240), 1.2)
        elif name == "brake":
            self.disc((x, y), half * 0.8, (220, 40, 40))
            self.text((x, y), "!", size * 0.5, (255, 255, 255), "mm")
        else:
            self.line(_rectangle(x, y, half * 0.5, half), (220, 40, 40), 1.4)
            self.line([(x - half * 0.5, y - half), (x - half, y - half * 0.3)], (220, 40, 40), 1.4)


Anchor = Literal["ls", "ms", "rs"]


def _up(point: Sequence[float]) -> Point:
    return point[0] * _SCALE, point[1] * _SCALE


def _size(length: float) -> int:
    return max(1, round(length * _SCALE))


def _on(centre: Point, radius: float, angle: float) -> Point:
    return centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle)


def _angle(share: float) -> float:
    """Angle of a needle, in radians clockwise from the right: 135 degrees at the beginning, 405 at the end."""
    return math.radians(135 + 270 * share)


def _rectangle(x: float, y: float, half_width: float, half_height: float) -> list[Point]:
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
    return [(x + px * half_width, y + py * half_height) for px, py in corners]


def _segment(name: str, x: float, y: float, height: float) -> list[Point]:
    """Corners of one segment of the digit whose lower left corner is (x, y); the digit leans by eight degrees."""
    width, thick, gap = height * 0.5, height * 0.065, height * 0.02
    middle = height / 2
    ends = {
        "a": ((0, height), (width, height)), "d": ((0, 0), (width, 0)), "g": ((0, middle), (width, middle)),
        "f": ((0, middle), (0, height)), "b": ((width, middle), (width, height)),
        "e": ((0, 0), (0, middle)), "c": ((width, 0), (width, middle)),
    }[name]  # fmt: skip
    (x1, y1), (x2, y2) = ends
    if y1 == y2:
        x1, x2 = x1 + gap, x2 - gap
        shape = [(x1, y1), (x1 + thick, y1 + thick), (x2 - thick, y1 + thick), (x2, y1), (x2 - thick, y1 - thick),
                 (x1 + thick, y1 - thick)]  # fmt: skip
    else:
        y1, y2 = y1 + gap, y2 - gap
        shape = [(x1, y1), (x1 + thick, y1 + thick), (x1 + thick, y2 - thick), (x1, y2), (x1 - thick, y2 - thick),
                 (x1 - thick, y1 + thick)]  # fmt: skip
    lean = math.tan(math.radians(8))
    inset = thick  # so that the strokes lie inside the digit's height
    share = (height - 2 * inset) / height
    return [(x + thick + px + (inset + py * share) * lean, y - inset - py * share) for px, py in shape]


def _wheel(digit: int, turned: float, width: int, height: int, ink: Colour, paper: Colour) -> Image.Image:
    """The visible part of one wheel: this digit on its way up and out, the next one coming from below."""
    wheel = Image.new("RGB", (width, height), paper)
    draw = ImageDraw.Draw(wheel)
    font = _font(round(height * 0.86))
    for ahead, number in enumerate((digit - 1, digit, digit + 1, digit + 2), start=-1):
        centre = height / 2 + (ahead - turned) * height * 0.95
        draw.text((width / 2, centre), str(number % 10), fill=ink, font=font, anchor="mm")
    # A cylinder is darker where it turns away.
    shade = Image.new("L", (1, height))
    for y in range(height):
        shade.putpixel((0, y), round(255 * math.cos((y / (height - 1) - 0.5) * 2.2) ** 0.7))
    return Image.composite(wheel, Image.new("RGB", wheel.size, (0, 0, 0)), shade.resize(wheel.size))
