"""Gold items that stand in given training data: word for word, nearly, or by a long passage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.gold.checks.finding import MOST_EVIDENCE, Evidence, Finding, Quote, Severity, quote, shortened
from harness.gold.checks.material import Material, core, numbers
from harness.gold.checks.messages import Code
from harness.gold.checks.passages import CHARACTERS, WORDS, PassageIndex
from harness.gold.checks.similarity import NearIndex, shingle
from harness.gold.importers.files import find_files
from harness.gold.importers.reading import open_rows
from harness.gold.rows import Row
from harness.text import normalise

#: So much of a question inside long shared runs is the question itself (Llama 2 calls 80% "dirty").
_DIRTY = 0.8
_AT_ONCE = 2_000
#: A text this much longer than any question is not compared as a whole (spaces and the like may make it longer).
_PADDING = 64
#: What says who speaks or where a row comes from, and nothing that is learned.
_LABELS = frozenset(("role", "from", "id", "source", "type", "category", "images", "image", "system"))


@dataclass(slots=True)
class _Match:
    """The worst place in the training data for one gold item."""

    code: Code
    likeness: float
    answered: bool
    place: str
    text: str

    @property
    def rank(self) -> tuple[int, bool, float]:
        return _RANKS[self.code], self.answered, self.likeness


_RANKS: dict[Code, int] = {"train-verbatim": 3, "train-near": 2, "train-passage": 1}
_SEVERITIES: dict[Code, Severity] = {"train-verbatim": "error", "train-near": "warning", "train-passage": "warning"}


@dataclass(frozen=True, slots=True)
class _Text:
    """One text of a training row, and the row."""

    form: str
    row: int


class TrainingLeaks:
    """A check against files of training data, in whatever shape: every text in a row is looked at.

    Alpaca, ShareGPT, messages, prompt and completion, preference pairs and tables need no mapping: a question is looked
    for in each text of a row, in each two neighbouring texts together (instruction and input, title and ask), and its
    long passages in the row as a whole.
    """

    def __init__(self, files: Sequence[str], read: Callable[[Path], Iterable[Row]] | None = None) -> None:
        """
        Args:
            files: files, folders or patterns.
            read: gives the rows of a file whose texts do not stand in it as such; default: as they stand.

        Raises:
            InputError: nothing is there, or it cannot be read.
        """
        self.files = [file for given in files for file in find_files(Path(given))]
        self._read = read or _as_it_stands

    def __call__(self, material: Material) -> Iterator[Finding]:
        search = _Search(material)
        for file in self.files:
            batch: list[Row] = []
            for row in self._read(file):
                batch.append(row)
                if len(batch) >= _AT_ONCE:
                    search.look_at(batch)
                    batch = []
            search.look_at(batch)
        for code in _RANKS:
            if finding := _finding(material, code, search.worst):
                yield finding


def _as_it_stands(file: Path) -> Iterable[Row]:
    return open_rows(file).rows


class _Search:
    """Holds the gold set against batches of training rows; keeps the worst match of each item."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._threshold = material.threshold
        self._forms: dict[str, list[int]] = {}
        self._cores: dict[str, list[int]] = {}
        for position, form in enumerate(material.forms):
            self._forms.setdefault(form, []).append(position)
            self._cores.setdefault(core(form), []).append(position)
        self._longest = 2 * max(map(len, material.forms)) + _PADDING
        self._blocks: dict[Hashable, int] = {}
        blocks = [self._blocks.setdefault(numbers(form), len(self._blocks)) for form in material.forms]
        self._near = NearIndex(shingle(material.forms), material.threshold, np.array(blocks, dtype=np.int64))
        self._passages = PassageIndex(material.forms, material.same.tolist())
        self.worst: dict[int, _Match] = {}

    def look_at(self, rows: Sequence[Row]) -> None:
        wholes = [" \n".join(_texts(row.values)) for row in rows]
        texts = [_Text(form, number) for number, row in enumerate(rows) for form in _forms(row.values, self._longest)]
        # Only a text that has a gold question's numbers can be its near duplicate.
        blocks = [self._blocks.get(numbers(text.form), -1) for text in texts]
        kept = [at for at, block in enumerate(blocks) if block >= 0 and texts[at].form]
        others = shingle([texts[at].form for at in kept])
        near = self._near.near(others, np.array([blocks[at] for at in kept], dtype=np.int64))
        for item, other, likeness in near:
            text = texts[kept[other]]
            form = self._material.forms[item]
            verbatim = text.form == form or core(text.form) == core(form)
            self._note(item, "train-verbatim" if verbatim else "train-near", likeness, rows[text.row], wholes[text.row])
        for text in texts:
            if text.form in self._forms:  # too short for n-grams, or the same whatever the bands say
                for item in self._forms[text.form]:
                    self._note(item, "train-verbatim", 1.0, rows[text.row], wholes[text.row])
        for row, whole in zip(rows, wholes, strict=True):
            for overlap in self._passages.overlaps(whole):
                dirty = overlap.share >= _DIRTY
                if dirty and not self._same_numbers(overlap.item, whole):
                    continue  # nearly all words of the question, and other numbers: another question
                code: Code = "train-verbatim" if dirty else "train-passage"
                self._note(overlap.item, code, overlap.share, row, whole)

    def _note(self, item: int, code: Code, likeness: float, row: Row, whole: str) -> None:
        read = normalise(whole)
        answered = self._answered(item, read)
        if code == "train-near" and not answered and not self._material.wanted[item].prose:
            return  # a question of the same mould that has another answer
        if code == "train-verbatim" and not answered and not self._offered(item, read):
            code = "train-near"  # "which of these is right", with other options
        match = _Match(code, likeness, answered, row.where(), whole)
        if item not in self.worst or match.rank > self.worst[item].rank:
            self.worst[item] = match

    def _same_numbers(self, item: int, whole: str) -> bool:
        asked, there = Counter(numbers(self._material.forms[item])), Counter(numbers(normalise(whole)))
        return asked <= there

    def _answered(self, item: int, read: str) -> bool:
        """True when an accepted answer stands in a row, the question itself aside; one character is no sign of it."""
        rest = read.replace(self._material.forms[item], " ")
        return any(len(text) > 1 and text in rest for text in self._material.wanted[item].texts)

    def _offered(self, item: int, read: str) -> bool:
        """True when at least half of the item's options stand in a row, or it has none."""
        options = [normalise(text) for text in self._material.items[item].choices or ()]
        return 2 * sum(text in read for text in options) >= len(options)


