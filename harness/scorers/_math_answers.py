"""Where an answer states its result: `\\boxed{…}`, "the answer is …", "答案是…", or its last expression.

The order is that of math-verify's own extraction with Chinese added; what is found is compared as LaTeX.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from harness.scorers._math_forms import is_expression, tidy
from harness.scorers._quantities import Quantity, arabic_quantities, chinese_quantities, last_quantity, prepare

VERSION = 1

#: What is read of an output, from its end: enough for any statement of a result.
MAX_LENGTH = 20_000
#: A longer answer is none.
MAX_ANSWER = 600
_MAX_WORDS = 5

_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_EMPTY_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{\s*\}")
_JOINT = re.compile(
    r"[\s$.]*(?:[,;，、；]|\\?(?:and|or)\b|\\text\{\s*(?:and|or)\s*\}|和|或|及)[\s$]*(?:(?:and|or)\b)?[\s$]*"
)
_MARK = re.compile(
    r"""
    (?: \b(?:final\s+)?answer\b [^\n.:：]{0,80}? (?: \bis\b | \bare\b | [:：=] )
      | \b(?:final\s+)?answers?\b [*_\s]* (?: \bis\b | \bare\b | [:：=] | \*\* (?=\s*\n) )
      | (?:答案|最终结果|最后结果|最終結果) [^\n。:：]{0,20}? (?: [是为為] | 等于 | [:：=] )
      | (?<![\w回])答\s*[:：]
      | (?<!\#)\#{4}(?!\#)
    ) [\s*_:：]*
    """,
    re.VERBOSE | re.IGNORECASE,
)
# No longer than any answer, so that many openings without an end stay cheap.
_DELIMITED = re.compile(
    rf"\$\$(?P<a>(?:[^$]|\\\$){{1,{MAX_ANSWER}}}?)\$\$"
    rf"|\\\[(?P<b>.{{1,{MAX_ANSWER}}}?)\\\]"
    rf"|(?<![\\\d])\$(?P<c>(?:\\\$|[^\n$]){{1,{MAX_ANSWER}}}?)(?<!\\)\$"
    rf"|\\\((?P<d>[^\n]{{1,{MAX_ANSWER}}}?)\\\)",
    re.DOTALL,
)
_STATED = re.compile(r"(?:=|\bis\b|\bare\b|[:：]|[是为為]|等于|得到?)")
_CLAUSE = re.compile(r"[。！？?\n；]|(?<!\\)!(?=\s|\Z)|\.(?=\s|\Z)|[,，;]\s*(?=[^\W\d_]{2}|[\u3400-\u9fff])|[,，]\s*\Z")
_EDGES = " \t\r\n*_`\"'“”.。,，;；:："
_THINKING = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)


def boxed(output: str) -> str | None:
    """The content of the last complete `\\boxed{…}`, with those that a comma or "and" joins to it; None without one."""
    text = output[-MAX_LENGTH:]
    boxes = list(_boxes(text))
    return _within(_together(text, boxes)) if boxes else None


def stated(output: str) -> str | None:
    """The result that an output states, in LaTeX or in words; None where it states none."""
    text = output[-MAX_LENGTH:]
    if (found := boxed(text)) is not None:
        return found
    text = _EMPTY_BOX.sub("", text)
    # What a model thinks aloud is no answer, unless there is nothing else.
    text = _THINKING.sub("", text) if _THINKING.sub("", text).strip() else text
    for mark in reversed(list(_MARK.finditer(text))):
        if found := _after(text[mark.end() :]):
            return _within(found)
    return _within(_last(text))


@lru_cache(maxsize=16_384)
def gold(answer: str) -> str | None:
    """The result that an accepted answer stands for; None where it is prose that holds none.

    A worked solution (with `\\boxed{…}` or `####`) states it somewhere, anything else is the result itself.
    """
    if (found := boxed(answer)) is not None:
        return found
    if "####" in answer:
        return stated(answer)
    text = answer.strip()
    if not text or len(text) > MAX_ANSWER:
        return None
    if is_expression(tidy(text)) or _delimited(text) is not None:
        return _delimited(text) or text
    quantity = last_quantity(text)
    return _latex(quantity) if quantity else (text if _few_words(text) else None)


def only_number(text: str) -> str | None:
    """The number in words that hold one, in LaTeX (`5 apples`); None where there is none or more than one."""
    prepared = prepare(_without_units(text))
    found = list(arabic_quantities(prepared)) or list(chinese_quantities(prepared))
    return _latex(found[0]) if len(found) == 1 else None


# --- where ------------------------------------------------------------------------------------------------------------


class _Found(NamedTuple):
    """An expression in a text: where it stands with its delimiters, and what is in them."""

    start: int
    end: int
    content: str


def _boxes(text: str) -> Iterator[_Found]:
    """Each complete box in order; of nested ones, the outer."""
    at = 0
    while match := _BOXED.search(text, at):
        depth, end = 1, match.end()
        while end < len(text) and depth:
            if text[end] == "\\":
                end += 1  # the brace after it is text
            else:
                depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        if depth:
            return  # cut off
        yield _Found(match.start(), end, text[match.end() : end - 1].strip())
        at = end


def _formulas(text: str) -> Iterator[_Found]:
    """Each expression between `$`, `\\(` or `\\[`; sums of money (`from $5 to $7`) are none."""
    at = 0
    while match := _DELIMITED.search(text, at):
        content = next(group for group in match.groups() if group is not None).strip()
        if is_expression(tidy(content)) or "\\" in content:
            yield _Found(match.start(), match.end(), content)
            at = match.end()
        else:
            at = match.start() + 1


def _together(text: str, found: list[_Found]) -> str:
    """The last expression, with those before it that a comma or "and" joins to it."""
    parts = [found[-1]]
    for one in reversed(found[:-1]):
        if not _JOINT.fullmatch(text, one.end, parts[0].start):
            break
        parts.insert(0, one)
    return ", ".join(dict.fromkeys(part.content for part in parts))


def _after(rest: str) -> str | None:
    """The result in the line that begins after a mark."""
    line = rest.partition("\n")[0] if not rest.lstrip().startswith(("$$", "\\[")) else rest
    formulas = list(_formulas(line))
    if formulas and not _quantity(line[: formulas[0].start].strip(_EDGES)):
        first = formulas[0]
        until = next(
            (n for n, f in enumerate(formulas) if n and not _JOINT.fullmatch(line, formulas[n - 1].end, f.start)), None
        )
        percent = r"\%" if re.match(r"\s*\\?%", line[first.end :]) else ""
        return _together(line, formulas[:until]) + percent
    clause = line[: match.start()] if (match := _CLAUSE.search(line)) else line
    return _plain(clause)


def _last(text: str) -> str | None:
    """The last expression of a text without any mark."""
    whole = text.strip(_EDGES)
    if "\n" not in whole and (is_expression(tidy(whole)) or _delimited(whole) is not None):
        return _delimited(whole) or whole
    if formulas := list(_formulas(text)):
        # A number said after the last formula is the later word.
        quantity = last_quantity(_without_units(text[formulas[-1].end :]))
        return _latex(quantity) if quantity else _together(text, formulas)
    line = whole.rpartition("\n")[2].strip(_EDGES)
    for start in [0, *(match.end() for match in _STATED.finditer(line))][::-1]:
        end = line[start:].strip(_EDGES)
        if end and is_expression(tidy(end)):
            return end
    if quantity := last_quantity(text):
        return _latex(quantity)
    return whole if whole and "\n" not in whole and _few_words(whole) else None


def _plain(clause: str) -> str | None:
    """The result in plain words after a mark: `x^2 + 1`, `18 eggs`, `十二`, `east`."""
    text = clause.strip(_EDGES)
    if not text:
        return None
    if is_expression(tidy(text)):
        return text
    if quantity := _quantity(text):
        return _latex(quantity)
    return text if _few_words(text) else None


# --- what -------------------------------------------------------------------------------------------------------------


def _quantity(text: str) -> Quantity | None:
    """The first number of a clause, in Arabic digits if there is any."""
    prepared = prepare(_without_units(text))
    return next(arabic_quantities(prepared), None) or next(chinese_quantities(prepared), None)


def _latex(quantity: Quantity) -> str:
    value = quantity.value
    number = str(value.numerator) if value.denominator == 1 else rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
    return number + (r"\%" if quantity.percent else "")


def _without_units(text: str) -> str:
    return re.sub(r"\\(?:text|mathrm)\s*\{([^{}]*)\}", r" \1", text)


def _delimited(text: str) -> str | None:
    """The content of a text that is nothing but delimited expressions, joined by commas or "and"."""
    formulas = list(_formulas(text))
    if not formulas or (formulas[0].start, formulas[-1].end) != (0, len(text)):
        return None
    joints = [_JOINT.fullmatch(text, one.end, two.start) for one, two in pairwise(formulas)]
    return _together(text, formulas) if all(joints) else None


def _few_words(text: str) -> bool:
    han = len(re.findall(r"[\u3400-\u9fff]", text))
    return len(text.split()) <= _MAX_WORDS and han <= 12


def _within(found: str | None) -> str | None:
    return found if found and found.strip() and len(found) <= MAX_ANSWER else None
