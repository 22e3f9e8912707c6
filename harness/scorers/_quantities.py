"""Finding numbers in running text, exactly (as fractions), whatever they look like.

Read: `1,000`, full-width digits, `$18.00`, `¥18`, `18元`, `5km`, `50%`, `-3`, `−3`, `负三`, `3/4`, `1 1/2`, `½`,
`1.5e3`, `3×10^5`, `2^10`, `1.2万`, `3万5千`, `2 million`, `百分之五十`, `三分之一`, `零点五`, `\\boxed{18}`,
`\\frac{1}{2}`.

Not read: a number glued to a letter before it (`H2O`, `Q1`, `x_1`), exponents of units (`cm^2`), English number words
(`twelve`). A figure in Chinese numerals counts only where the text has no number in Arabic digits, because 三 also
stands in 三月 or 第三 and 一 in 一些: such words are skipped by a list, which can never be complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from harness.scorers._numerals import arabic_value, numeral_value, to_plain
from harness.text import fold_width

_MAX_EXPONENT = 400  # 10^400 is beyond any answer; without a limit one output could eat all memory


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number as written: `50%` has the value 50 and `percent`."""

    value: Fraction
    percent: bool
    text: str
    end: int

    def equals(self, other: Quantity, tolerance: Fraction = Fraction(0)) -> bool:
        """True when both mean the same number (`tolerance` is absolute, in the units of `self`).

        Two percentages, or two plain numbers, are compared as written. A percentage against a plain number: the sign
        may be a unit that one side left off (50% and 50), or the plain number may be the ratio (50% and 0.5), so both
        are right; but a plain number below 1 can only be the ratio, since 0.5 and 0.5% are different answers.
        """
        if self.percent == other.percent:
            return self.value == other.value or abs(self.value - other.value) <= tolerance
        percent, plain = (self, other) if self.percent else (other, self)
        # In the units of `self`: the ratio is scaled up when `self` is the percentage.
        scale = 100 if self.percent else 1
        if abs(percent.value / 100 - plain.value) * scale <= tolerance:
            return True
        return abs(plain.value) >= 1 and abs(percent.value - plain.value) <= tolerance


# --- one Arabic number -----------------------------------------------------------------------------------------------

_NUM = r"(?:\d{1,3}+(?:,\d{3}){1,12}+(?!\d)(?:\.\d++)?+|\d++(?:\.\d++)?+|(?<!\d)\.\d++)"
_CN = "零〇○一二三四五六七八九壹贰貳叁參肆伍陆陸柒捌玖两兩"
_CN_UNIT = "十百千万亿拾佰仟萬億"
# 5千克 is a kilogram, not a thousand.
_BIG = r"[百千万亿佰仟萬億](?![克米瓦卡帕焦赫伏分])"
_CHAIN = rf"(?:{_BIG})(?:[{_CN_UNIT}](?![克米瓦卡帕焦赫伏分])|[{_CN}]|\d++(?:\.\d++)?+)*+"
_CURRENCY = r"(?:(?:US|HK|NT|CA|AU)?[$¥€£₩]|(?<![A-Za-z])(?:USD|RMB|CNY|EUR|GBP|HKD|Rs\.?))\s?"
_MAGNITUDE = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}

_ARABIC = re.compile(
    rf"""
    (?=[\d.\-负負零百千万十$¥€£₩NnUHCARE])  # what a number can start with: most characters fail here, fast
    (?: (?<![A-Za-z0-9_)\]}}%^]) (?P<minus>-) | (?P<word>负|負|零下|[Nn]egative(?=\s)) \s? )?+
    (?: (?P<currency>{_CURRENCY}) (?P<inner>-)?+
      | (?<![A-Za-z_^\d]) (?<!\d\.) (?<![\^_]\{{) (?<!\^-) (?<!\^\{{-) )
    (?: (?P<share>百分之|千分之|万分之|十分之)\s? )?+
    (?:
        (?P<of>{_NUM})\s?分之\s?(?P<part>{_NUM})
      | (?<!\d/) (?: (?P<whole>\d++)\s )? (?P<top>{_NUM})\s?/\s?(?P<bottom>{_NUM})(?!\s?/\s?\d)(?!\d)
      | (?P<base>{_NUM}) (?: \s?(?:×|\*|x|·)\s?10\s?\^\s?\{{?(?P<times>[+-]?\d{{1,9}})\}}?(?!\d)
                          | [eE](?P<sci>[+-]?\d{{1,9}})(?![\w.])
                          | \^\s?\{{?(?P<power>[+-]?\d{{1,9}})\}}?(?!\d)
                          | \s?(?P<chain>{_CHAIN})
                          | [\s-]?(?P<magnitude>thousand|million|billion|trillion)\b )?
    )
    (?P<percent>\s?\\?%|\s?per\s?cent\b|\s?(?P<permille>‰))?
    """,
    re.VERBOSE,
)