def _finding(material: Material, code: Code, worst: Mapping[int, _Match]) -> Finding | None:
    found = sorted(
        ((item, match) for item, match in worst.items() if match.code == code),
        key=lambda pair: (not pair[1].answered, -pair[1].likeness, pair[0]),
    )
    if not found:
        return None
    values: dict[str, str | int | float] = {"answered": sum(match.answered for _, match in found)}
    if code == "train-near":
        values["threshold"] = material.threshold
    if code == "train-passage":
        values |= {"words": WORDS, "characters": CHARACTERS}
    return Finding(
        code=code,
        severity=_SEVERITIES[code],
        count=len(found),
        items=tuple(material.items[item].id for item in sorted(item for item, _ in found)),
        values=values,
        evidence=tuple(
            Evidence(
                quotes=(quote(material.items[item]), Quote(where=match.place, question=shortened(match.text))),
                likeness=round(match.likeness, 3),
                answered=match.answered,
            )
            for item, match in found[:MOST_EVIDENCE]
        ),
    )


def _texts(value: Any, key: str = "") -> Iterator[str]:
    """Every text in a row, however deep, in order."""
    if isinstance(value, str):
        if key not in _LABELS and value.strip():
            yield value.strip()
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from _texts(part, str(name))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part, key)


def _forms(values: Mapping[str, Any], longest: int) -> Iterator[str]:
    """What a question is compared with: each text of a row, and each two neighbours as one, unless far too long."""
    texts = [normalise(text) if len(text) <= longest else None for text in _texts(values)]
    for one, two in zip(texts, [*texts[1:], None], strict=True):
        if one is not None:
            yield one
            if two is not None:
                yield f"{one} {two}"
