"""A gold set being written: into a folder of its own, which becomes NAME.jsonl, NAME.yaml and NAME/ at the end."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePath
from types import TracebackType
from typing import Any

import yaml

from harness.digest import digest_bytes
from harness.errors import InputError
from harness.gold.card import Card
from harness.gold.goldset import digest_of
from harness.gold.images import ImageFile, inside, open_image
from harness.gold.importers.reading import PICTURES
from harness.gold.item import Item
from harness.gold.rows import Row

#: More topics than this are no table any more, and stay off the card.
_TOPICS = 300


class GoldSetWriter:
    """Items go in one by one; nothing is seen under the set's name before `commit`, and nothing is left without it.

    Memory grows by some 300 bytes an item: its id and digest, and 16 bytes to know a repetition by.
    """

    def __init__(self, folder: Path, name: str, *, replace: bool = False) -> None:
        """
        Args:
            folder: where the set goes; made when it is missing.
            replace: take the place of a set of this name.

        Raises:
            InputError: there is a set of this name, or the folder cannot be written.
        """
        self._folder, self._name = folder, name
        self.path, self.card_path, self.image_folder = (folder / f"{name}{end}" for end in (".jsonl", ".yaml", ""))
        there = [path for path in (self.path, self.card_path, self.image_folder) if path.exists()]
        if there and not replace:
            raise InputError("exists already", where=str(there[0]), remedy="Choose another --as or give --replace.")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._work = Path(tempfile.mkdtemp(dir=folder, prefix=f".{name[:60]}.import."))
        except OSError as error:
            raise InputError(f"cannot be written ({error.strerror})", where=str(folder)) from None
        self._file = (self._work / "items").open("wb")
        self._seen: set[bytes] = set()
        self._ids: set[str] = set()
        self._identities: list[tuple[str, str]] = []
        self._images = self._work.resolve() / "images"
        self._opened: dict[str, ImageFile] = {}
        self._kept: dict[Path, str] = {}
        self.languages: Counter[str] = Counter()
        self._counts: Counter[tuple[str, str]] = Counter()

    def __enter__(self) -> GoldSetWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what a full disk did not take; the error is on its way already
            self._file.close()
        with suppress(OSError):
            shutil.rmtree(self._work)

    @property
    def items(self) -> int:
        return len(self._identities)

    @property
    def images(self) -> int:
        return len(self._kept)

    def digest(self) -> str:
        """The digest that the set has when it is read back; sorts every identity, so once is enough."""
        return digest_of(self._identities)

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Items by topic and difficulty; empty when no item has either, or there are too many topics for a table."""
        if all(pair == ("-", "-") for pair in self._counts) or len({topic for topic, _ in self._counts}) > _TOPICS:
            return {}
        table: dict[str, dict[str, int]] = {}
        for (topic, difficulty), count in sorted(self._counts.items()):
            table.setdefault(topic, {})[difficulty] = count
        return table

    def add(self, item: Item, row: Row, pictures: tuple[tuple[str, Any], ...] = ()) -> bool:
        """Write an item; False when one that says the same is there already.

        Args:
            pictures: column and path or bytes of each image, in order (`RowMap.pictures`).

        Raises:
            InputError: an id that is taken, a picture that must be refused, or a text that no file can hold.
        """
        found = [self._open(picture, row, column) for column, picture in pictures]
        item = item.with_images(tuple(found)) if found else item
        mark = bytes.fromhex(item.digest[:32])
        if mark in self._seen:
            return False
        if not item.id:
            item = item.model_copy(update={"id": item.digest[:16]})
        if item.id in self._ids:
            raise InputError(
                f"the id {item.id!r} is taken by an earlier row that says something else",
                where=row.where(),
                remedy="Ids must be unique; leave 'id' out of the mapping to have them made from the content.",
            )
        if found:
            item = item.model_copy(update={"images": tuple(self._keep(image, row) for image in found)})
        self._write(item, row)
        self._seen.add(mark)
        self._ids.add(item.id)
        self._identities.append((item.id, item.digest))
        self.languages[item.language] += 1
        topic, difficulty = (str(item.metadata.get(key, "-")) for key in ("topic", "difficulty"))
        if len(self._counts) <= 2 * _TOPICS:
            self._counts[topic, difficulty] += 1
        return True

    def commit(self, card: Card) -> None:
        """Put items, images and card where they belong, together.

        Raises:
            InputError: the disk is full.
        """
        written = card.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        text = yaml.safe_dump(written, allow_unicode=True, sort_keys=False, width=120)
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            (self._work / "card").write_text(text, encoding="utf-8")
        except OSError as error:
            raise self._unwritten(error) from None
        moves = [(self._images, self.image_folder)] if self._kept else []
        moves += [(self._work / "items", self.path), (self._work / "card", self.card_path)]
        aside: list[tuple[Path, Path]] = []
        done: list[Path] = []
        try:
            for target in (self.image_folder, self.path, self.card_path):
                if target.exists():  # a set that is replaced steps aside, and comes back if anything goes wrong
                    away = self._work / f"old-{len(aside)}"
                    target.rename(away)
                    aside.append((away, target))
            for made, target in moves:
                made.rename(target)
                done.append(target)
        except BaseException:
            for target in done:
                target.rename(self._work / f"undone-{target.name}")
            for away, target in aside:
                away.rename(target)
            raise

    def _write(self, item: Item, row: Row) -> None:
        try:
            self._file.write(json.dumps(_plain(item), ensure_ascii=False).encode("utf-8") + b"\n")
        except UnicodeEncodeError as error:
            raise InputError(
                f"holds half a character (U+{ord(error.object[error.start]):04X}), which no file can hold",
                where=row.where(),
            ) from None
        except OSError as error:
            raise self._unwritten(error) from None

    def _unwritten(self, error: OSError) -> InputError:
        return InputError(f"cannot be written ({error.strerror})", where=str(self._folder))

    def _open(self, picture: str | Mapping[str, Any], row: Row, column: str) -> ImageFile:
        """One picture, checked once however often it is named; bytes become a file first."""
        where = row.where(column)
        if isinstance(picture, str):
            key = str(inside(picture, row.file.parent, where=where))
            folder, reference = row.file.parent, picture
        else:
            suffix = PurePath(str(picture.get("path") or "")).suffix.lower()
            key = reference = f"{digest_bytes(picture['bytes'])[:16]}{suffix if suffix in PICTURES else ''}"
            folder = self._images
            if key not in self._opened:
                try:
                    folder.mkdir(exist_ok=True)
                    (folder / reference).write_bytes(picture["bytes"])
                except OSError as error:
                    raise self._unwritten(error) from None
        if key not in self._opened:
            self._opened[key] = open_image(reference, folder, where=where)
        return self._opened[key]

    def _keep(self, image: ImageFile, row: Row) -> str:
        """A copy in the set's folder, under the path it has from its row's file; returns what the item calls it."""
        if image.path not in self._kept:
            target = image.path
            if not image.path.is_relative_to(self._images):
                relative = image.path.relative_to(row.file.parent.resolve())
                target = self._images / relative
                if target.exists():  # another folder's picture of this name
                    target = self._images / image.digest[:8] / relative
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(image.path, target)
                except OSError as error:
                    raise self._unwritten(error) from None
            self._kept[image.path] = f"{self._name}/{target.relative_to(self._images).as_posix()}"
        return self._kept[image.path]


def _plain(item: Item) -> dict[str, Any]:
    """As a line of the file: one accepted answer is a text, what is empty is left out."""
    written = item.model_dump(mode="json", exclude_defaults=True)
    if len(item.answer) == 1:
        written["answer"] = item.answer[0]
    return {"id": item.id, **written}
