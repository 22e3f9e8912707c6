"""Training rows, from the files that the gold-set importers read, as questions with their answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from harness.digest import digest_json
from harness.errors import InputError, did_you_mean
from harness.gold.importers.files import digest_files, find_files
from harness.gold.importers.reading import open_rows
from harness.gold.importers.shapes import SHAPES, Shape, complete
from harness.gold.item import Item, Message
from harness.gold.mapping import LeftOut
from harness.gold.rows import Row
from harness.train.config import Source

_LOOKED_AT = 20


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
    files, root = _files(source, folder)
    rows = _rows(files, source.encoding)
    head = list(islice(rows, _LOOKED_AT))
    place = f"data.{name} ({source.path})"
    if not head:
        raise InputError("holds no rows", where=place)
    shape: Shape | None = next((known for known in SHAPES if known == source.format), None)
    if shape is None and source.format != "auto":
        raise InputError(f"unknown format {source.format!r}", where=place, remedy=did_you_mean(source.format, SHAPES))
    _, mapping = complete(source.map or {}, head, shape)
    examples: dict[str, Example] = {}
    dropped: Counter[str] = Counter()
    count = 0
    for row in chain(head, rows):
        count += 1
        made = mapping.item(row)
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
        raise InputError(f"leaves no example to train on: {reasons}", where=place, remedy="Look at its 'map'.")
    return SourceData(name, tuple(examples.values()), digest_files(files, root), count, dict(dropped), tuple(files))


def _files(source: Source, folder: Path) -> tuple[list[Path], Path]:
    if source.path.startswith(("hf:", "ms:")):
        from harness.gold.hub import fetch_dataset

        found = fetch_dataset(source.path, source.file)
        return list(found.files), found.root
    path = folder / source.path
    files = find_files(path)
    return files, path if path.is_dir() else files[0].parent


def _rows(files: list[Path], encoding: str | None) -> Iterator[Row]:
    for file in files:
        yield from open_rows(file, encoding=encoding).rows


def _example(item: Item, row: Row) -> Example:
    turns = item.messages or (Message(role="user", content=item.text),)
    return Example(turns, item.answer[0], row.where())
