"""Single items that cannot be answered or scored: nothing asked, nothing accepted, options that do not fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from harness.gold.checks.finding import MOST_EVIDENCE, Evidence, Finding, Severity, quote
from harness.gold.checks.material import Material
from harness.gold.checks.messages import Code
from harness.gold.choices import gold_letters
from harness.gold.item import Item
from harness.gold.rows import is_placeholder
from harness.text import normalise

#: What people write when they do not know, beyond the placeholders that an import leaves out.
_DONT_KNOW = frozenset(
    ("不知道", "不清楚", "不确定", "不了解", "不会", "同上", "见上", "见下", "见附件", "待定", "待确认",
     "我不知道", "na", "idk", "unknown", "i don't know", "dont know", "don't know", "not sure", "see above",
     "same as above", "no answer", "xxx")
)  # fmt: skip
#: Where a question asks whether there is something, or what is missing, "无" is an answer.
_ASKS_WHETHER = re.compile(
    r"有无|有没有|是否|有什么|有哪些|哪些|什么|多少|几|无|没有|"
    r"\bany\b|\bwhether\b|\bhow many\b|\bnone\b|\bis there\b|\bare there\b|\bdo(?:es)? .*\bhave\b|\bwhat\b|\bwhich\b",
    re.IGNORECASE,
)
#: Where a question asks for a sign, a sign is an answer.
_ASKS_FOR_A_SIGN = re.compile(
    r"标点|符号|句号|逗号|问号|括号|字符|运算|填(?:上|入)|"
    r"\bpunctuation\b|\bsymbols?\b|\bmarks?\b|\bsigns?\b|\bcharacters?\b|\boperators?\b",
    re.IGNORECASE,
)
_NOTHING = frozenset(
    ("无", "没有", "暂无", "none", "nil", "空", "不详", "未知", "unknown", "不确定", "不清楚", "na", "null")
)
_DAMAGED = re.compile(
    "\ufffd|锟斤拷|烫烫烫|屯屯屯|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|Ã[\x80-\xbf©¨¤¶¼]|â€[™œ\x9d“”]|(?:[äåæçèé][\x80-\xbf‚-™¡-¿]{2}){2}|"
    r"</?(?:p|br|div|span|font|td|tr|table|img|strong)\b[^<>]*/?>|&(?:nbsp|lt|gt|amp|quot|#\d{2,5});"
)
_HTML = re.compile(r"html|xml|标签|网页|网站|代码|\btags?\b|\bweb|\bcode", re.IGNORECASE)


def trivial(material: Material) -> Iterator[Finding]:
    """Placeholders where a question or an answer should be, in every accepted form."""
    yield from _single(material, "trivial-question", "error", lambda item: not item.images and _says_nothing(item.text))
    yield from _single(material, "trivial-answer", "error", _trivial_answer)


def options(material: Material) -> Iterator[Finding]:
    """An answer that names no option, and options that are the same text."""
    yield from _single(material, "broken-choice", "error", _broken)
    yield from _single(material, "twin-options", "error", _twins)


def damaged(material: Material) -> Iterator[Finding]:
    """Characters that were lost or read in a wrong encoding on the way here, and markup of web pages."""
    yield from _single(material, "damaged-text", "warning", _damaged)


def _single(material: Material, code: Code, severity: Severity, bad: Callable[[Item], bool]) -> Iterator[Finding]:
    found = [item for item in material.items if bad(item)]
    if found:
        yield Finding(
            code=code,
            severity=severity,
            count=len(found),
            items=tuple(item.id for item in found),
            evidence=tuple(Evidence(quotes=(quote(item),)) for item in found[:MOST_EVIDENCE]),
        )


def _says_nothing(text: str) -> bool:
    return is_placeholder(text) or normalise(text) in _DONT_KNOW


def _trivial_answer(item: Item) -> bool:
    if item.fields is not None or item.choices or not item.answer:
        return False
    if not all(_says_nothing(text) for text in item.answer if text.strip()):
        return False
    asked = f"{item.text} {item.context or ''}"
    if all(normalise(text) in _NOTHING for text in item.answer if text.strip()):
        return _ASKS_WHETHER.search(asked) is None
    return _ASKS_FOR_A_SIGN.search(asked) is None


def _broken(item: Item) -> bool:
    if item.choices is None:
        return False
    try:
        gold_letters(item)
    except ValueError:
        return True
    return False


def _twins(item: Item) -> bool:
    # SQ and sq, G and g can be two options: only width and spaces are no difference.
    return item.choices is not None and len({normalise(text, case=False) for text in item.choices}) < len(item.choices)


def _damaged(item: Item) -> bool:
    return any(map(_DAMAGED.search, (item.text, *item.answer, *(item.choices or ())))) and not _about_html(item)


def _about_html(item: Item) -> bool:
    """Where markup is asked for, it is no damage; a lost character always is."""
    return _HTML.search(item.text) is not None and "\ufffd" not in item.text
