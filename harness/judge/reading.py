"""What a judge said, out of what it wrote: the last verdict counts, and what cannot be read is no verdict.

A judge argues before it decides, and quotes what it argues about, so the first thing that looks like a verdict rarely
is one. English and Chinese, JSON, a line of its own, and the double brackets of MT-bench (Zheng et al. 2023) are read.
None is returned for a refusal, for two verdicts at once ("A or B"), and for anything else: the caller counts it as
unscored, never as a loss.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar

from harness.judge.statistics.judgements import Choice

V = TypeVar("V")

#: How a judge grades an answer against the gold answer.
Grade = Literal["correct", "partly", "wrong"]

_HEADS = (
    r"(?i:(?:final\s+)?(?:verdict|winner|judge?ment|decision|grade|rating|score)"
    r"|(?:最终)?(?:结论|判定|判断|裁决|评级|评分|结果))"
)
_BETWEEN = r"[\s\"'*_`]*(?:is|为|是)?[\s\"'*_`]*[:=]?[\s\"'*_`\[(]*"
_WHOSE = r"(?i:(?:an?\s+)?(?:answer|response|assistant|回答)?\s*)"

_PAIR: dict[str, Choice] = {
    "a": "first", "b": "second", "c": "tie", "tie": "tie", "draw": "tie", "equal": "tie", "both": "tie",
    "neither": "tie", "平局": "tie", "平手": "tie", "一样": "tie", "相同": "tie", "不相上下": "tie",
}  # fmt: skip
_GRADE: dict[str, Grade] = {
    "correct": "correct", "partly correct": "partly", "partially correct": "partly", "partly": "partly",
    "partial": "partly", "incorrect": "wrong", "wrong": "wrong", "not correct": "wrong", "部分正确": "partly",
    "基本正确": "partly", "不正确": "wrong", "正确": "correct", "错误": "wrong", "错": "wrong", "对": "correct",
}  # fmt: skip


def read_choice(text: str) -> Choice:
    """Which of two answers a judge preferred: `first` is A, `second` is B; "unparsed" where it does not say."""
    return _last(text, _PAIR, ("verdict", "winner", "better", "choice", "结论")) or "unparsed"


def read_grade(text: str) -> Grade | None:
    """How a judge graded an answer against the gold answer."""
    return _last(text, _GRADE, ("grade", "verdict", "评级", "结论"))


def read_scores(text: str, criteria: Sequence[str], highest: int = 5) -> dict[str, int] | None:
    """A whole number from 1 to `highest` for each criterion; None unless every one has one.

    Read from the last JSON object that names them all, else from the last line `criterion: N` of each.

    Args:
        criteria: their names as the judge was told them.
    """
    for found in reversed(list(_objects(text))):
        scores = {name: _whole(found.get(name), highest) for name in criteria}
        if all(name in found for name in criteria):
            return _complete(scores)
    clean = _plain(text)
    return _complete({name: _line(clean, name, highest) for name in criteria})


def _last(text: str, words: Mapping[str, V], keys: Sequence[str]) -> V | None:
    """What the last verdict says, in whatever form it stands."""
    clean = unicodedata.normalize("NFKC", text)
    word = _any_of(words)
    # "A or B", "A/B" and "A 和 B" are no verdict; "A." and "A is" are.
    end = rf"(?![A-Za-z0-9])(?!\s*(?i:or|and|/|&|,|或|和|与|、)\s*{word}(?![A-Za-z]))"
    found = [
        (match.start(), match[1].lower())
        for pattern in (rf"{_HEADS}{_BETWEEN}{_WHOSE}({word}){end}", rf"\[\[\s*((?i:{word}))\s*\]\]")
        for match in re.finditer(pattern, clean)
    ]
    found += [(at, value) for at, value in _valued(clean, keys) if value in words]
    if found:
        return words[max(found)[1]]
    # Nothing is called a verdict: the last line alone may be one.
    lines = [line.strip(" \t*_`\"'.。!！[]()").lower() for line in clean.splitlines() if line.strip()]
    return words.get(lines[-1]) if lines else None


def _any_of(words: Iterable[str]) -> str:
    """A pattern of the words, longest first; a single letter is a label and stands large ("a tie" is not A)."""
    ordered = sorted(words, key=len, reverse=True)
    said = "|".join(re.escape(one) for one in ordered if not _label(one))
    labels = "".join(one.upper() for one in ordered if _label(one))
    return f"(?:(?i:{said}){f'|[{labels}]' if labels else ''})"


def _label(word: str) -> bool:
    return len(word) == 1 and word.isascii()


def _valued(clean: str, keys: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Texts under one of `keys` in JSON, with their places."""
    for key in keys:
        for match in re.finditer(rf'"{re.escape(key)}"\s*:\s*"([^"]*)"', clean, re.IGNORECASE):
            yield match.start(), match[1].strip().lower()


def _line(clean: str, name: str, highest: int) -> int | None:
    """The number of the last line about a criterion."""
    pattern = rf"{re.escape(_plain(name))}{_BETWEEN}(\d+)(?!\.?\d)(?:\s*/\s*(\d+))?"
    matches = list(re.finditer(pattern, clean))
    if not matches:
        return None
    match = matches[-1]
    if match[2] is not None and int(match[2]) != highest:
        return None  # on another scale
    return _whole(int(match[1]), highest)


def _whole(value: Any, highest: int) -> int | None:
    """A score, if it is one: also out of {"score": 4, "why": …} and "4"."""
    if isinstance(value, dict):
        value = value.get("score", value.get("分数"))
    if isinstance(value, str) and re.fullmatch(r"\s*\d+\s*", value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= highest else None


def _complete(scores: dict[str, int | None]) -> dict[str, int] | None:
    found = {name: score for name, score in scores.items() if score is not None}
    return found if scores and len(found) == len(scores) else None


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """JSON objects in a text, in order; those inside another are not looked for."""
    decoder, at = json.JSONDecoder(), text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except ValueError:
            end = at + 1
        else:
            if isinstance(value, dict):
                yield value
        at = text.find("{", end)


def _plain(text: str) -> str:
    """Half-width, small letters."""
    return unicodedata.normalize("NFKC", text).lower()
