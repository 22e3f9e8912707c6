"""Two answers word by word: which words only one of them has. Chinese is cut into words, not characters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.scorers.words import cut
from harness.text import HAN

_RUNS = re.compile(rf"[{HAN}]+|[^\W\d_{HAN}]+|\d+(?:[.,]\d+)*|\s+|.", re.DOTALL)
_HAN = re.compile(rf"[{HAN}]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one answer; `own` when the other answer does not have it there."""

    text: str
    own: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """Both answers in pieces, which together are the answers."""

    left: tuple[Piece, ...]
    right: tuple[Piece, ...]


def difference(left: str, right: str) -> Difference:
    """What each text has that the other has not, by the longest common sequence of words."""
    if left == right:
        both = (Piece(left, False),) if left else ()
        return Difference(both, both)
    from rapidfuzz.distance import Indel

    ours, theirs = words_of(left), words_of(right)
    left_pieces: list[tuple[str, bool]] = []
    right_pieces: list[tuple[str, bool]] = []
    for code in Indel.opcodes(ours, theirs):
        own = code.tag != "equal"
        left_pieces.append(("".join(ours[code.src_start : code.src_end]), own))
        right_pieces.append(("".join(theirs[code.dest_start : code.dest_end]), own))
    return Difference(_joined(left_pieces), _joined(right_pieces))


def words_of(text: str) -> list[str]:
    """The words, numbers, spaces and marks of a text, in order; joined they are the text."""
    found: list[str] = []
    for run in _RUNS.findall(text):
        if len(run) > 1 and _HAN.match(run):
            found += cut(run)
        else:
            found.append(run)
    return found


def _joined(pieces: Sequence[tuple[str, bool]]) -> tuple[Piece, ...]:
    """Neighbours of one kind together; a space between two own words is own as well."""
    found: list[Piece] = []
    for text, own in pieces:
        if not text:
            continue
        if found and found[-1].own == own:
            found[-1] = Piece(found[-1].text + text, own)
        elif own and len(found) >= 2 and found[-1].text.isspace() and found[-2].own:
            between = found.pop()
            found[-1] = Piece(found[-1].text + between.text + text, True)
        else:
            found.append(Piece(text, own))
    return tuple(found)