def arabic_quantities(text: str) -> Iterator[Quantity]:
    """The numbers in Arabic digits in prepared text, in order."""
    for match in _ARABIC.finditer(text):
        if (quantity := _read_arabic(match)) is not None:
            yield quantity


def _read_arabic(match: re.Match[str]) -> Quantity | None:
    value = _magnitude_of(match)
    if value is None:
        return None
    if match["minus"] or match["word"] or match["inner"]:
        value = -value
    share = match["share"]
    if share and share != "百分之":
        value /= {"十": 10, "千": 1000, "万": 10000}[share[0]]
    if match["permille"]:
        value /= 1000
    percent = share == "百分之" or (match["percent"] is not None and not match["permille"])
    return Quantity(value, percent, match[0].strip(), match.end())


def _magnitude_of(match: re.Match[str]) -> Fraction | None:
    if match["of"] is not None:
        return _ratio(arabic_value(match["part"]), arabic_value(match["of"]))
    if match["top"] is not None:
        ratio = _ratio(arabic_value(match["top"]), arabic_value(match["bottom"]))
        whole = arabic_value(match["whole"]) if match["whole"] else Fraction(0)
        return None if ratio is None or whole is None else whole + ratio
    base = arabic_value(match["base"])
    if base is None:
        return None
    if match["chain"]:
        chained = numeral_value(match["base"] + match["chain"])
        return base if chained is None else chained
    if match["magnitude"]:
        return base * _MAGNITUDE[match["magnitude"]]
    if exponent := match["times"] or match["sci"]:
        return base * Fraction(10) ** int(exponent) if abs(int(exponent)) <= _MAX_EXPONENT else None
    if match["power"]:
        exponent = int(match["power"])
        small = len(match["base"]) <= 20 and abs(exponent) <= _MAX_EXPONENT and (base or exponent > 0)
        return base**exponent if small else None
    return base


def _ratio(top: Fraction | None, bottom: Fraction | None) -> Fraction | None:
    return top / bottom if top is not None and bottom else None


# --- one Chinese number ----------------------------------------------------------------------------------------------

_RUN = f"[{_CN}{_CN_UNIT}]"
_CHINESE = re.compile(
    rf"""
    (?P<skip>
        (?:第|星期|礼拜|周|初){_RUN}++
      | {_RUN}++(?:月(?!饼)|号)
      | [{_CN}]{{4}}年
      | 一(?:些|般|样|起|直|定|下|点(?![{_CN}])|旦|切|边|共|致|方面|步|会儿|种|律|再|向|旁|次性|心)
      | [万萬]一 | 统一 | 唯一 | 之一(?=[^\d]|$) | 同一 | 单一 | 十分(?!之) | 十足 | 百分百 | 千万(?=别|不要|要)
      | 三心二意 | 七上八下 | 五颜六色 | 乱七八糟 | 四面八方 | 三角 | 四边 | 四季
    )
  | (?P<minus>负|負|零下)?
    (?: (?: (?P<whole>{_RUN}++)又 )? (?P<of>{_RUN}++)分之(?P<part>{_RUN}++)(?P<partpoint>[点點][{_CN}]++)?
      | (?P<number>{_RUN}++)(?P<point>[点點][{_CN}]++(?!{_RUN}|分))? )
    """,
    re.VERBOSE,
)


def chinese_quantities(text: str) -> Iterator[Quantity]:
    """The numbers in Chinese numerals in prepared text, in order; ordinary words that hold a numeral are skipped."""
    for match in _CHINESE.finditer(text):
        if match["skip"] is None and (quantity := _read_chinese(match)) is not None:
            yield quantity


