"""The answer stands in the question."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.gold.checks.answers import wanted
from harness.gold.checks.finding import MOST_EVIDENCE, Evidence, Finding, quote
from harness.gold.checks.material import Material
from harness.gold.item import Item
from harness.text import fold_case, fold_space, fold_width, has_han, normalise

#: Where so many of the questions hold their answer, the task is to find or copy it.
_READING = 0.3
_LEAST = 10
#: A question of so many characters brings a text of its own along, in which to look.
_PASSAGE = 400
_YES_NO = frozenset(
    ("是", "否", "不是", "有", "没有", "能", "不能", "可以", "不可以", "对", "错", "会", "不会", "正确", "错误", "需要",
     "不需要", "阳性", "阴性", "yes", "no", "true", "false", "correct", "wrong", "maybe", "positive", "negative")
)  # fmt: skip
# What stands beside a word that the question offers to choose from. A comma does so only in a list that ends in "or".
_OR = r"\bor(?: an?| the)?|还是|或者?|、|/|\band|和|与"
_OFFERED_BEFORE = re.compile(rf"(?:{_OR}|[a-j][.)、])\s*[\"'«“‘]?$")
_OFFERED_AFTER = re.compile(rf"^[\"'»”’]?\s*(?:{_OR})")
_LISTED_BEFORE, _LISTED_AFTER = re.compile(r"[,;:(]\s*[\"'«“‘]?$"), re.compile(r"^[\"'»”’]?\s*[,;)]")
_CHOICE = re.compile(r"\bor\b|还是|或")
# Who of those that the question names.
_COMPARES = re.compile(
    r"谁|哪(?:一)?(?:个|位|种|样|者)?(?:更|最|比较)|\bwho\b|\bwhose\b|\bwhich\b.*\b(?:more|most|less|least|\w+er|\w+est)\b"
)


def leaked_answers(material: Material) -> Iterator[Finding]:
    """Items whose accepted answer, as whole words, stands in the question and is not merely offered there."""
    asked = [item for item in material.items if item.choices is None and item.fields is None]
    found = [item for item in asked if len(item.text) < _PASSAGE and _leaks(item)]
    if not found:
        return
    reading = len(asked) >= _LEAST and len(found) >= _READING * len(asked)
    yield Finding(
        code="reading-task" if reading else "leaked-answer",
        severity="info" if reading else "warning",
        count=len(found),
        items=tuple(item.id for item in found),
        values={"asked": len(asked)} if reading else {},
        evidence=tuple(Evidence(quotes=(quote(item),)) for item in found[: 5 if reading else MOST_EVIDENCE]),
    )


def _leaks(item: Item) -> bool:
    question = fold_space(fold_case(fold_width(item.text)))  # "、" lists and "，" does not: they stay what they are
    if _COMPARES.search(question) or wanted(item).prose:  # rewriting and sorting give the text they want back
        return False
    return any(_stands_alone(normalise(text.rpartition("####")[2] or text), question) for text in item.answer)


def _stands_alone(answer: str, question: str) -> bool:
    """True when it stands there, as no part of a longer word, and is nowhere offered beside others."""
    if not _tells(answer):
        return False
    places = [found.start() for found in re.finditer(re.escape(answer), question)]
    if not has_han(answer):
        places = [at for at in places if _whole_word(question, at, at + len(answer))]
    return bool(places) and not any(_offered(question[:at], question[at + len(answer) :]) for at in places)


def _offered(before: str, after: str) -> bool:
    if _OFFERED_BEFORE.search(before) or _OFFERED_AFTER.search(after):
        return True
    listed = _LISTED_BEFORE.search(before) or _LISTED_AFTER.search(after)
    return listed is not None and _CHOICE.search(before + after) is not None


def _tells(answer: str) -> bool:
    """Numbers, formulas, yes and no, single characters and very short words stand in questions by chance."""
    if answer in _YES_NO or not any(char.isalpha() for char in answer) or any(char in "\\^=+" for char in answer):
        return False
    return len(answer) >= (2 if has_han(answer) else 4)


def _whole_word(text: str, begin: int, end: int) -> bool:
    before, after = text[begin - 1 : begin], text[end : end + 1]
    return not (before.isascii() and before.isalnum()) and not (after.isascii() and after.isalnum())
