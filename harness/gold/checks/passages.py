"""Runs of words that gold questions share with other texts.

After the overlap analyses of GPT-3 (Brown et al. 2020, appendix C: 13 words in a row) and Llama 2 (Touvron et al. 2023,
appendix A.6: the share of an item's tokens that lie in such runs). A word is a Latin word or number, or one Chinese
character, of which a run takes 30 (about 13 Chinese words are 20 to 25 characters; the rest is caution against stock
phrases). A shorter question counts when it stands there as a whole, from 8 words or 12 characters on. Punctuation, case
and width do not matter. A run that stands in several gold items that are no near duplicates is their common
instruction, and counts for none of them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.text import HAN, fold_case, fold_width

WORDS, CHARACTERS = 13, 30
_WHOLE_WORDS, _WHOLE_CHARACTERS = 8, 12
_UNIT = re.compile(rf"[{HAN}]|[^\W_{HAN}]+")


@dataclass(frozen=True, slots=True)
class Overlap:
    """What a text shares with a gold item: the share of the item's words that lie in shared runs, in (0, 1]."""

    item: int
    share: float


class PassageIndex:
    """The runs of gold questions, to be looked for in many texts."""

    def __init__(self, questions: Sequence[str], same: Sequence[int]) -> None:
        """
        Args:
            same: a label for each question; runs in questions of several labels do not count.
        """
        self._known: dict[str, int] = {}
        self._lengths: list[int] = []
        self._runs: dict[int, dict[tuple[int, ...], list[tuple[int, int]]]] = {}
        owners: defaultdict[tuple[int, ...], set[int]] = defaultdict(set)
        for number, question in enumerate(questions):
            units = [self._known.setdefault(unit, len(self._known) + 1) for unit in _units(question)]
            self._lengths.append(len(units))
            size = _run_length(question, len(units))
            for begin in range(len(units) - size + 1) if size else ():
                run = tuple(units[begin : begin + size])
                owners[run].add(same[number])
                self._runs.setdefault(size, {}).setdefault(run, []).append((number, begin))
        for runs in self._runs.values():
            for run in [run for run in runs if len(owners[run]) > 1]:
                del runs[run]
        # Most texts hold no run: their first units, which are few, are looked up before anything is sliced.
        self._starts = {size: {run[:3] for run in runs} for size, runs in self._runs.items()}

    def overlaps(self, text: str) -> Iterator[Overlap]:
        """The gold items that share a run with `text`, in order."""
        known = self._known.get
        units = [known(unit, 0) for unit in _units(text)]
        covered: defaultdict[int, set[int]] = defaultdict(set)
        for begin, end in _stretches(units):
            for size, runs in self._runs.items():
                if end - begin < size:
                    continue
                starts = self._starts[size]
                for at in range(begin, end - size + 1):
                    if (units[at], units[at + 1], units[at + 2]) in starts:
                        for item, place in runs.get(tuple(units[at : at + size]), ()):
                            covered[item].update(range(place, place + size))
        for item in sorted(covered):
            yield Overlap(item, len(covered[item]) / self._lengths[item])


def _units(text: str) -> list[str]:
    return _UNIT.findall(fold_case(fold_width(text)))


def _run_length(question: str, units: int) -> int:
    """How long a run of this question has to be; 0 when the question is too short to tell."""
    han = sum(1 for unit in _units(question) if not unit.isascii())
    run, whole = (CHARACTERS, _WHOLE_CHARACTERS) if 2 * han > units else (WORDS, _WHOLE_WORDS)
    return min(run, units) if units >= whole else 0


def _stretches(units: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where words stand in a row that gold questions know; only there can a run be."""
    begin = 0
    for at, unit in enumerate(units):
        if unit == 0:
            if at - begin >= _WHOLE_WORDS:
                yield begin, at
            begin = at + 1
    if len(units) - begin >= _WHOLE_WORDS:
        yield begin, len(units)