def _read_chinese(match: re.Match[str]) -> Quantity | None:
    percent = False
    if match["part"] is not None:
        part = _decimal(match["part"], match["partpoint"])
        # 百 has no digit before it here, so it is no numeral by itself.
        of = numeral_value(_bare_unit(match["of"]))
        if percent := match["of"] in ("百", "佰"):
            of = Fraction(1)
        value = _ratio(part, of)
        if match["whole"] and value is not None:
            whole = numeral_value(match["whole"])
            value = None if whole is None else whole + value
    else:
        value = _decimal(match["number"], match["point"])
    if value is None:
        return None
    return Quantity(-value if match["minus"] else value, percent, match[0], match.end())


def _decimal(whole: str, point: str | None) -> Fraction | None:
    value = numeral_value(_bare_unit(whole))
    if value is None or point is None:
        return value
    digits = to_plain(point[1:])
    tail = numeral_value(digits)
    return None if tail is None else value + tail / 10 ** len(digits)


def _bare_unit(text: str) -> str:
    """百 in 百分之百, 千 in 千分之三: one hundred, one thousand."""
    return f"一{text}" if text in ("百", "千", "万", "佰", "仟", "萬") else text


# --- text ------------------------------------------------------------------------------------------------------------

_FRAC = re.compile(r"(\d?)\s{0,2}\\[dt]?frac\s{0,2}(?:\{\s*(-?[\d.,]+)\s*\}\s*\{\s*([\d.,]+)\s*\}|(\d)\s*(\d))")
_GROUPING = re.compile(r"(?<=\d)(?:\{,\}|,?\\[,!])(?=\d{3})")
_COMMAND = re.compile(r"\\[A-Za-z]+")


def prepare(text: str) -> str:
    """Full-width forms folded and LaTeX reduced to what the patterns read."""
    text = fold_width(text).replace("，", ",")
    if "\\" in text or "{,}" in text:
        text = _FRAC.sub(_plain_fraction, _GROUPING.sub(",", text))
        text = text.replace("\\times", "×").replace("\\cdot", "×").replace("\\$", "$")
        text = _COMMAND.sub(" ", text)
    return text


def _plain_fraction(match: re.Match[str]) -> str:
    before, top, bottom, short_top, short_bottom = match.groups()
    # "1\frac{1}{2}" is one and a half, "11/2" would be five and a half.
    return f"{before}{' ' if before else ''}{top or short_top}/{bottom or short_bottom}"


def last_quantity(text: str) -> Quantity | None:
    """The last number of the text: in Arabic digits if there is any, else in Chinese numerals."""
    prepared = prepare(text)
    last = None
    for last in arabic_quantities(prepared):  # noqa: B007
        pass
    if last is None:
        for last in chinese_quantities(prepared):  # noqa: B007
            pass
    return last


_AFTER_MARK = re.compile(r"(?<!#)####(?!#)(?P<rest>[^\n\r]*)")
_LEAD = re.compile(r"[\s:=*_({\[\"'`≈~]*(?:\$(?=\s*[-{(\d]|\s*\$))?[\s{(]*")
# What follows makes it no answer: an expression ("3*6 = 18", "18-20"), or the number of a heading ("1. Add the eggs").
_GOES_ON = re.compile(r"\s*(?:[=+*×÷^<>x/-]\s*[\d($]|=)|\s?[.、):]\s*[^\W\d_]")


def marked_quantity(text: str) -> Quantity | None:
    """The number that stands directly after the last `####` that has one on its line (GSM8K's answer format).

    A Markdown heading (`#### Step 2`, `#### 1. Add the eggs`) and an unfinished expression (`#### 3*6 = 18`) are no
    answer.
    """
    if "#" not in text and "＃" not in text:
        return None
    for rest in reversed(_AFTER_MARK.findall(prepare(text))):
        lead = _LEAD.match(rest)
        start = lead.end() if lead else 0
        for pattern, read in ((_ARABIC, _read_arabic), (_CHINESE, _read_chinese)):
            match = pattern.match(rest, start)
            if match is None or match.groupdict().get("skip"):
                continue
            quantity = read(match)
            if quantity is not None and not _GOES_ON.match(rest, quantity.end):
                return quantity
            break
    return None
