"""The value of a numeral with Chinese units: 一百零五, 三万五千, 两千三, 1.2万, 3万5千."""

from __future__ import annotations

import re
from fractions import Fraction

DIGITS = "零一二三四五六七八九"
UNITS = {"亿": 10**8, "万": 10**4, "千": 1000, "百": 100, "十": 10}  # largest first: the order of reading

# Financial and traditional forms, and 两 and 〇, to the plain ones.
_PLAIN = str.maketrans("〇○壹贰貳叁參肆伍陆陸柒捌玖拾佰仟萬億两兩", "零零一二二三三四五六六七八九十百千万亿二二")
_PLAIN_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?|\.\d+")
_MAX_LENGTH = 400  # characters; longer runs are noise, and Python refuses integers of over 4,300 digits


def to_plain(text: str) -> str:
    """Financial, traditional and colloquial numeral characters as the plain simplified ones (same length)."""
    return text.translate(_PLAIN)


def arabic_value(text: str) -> Fraction | None:
    """The exact value of `1000`, `1,000`, `1.50` or `.5`; None when it is none, or absurdly long."""
    if len(text) > _MAX_LENGTH or not _PLAIN_NUMBER.fullmatch(text):
        return None
    return Fraction(text.replace(",", ""))


def numeral_value(text: str) -> Fraction | None:
    """The value of a numeral of Chinese digits and units, with Arabic digits allowed in the place of the Chinese.

    A single digit straight after a unit counts in the next smaller one, as it is said: 两千三 is 2300, 三万五 is 35000.
    Digits alone are read in order (二零二六 is 2026). None when the text is no well-formed numeral.
    """
    if len(text) > _MAX_LENGTH:
        return None
    plain = to_plain(text)
    if "两" in text and len(text) > 1 and not any(unit in plain for unit in UNITS):
        return None  # 三两 is a weight, not 32
    return _value(plain)


def _value(text: str) -> Fraction | None:
    for unit, size in UNITS.items():
        if unit in text:
            left, _, right = text.rpartition(unit)
            return _with_unit(left, right, size)
    if all(char in DIGITS for char in text) and text:
        return Fraction(int("".join(str(DIGITS.index(char)) for char in text)))
    return arabic_value(text)


def _with_unit(left: str, right: str, size: int) -> Fraction | None:
    # Only 十 may stand without a digit before it (十二); a bare 万 or 千 is part of a word (万一, 千万别).
    many = Fraction(1) if not left and size == 10 else _value(left.lstrip("零")) if left else None
    if many is None:
        return None
    if not right:
        return many * size
    said_with_zero = right.startswith("零")
    rest = _value(right.lstrip("零"))
    if rest is None or rest >= size:
        return None
    if size > 10 and not said_with_zero and len(right) == 1 and rest < 10:
        rest *= size // 10
    return many * size + rest
