"""Training rows, from the files that the gold-set importers read, as questions with their answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.digest import digest_json
from harness.errors import InputError
from harness.gold.importers.files import digest_files
from harness.gold.importers.places import Place, find_place
from harness.gold.importers.reading import open_rows
from harness.gold.importers.shapes import map_rows
from harness.gold.item import Item, Message
from harness.gold.mapping import LeftOut
from harness.gold.rows import Row
from harness.train.config import Source


@dataclass(frozen=True, slots=True)
class Example:
    """What is asked and what shall be answered.

    Attributes:
        place: file and row, for messages.
    """

    turns: tuple[Message, ...]
    answer: str
    place: str

    @property
    def key(self) -> str:
        """The same for examples that say the same."""
        return digest_json([[(turn.role, turn.content) for turn in self.turns], self.answer])


@dataclass(frozen=True)
class SourceData:
    """One source, cleaned.

    Attributes:
        digest: SHA-256 over names and bytes of its files.
        rows: rows read.
        dropped: why rows make no example, and how many each.
    """

    name: str
    examples: tuple[Example, ...]
    digest: str
    rows: int
    dropped: dict[str, int]
    files: tuple[Path, ...]


def read_source(name: str, source: Source, folder: Path, *, deduplicate: bool = True) -> SourceData:
    """The examples of a source, in the order of its rows.

    Rows without question or answer, rows that say nothing ("无") and repetitions make none.

    Args:
        folder: where relative paths start.

    Raises:
        InputError: nothing is there, it cannot be read, or no row is left.
    """
    place = find_place(source.path, source.file, folder=folder)
    where = f"data.{name} ({source.path})"
    mapped = map_rows(_rows(place, source.encoding), source.map or {}, where=where, format=source.format)
    examples: dict[str, Example] = {}
    dropped: Counter[str] = Counter()
    count = 0
    for row in mapped.rows:
        count += 1
        made = mapped.map.item(row)
        if isinstance(made, LeftOut):
            dropped[made.why] += 1
            continue
        example = _example(made, row)
        key = example.key if deduplicate else str(count)
        if key in examples:
            dropped["repeated"] += 1
        else:
            examples[key] = example
    if not examples:
        reasons = ", ".join(f"{why} ({number})" for why, number in dropped.most_common())
        raise InputError(f"leaves no example to train on: {reasons}", where=where, remedy="Look at its 'map'.")
    return SourceData(
        name, tuple(examples.values()), digest_files(place.files, place.root), count, dict(dropped), place.files
    )


def _rows(place: Place, encoding: str | None) -> Iterator[Row]:
    for file in place.files:
        yield from open_rows(file, encoding=encoding).rows


def _example(item: Item, row: Row) -> Example:
    turns = item.messages or (Message(role="user", content=item.text),)
    return Example(turns, item.answer[0], row.where())
