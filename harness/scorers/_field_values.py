"""Values of fields: how a text is read as a number, a time, a date, …, and when two of them are the same.

Length, speed and temperature units are converted. A unit an hour counts as its distance (`60 km/h` and `60 km`): which
of the two is meant, the field says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.scorers._quantities import arabic_quantities, chinese_quantities, prepare
from harness.text import fold_case, fold_width, normalise

KindName = Literal["text", "code", "number", "money", "unit", "time", "date"]
Order = Literal["dmy", "mdy", "ymd"]
_MAX_LENGTH = 500


class Kind(BaseModel):
    """How one field is compared. A bare name, `time`, is short for `{type: time}`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    type: KindName = "text"
    tolerance: float = Field(0.0, ge=0.0, allow_inf_nan=False, description="largest difference that counts as equal")
    unit: str | None = Field(None, description="the field that holds the number's unit")
    order: Order = Field("dmy", description="order of day, month and year where a date is all digits")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _options_fit(self) -> Kind:
        fitting = {"number": {"tolerance", "unit"}, "money": {"tolerance"}, "date": {"order"}}.get(self.type, set())
        if wrong := self.model_fields_set - fitting - {"type"}:
            raise ValueError(f"{', '.join(sorted(wrong))} does not go with type {self.type}")
        return self

    @property
    def numeric(self) -> bool:
        """True when its digits can be compared one by one."""
        return self.type in ("number", "money")

    @property
    def label(self) -> str:
        """For a signature: `number(tol:0,unit:unit)`."""
        shown = {
            "number": f"(tol:{self.tolerance:g}{f',unit:{self.unit}' if self.unit else ''})",
            "money": f"(tol:{self.tolerance:g})",
            "date": f"({self.order})",
        }
        return self.type + shown.get(self.type, "")

    def read(self, text: str) -> Value | None:
        """The value that `text` states; None when it states none of this kind."""
        # Only a text can be long; the patterns below must not meet a page of digits.
        return _READERS[self.type](text if self.type == "text" else text[:_MAX_LENGTH], self)


@dataclass(frozen=True, slots=True)
class Value:
    """A value as read.

    Attributes:
        text: as the answer writes it.
        plain: what is compared: a fraction, a text, or numbers of a time or date.
        unit: of a number, where it is stated beside it (`km`, `mi`, …).
        step: of a number, the worth of its last written place.
        digits: of a number, its digits without leading zeros.
    """

    text: str
    plain: Fraction | str | tuple[int, ...]
    unit: str | None = None
    step: Fraction = Fraction(1)
    digits: str = ""


def same(kind: Kind, gold: Value, given: Value, gold_unit: str | None, given_unit: str | None) -> bool:
    """True when both mean the same.

    Numbers in different units are the same when the gold value, converted, lies less than one unit of the last place
    from what was written: 528,915 km is 328,652 mi cut off and 328,653 mi rounded. A number without a unit is compared
    as written.
    """
    if not isinstance(gold.plain, Fraction) or not isinstance(given.plain, Fraction):
        if kind.type == "time" and isinstance(given.plain, tuple) and isinstance(gold.plain, tuple):
            return given.plain[: len(gold.plain)] == gold.plain
        return gold.plain == given.plain
    tolerance = Fraction(repr(kind.tolerance))
    if gold_unit is None or given_unit is None or gold_unit == given_unit:
        return abs(gold.plain - given.plain) <= tolerance
    (family, scale, zero), (other, other_scale, other_zero) = _UNITS[gold_unit], _UNITS[given_unit]
    if family != other:
        return False
    wanted = (gold.plain * scale + zero - other_zero) / other_scale
    off = abs(wanted - given.plain)
    return off < given.step or off <= tolerance * scale / other_scale


# --- units -----------------------------------------------------------------------------------------------------------

# name -> (family, worth of one in the family's base unit, what zero is worth).
_UNITS: Mapping[str, tuple[str, Fraction, Fraction]] = {
    "km": ("distance", Fraction(1000), Fraction(0)),
    "mi": ("distance", Fraction("1609.344"), Fraction(0)),
    "m": ("distance", Fraction(1), Fraction(0)),
    "km/h": ("distance", Fraction(1000), Fraction(0)),
    "mph": ("distance", Fraction("1609.344"), Fraction(0)),
    "°C": ("temperature", Fraction(1), Fraction(0)),
    "°F": ("temperature", Fraction(5, 9), Fraction(-160, 9)),
}
_UNIT = re.compile(
    # Emphasis and a bracket may stand between a number and its unit: **59,679** km, 59679（公里）.
    r"""[\s*`(]{0,6}(?:
        (?P<kmh>km/h|kmh|kph|kmph|(?:公里|千米)(?:/|每)(?:小)?时)
      | (?P<mph>mph|mi/h|miles?\ per\ hour|英里(?:/|每)(?:小)?时)
      | (?P<km>km|kilomet(?:er|re)s?|公里|千米)
      | (?P<mi>miles?|mi|英里|哩)
      | (?P<m>met(?:er|re)s?|m|米)
      | (?P<c>°\s?c|c|degrees?\ c(?:elsius)?|celsius|摄氏度)
      | (?P<f>°\s?f|f|degrees?\ f(?:ahrenheit)?|fahrenheit|华氏度)
    )(?![a-z])""",
    re.VERBOSE,
)
_CANONICAL = {"kmh": "km/h", "mph": "mph", "km": "km", "mi": "mi", "m": "m", "c": "°C", "f": "°F"}


