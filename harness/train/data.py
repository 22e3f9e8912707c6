"""Training rows, from the files that the gold-set importers read, as questions with their answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.answers.pictures import marked
from harness.digest import digest_json
from harness.errors import InputError
from harness.gold.images import ImageFile, inside, open_image
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
        images: the pictures that go with the question; the turns hold a mark for each.
    """

    turns: tuple[Message, ...]
    answer: str
    place: str
    images: tuple[ImageFile, ...] = ()

    @property
    def key(self) -> str:
        """The same for examples that say the same."""
        seen = [image.digest for image in self.images]
        return digest_json([[(turn.role, turn.content) for turn in self.turns], self.answer, *([seen] if seen else [])])


@dataclass(frozen=True)
class SourceData:
    """One source, cleaned.

    Attributes:
        digest: SHA-256 over names and bytes of its files, and over its pictures.
        rows: rows read.
        dropped: why rows make no example, and how many each.
    """

    name: str
    examples: tuple[Example, ...]
    digest: str
    rows: int
    dropped: dict[str, int]
    files: tuple[Path, ...]


def read_source(
    name: str, source: Source, folder: Path, *, deduplicate: bool = True, pictures: bool = False
) -> SourceData:
    """The examples of a source, in the order of its rows.

    Rows without question or answer, rows that say nothing ("无") and repetitions make none.

    Args:
        folder: where relative paths start.
        pictures: rows may name pictures, by their paths from the file's folder.

    Raises:
        InputError: nothing is there, it cannot be read, a picture is broken or not expected, or no row is left.
    """
    place = find_place(source.path, source.file, folder=folder)
    where = f"data.{name} ({source.path})"
    mapped = map_rows(_rows(place, source.encoding), source.map or {}, where=where, format=source.format)
    if mapped.map.images and not pictures:
        raise InputError(
            f"names pictures (column {mapped.map.images[0]!r})",
            where=where,
            remedy="Train with 'harness train vision', or leave them out with map: {images: []}.",
        )
    gallery = Gallery()
    examples: dict[str, Example] = {}
    dropped: Counter[str] = Counter()
    count = 0
    for row in mapped.rows:
        count += 1
        made = mapped.map.item(row)
        if isinstance(made, LeftOut):
            dropped[made.why] += 1
            continue
        if not made.answer:  # an open question teaches nothing
            dropped["missing answer"] += 1
            continue
        example = _example(made, row, gallery.open(mapped.map.pictures(row), row))
        key = example.key if deduplicate else str(count)
        if key in examples:
            dropped["repeated"] += 1
        else:
            examples[key] = example
    if not examples:
        reasons = ", ".join(f"{why} ({number})" for why, number in dropped.most_common())
        raise InputError(f"leaves no example to train on: {reasons}", where=where, remedy="Look at its 'map'.")
    digest = digest_files(place.files, place.root)
    if gallery.digests:
        digest = digest_json([digest, gallery.digests])
    return SourceData(name, tuple(examples.values()), digest, count, dict(dropped), place.files)


def _rows(place: Place, encoding: str | None) -> Iterator[Row]:
    for file in place.files:
        yield from open_rows(file, encoding=encoding).rows


def _example(item: Item, row: Row, images: tuple[ImageFile, ...]) -> Example:
    turns = item.messages or (Message(role="user", content=item.text),)
    if images:
        turns = marked(turns, item.with_images(images))
    return Example(turns, item.answer[0], row.where(), images)


class Gallery:
    """The pictures of a source, each decoded once however many rows name it."""

    def __init__(self) -> None:
        self._opened: dict[Path, ImageFile] = {}

    def open(self, pictures: Sequence[tuple[str, Any]], row: Row) -> tuple[ImageFile, ...]:
        """The pictures that a row names (`RowMap.pictures`).

        Raises:
            InputError: one is missing, broken, or leads out of the file's folder.
        """
        return tuple(self._open(picture, row, row.where(column)) for column, picture in pictures)

    @property
    def digests(self) -> list[str]:
        """Of every picture that was opened, sorted."""
        return sorted({image.digest for image in self._opened.values()})

    def _open(self, picture: Any, row: Row, where: str) -> ImageFile:
        if not isinstance(picture, str):
            raise InputError(
                "holds the bytes of a picture", where=where, remedy="Make files of them first: harness goldset import."
            )
        path = inside(picture, row.file.parent, where=where)
        if path not in self._opened:
            self._opened[path] = open_image(picture, row.file.parent, where=where)
        return self._opened[path]
