"""How near one question is to another: character-trigram Jaccard with the numbers masked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

LIMIT = 0.6
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def masked(text: str) -> str:
    """The text in one form (NFKC, lower case, single spaces) with every number replaced by `#`."""
    return " ".join(_NUMBER.sub("#", unicodedata.normalize("NFKC", text)).casefold().split())


def numbers(text: str) -> tuple[str, ...]:
    """The numbers in the text, sorted: the same operands in another order are the same."""
    return tuple(sorted(_NUMBER.findall(unicodedata.normalize("NFKC", text))))


def trigrams(text: str) -> frozenset[str]:
    """Character trigrams of the masked text; the text itself when it is shorter than three characters."""
    return _grams(masked(text))


def _grams(form: str) -> frozenset[str]:
    return frozenset(form[i : i + 3] for i in range(len(form) - 2)) or frozenset((form,))


@dataclass(frozen=True)
class Near:
    """A pair of questions and how alike they are."""

    query: str
    text: str
    jaccard: float


class TrigramIndex:
    """An inverted index over texts; one query costs the lengths of its trigrams' posting lists."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts: Sequence[str] = sorted({masked(text) for text in texts})
        grams = [_grams(form) for form in self.texts]
        self._sizes = np.array([len(g) for g in grams], dtype=np.int64)
        lists: dict[str, list[int]] = {}
        for number, found in enumerate(grams):
            for gram in found:
                lists.setdefault(gram, []).append(number)
        self._postings = {gram: np.array(entries, dtype=np.int64) for gram, entries in lists.items()}

    def near(self, query: str, limit: float = LIMIT) -> list[Near]:
        """Every indexed text whose Jaccard with `query` reaches `limit`, nearest first."""
        grams = trigrams(query)
        found = [self._postings[gram] for gram in grams if gram in self._postings]
        if not found:
            return []
        shared = np.bincount(np.concatenate(found), minlength=len(self.texts))
        jaccard = shared / (self._sizes + len(grams) - shared)
        hits = np.flatnonzero(jaccard >= limit)
        ordered = hits[np.argsort(-jaccard[hits], kind="stable")]
        return [Near(query, self.texts[i], float(jaccard[i])) for i in ordered]