def unit_at(text: str, start: int = 0) -> str | None:
    """The unit that stands at `start` of a text in lower case."""
    match = _UNIT.match(text, start)
    return _CANONICAL[str(match.lastgroup)] if match else None


# --- readers ---------------------------------------------------------------------------------------------------------

# 528 915 and RM9.00: one number, and a currency that is no part of it.
_SPACED = re.compile(r"(?<![\d,.])\d{1,3}(?:[ '\u2009]\d{3})+(?![\d])")
_CURRENCY = re.compile(r"(?<![A-Za-z\d])([A-Za-z]{1,4})(?=\.?\d)")
_COMMA = re.compile(r",(?!\d{3}(?!\d))")


def _number(text: str, _: Kind) -> Value | None:
    plain = prepare(text)
    plain = _SPACED.sub(lambda run: re.sub(r"\D", "", run[0]), plain) if re.search(r"\d['\s]\d", plain) else plain
    plain = _COMMA.split(_CURRENCY.sub(r"\1 ", plain), 1)[0]
    found = next(arabic_quantities(plain), None) or next(chinese_quantities(plain), None)
    if found is None:
        return None
    whole, _point, decimals = found.text.partition(".")
    places = len(decimals) - len(decimals.lstrip("0123456789"))
    unit = unit_at(fold_case(plain), found.end)
    return Value(
        text=f"{found.text} {unit}" if unit else found.text,
        plain=found.value,
        unit=unit,
        step=Fraction(1, 10 ** min(places, 30)),
        digits=re.sub(r"\D", "", whole + decimals).lstrip("0"),
    )


def _unit(text: str, _: Kind) -> Value | None:
    plain = normalise(text)
    return Value(text.strip(), unit_at(plain) or plain) if plain else None


def _text(text: str, _: Kind) -> Value | None:
    plain = normalise(text)
    return Value(text.strip(), plain) if plain else None


_CODE = re.compile(r"[a-z0-9]+")


def _code(text: str, _: Kind) -> Value | None:
    match = _CODE.search(normalise(text))
    return Value(text.strip(), match[0]) if match else None


_TIME = re.compile(
    r"(?<![\d:.])(?P<hour>\d{1,2})\s?(?:[:h]|点|时)\s?(?P<minute>\d{2})\s?分?(?:\s?[:]?(?P<second>(?<=:)\d{2}))?(?!\d)"
    r"\s*(?P<half>[ap]\.?\s?m\b)?"
)
_BEFORE_NOON = re.compile(r"上午|早上|凌晨|清晨")
_AFTER_NOON = re.compile(r"下午|晚上|傍晚|中午|午后")


def _time(text: str, _: Kind) -> Value | None:
    plain = fold_case(fold_width(text))
    match = _TIME.search(plain)
    if match is None:
        return None
    hour, minute, second = int(match["hour"]), int(match["minute"]), match["second"]
    said = plain[: match.start()]
    late = (match["half"] or "").startswith("p") or _AFTER_NOON.search(said) is not None
    early = (match["half"] or "").startswith("a") or _BEFORE_NOON.search(said) is not None
    if late and hour < 12:
        hour += 12
    elif early and hour == 12:
        hour = 0
    if hour > 23 or minute > 59 or (second and int(second) > 59):
        return None
    return Value(match[0].strip(), (hour, minute, int(second)) if second else (hour, minute))


_MONTHS = {
    name: at
    for at, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_YEAR_FIRST = re.compile(
    r"(?<!\d)(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})(?!\d)|(?<!\d)(\d{4})(\d\d)(\d\d)(?!\d)"
)
_NAMED = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?[\s\-/.]{0,2}([a-z]{3})[a-z]*[\s\-/.,]{0,2}(\d{4}|\d\d)(?!\d)"
    r"|([a-z]{3})[a-z]*[\s.]{1,2}(\d{1,2})(?:st|nd|rd|th)?[\s,]{1,2}(\d{4})(?!\d)"
)
_DIGITS = re.compile(r"(?<!\d)(\d{1,2})\s?([-/.])\s?(\d{1,2})\s?\2\s?(\d{4}|\d\d)(?!\d)")


def _date(text: str, kind: Kind) -> Value | None:
    plain = fold_case(fold_width(text))
    for pattern, parts in (
        (_YEAR_FIRST, lambda g: (g[0] or g[3], g[1] or g[4], g[2] or g[5])),
        (_NAMED, lambda g: (g[2] or g[5], str(_MONTHS.get(g[1] or g[3], 0)), g[0] or g[4])),
        (_DIGITS, lambda g: _ordered((g[0], g[2], g[3]), kind.order)),
    ):
        if match := pattern.search(plain):
            year, month, day = map(int, parts(match.groups()))
            if year < 100:  # the POSIX rule: 69 and later are of the last century
                year += 2000 if year < 69 else 1900
            if 1 <= month <= 12 and 1 <= day <= 31:
                return Value(match[0].strip(), (year, month, day))
    return None


def _ordered(numbers: tuple[str, str, str], order: Order) -> tuple[str, str, str]:
    """Year, month and day. Where the order gives no month but the other one does, that one is meant (12/25/2018)."""
    first, second, third = numbers
    if order == "ymd" and len(third) == 2:
        return first, second, third
    day, month = (second, first) if order == "mdy" else (first, second)
    if int(month) > 12 >= int(day):
        day, month = month, day
    return third, month, day


_READERS: Mapping[KindName, Callable[[str, Kind], Value | None]] = {
    "text": _text,
    "code": _code,
    "number": _number,
    "money": _number,
    "unit": _unit,
    "time": _time,
    "date": _date,
}
