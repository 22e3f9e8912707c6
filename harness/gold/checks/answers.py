"""Whether two items want the same answer."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from harness.gold.choices import gold_letters, letters
from harness.gold.item import Item
from harness.text import has_han, normalise

#: `same`: an accepted text is common. `related`: one is part of the other (北京, 北京市). `unknown`: long texts, which
#: can say the same in other words. `other`: anything else.
Agreement: TypeAlias = Literal["same", "related", "unknown", "other"]

_NUMBER = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[-+]?\d+(?:\.\d+)?")
#: Longer answers are prose: other words need not be another answer.
_PROSE_HAN, _PROSE_OTHER = 20, 60


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an item accepts, in one form; `prose` when its shortest form is longer than a name, number or phrase."""

    texts: frozenset[str]
    prose: bool

    def __or__(self, other: Wanted) -> Wanted:
        return Wanted(self.texts | other.texts, self.prose or other.prose)

    def against(self, other: Wanted) -> Agreement:
        if self.texts & other.texts:
            return "same"
        if self.prose or other.prose:
            return "unknown"
        return "related" if any(_part(a, b) or _part(b, a) for a in self.texts for b in other.texts) else "other"


def wanted(item: Item) -> Wanted:
    """What an item accepts: the texts of right options, fields, the number behind `####`, or the accepted texts."""
    if item.fields is not None:
        plain = {key: normalise(str(value)) for key, value in item.fields.items()}
        return Wanted(frozenset((json.dumps(plain, ensure_ascii=False, sort_keys=True),)), False)
    if item.choices:
        try:
            chosen = gold_letters(item)
        except ValueError:  # another check says so
            chosen = ()
        by_letter = dict(zip(letters(item), item.choices, strict=True))
        options = (" + ".join(sorted(normalise(by_letter[letter]) for letter in group)) for group in chosen)
        return Wanted(frozenset(options) or frozenset(map(normalise, item.answer)), False)
    if not item.answer:  # open: two answers to it need not be the same
        return Wanted(frozenset(), True)
    texts = [_settled(text) for text in item.answer if text.strip()]
    shortest = min(texts, key=len)
    return Wanted(frozenset(texts), len(shortest) > (_PROSE_HAN if has_han(shortest) else _PROSE_OTHER))


def _settled(answer: str) -> str:
    """Normalised; of a worked solution what stands behind `####`; a number without grouping and trailing zeros."""
    text = normalise(answer.rpartition("####")[2] or answer)
    if _NUMBER.fullmatch(text):
        value = float(text.replace(",", ""))
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return text


def _part(short: str, long: str) -> bool:
    """北京 in 北京市, but neither 5 in 15 nor 炎 in 肺炎."""
    return len(short) >= 2 and short in long and not short.replace(".", "").isdigit()
