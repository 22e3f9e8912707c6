"""A gold set: items on disk with a card beside them, checked when read."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import InputError, did_you_mean
from harness.gold.card import Card
from harness.gold.images import open_image
from harness.gold.importers.files import find_files
from harness.gold.importers.reading import open_rows
from harness.gold.item import Item
from harness.gold.mapping import LeftOut, RowMap, Why
from harness.gold.notice import Notice, NoticeCode
from harness.gold.rows import Row
from harness.gold.sources import NotHere, fetch
from harness.resources import packaged
from harness.validation import explain, read_yaml


@dataclass(frozen=True)
class GoldSet:
    """Items in file order, their card and what was noticed while reading.

    Attributes:
        name: a label (the card's name or the file's stem); identity is `digest`.
        path: the file the items came from.
        notices: what a reader should know but need not stop for.
    """

    name: str
    items: tuple[Item, ...]
    path: Path
    card: Card | None = None
    notices: tuple[Notice, ...] = field(default=())

    @property
    def warnings(self) -> tuple[str, ...]:
        """The notices in English."""
        return tuple(map(str, self.notices))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the ids and digests of the items, in any order."""
        return digest_of((item.id, item.digest) for item in self.items)

    @cached_property
    def by_id(self) -> Mapping[str, Item]:
        return {item.id: item for item in self.items}

    def counts(self) -> dict[str, dict[str, int]]:
        """Items by `metadata.topic` and `metadata.difficulty`."""
        pairs = Counter(
            (str(item.metadata.get("topic", "-")), str(item.metadata.get("difficulty", "-"))) for item in self.items
        )
        table: dict[str, dict[str, int]] = {}
        for (topic, difficulty), count in sorted(pairs.items()):
            table.setdefault(topic, {})[difficulty] = count
        return table


def digest_of(identities: Iterable[tuple[str, str]]) -> str:
    """The digest of a gold set: SHA-256 of the canonical JSON of its items' sorted ids and digests, made in pieces."""
    sha = hashlib.sha256(b"[")
    for number, pair in enumerate(sorted(identities)):
        text = json.dumps(pair, ensure_ascii=False, separators=(",", ":"))
        sha.update(("," if number else "").encode() + text.encode("utf-8", "surrogatepass"))
    sha.update(b"]")
    return sha.hexdigest()


def load_goldset(
    reference: str | Path, *, folder: Path | None = None, overrides: Mapping[str, str] | None = None
) -> GoldSet:
    """Read a gold set by name or path.

    Args:
        reference: a path to a JSONL (or Parquet) file or to a card, or a name.
        folder: where relative paths and `goldsets/<name>` are looked up first (default: the working directory).
        overrides: name -> path of a local copy (`goldsets:` of `harness.yaml`, `--goldset NAME=PATH`). Where the
            name's card has a `map`, the copy is read through it: any kind of file that can be imported, or a folder.

    Raises:
        InputError: unknown name, or a fault in the file with its line number.
    """
    base = folder or Path.cwd()
    text = str(reference)
    if overrides and text in overrides:
        return _copy(base / overrides[text], card=_card_of(_find_card(text, base)), name=text)
    direct = base / text
    if direct.suffix in {".jsonl", ".parquet", ".json"} or direct.is_file():
        if not direct.is_file():
            raise InputError("gold set file does not exist", where=str(direct))
        if direct.suffix in {".yaml", ".yml"}:
            return _from_card(direct)
        card_path = direct.with_suffix(".yaml")
        return _read(direct, card=_card_of(card_path if card_path.is_file() else None))
    for place in _places(base):
        if (place / f"{text}.jsonl").is_file():
            card_path = place / f"{text}.yaml"
            return _read(place / f"{text}.jsonl", card=_card_of(card_path if card_path.is_file() else None))
        if (place / f"{text}.yaml").is_file():
            return _from_card(place / f"{text}.yaml")
    raise InputError(f"unknown gold set {text!r}", remedy=did_you_mean(text, list_goldsets(base)))


def list_goldsets(folder: Path | None = None) -> dict[str, Path]:
    """Names of the gold sets that can be loaded by name, with the path of each set or card."""
    found: dict[str, Path] = {}
    for place in reversed(_places(folder or Path.cwd())):
        for suffix in (".yaml", ".jsonl"):
            found.update({path.stem: path for path in sorted(place.glob(f"*{suffix}"))})
    return dict(sorted(found.items()))


def _places(base: Path) -> list[Path]:
    return [base / "goldsets", packaged("goldsets")]


def _find_card(name: str, base: Path) -> Path | None:
    return next((p / f"{name}.yaml" for p in _places(base) if (p / f"{name}.yaml").is_file()), None)


def _card_of(path: Path | None) -> Card | None:
    if path is None:
        return None
    return read_yaml(path, Card)


def _from_card(path: Path) -> GoldSet:
    card = _card_of(path)
    assert card is not None
    if path.with_suffix(".jsonl").is_file():
        return _read(path.with_suffix(".jsonl"), card=card)
    if card.source is None:
        raise NotHere(
            f"gold set {card.name!r} needs a copy: its items are not stored here, and its card names no hub",
            where=str(path),
            remedy=f"Give one with --goldset {card.name}=PATH; the card's notes say where it is published.",
        )
    return _copy(fetch(card.name, card.source), card=card, name=card.name)


def _copy(path: Path, *, card: Card | None, name: str) -> GoldSet:
    """A copy of what a card describes: through the card's map, or in our own form."""
    if card is None or card.map is None or _is_ours(path, card.map):
        return _read(path, card=card, name=name)
    gathered = _Gathered(path)
    left_out: Counter[LeftOut] = Counter()
    for file in find_files(path):
        for row in open_rows(file).rows:
            # What a published set asks is not ours to drop: only rows that make no item stay out.
            item = card.map.item(row, keep_trivial=True)
            if isinstance(item, LeftOut):
                left_out[item] += 1
                continue
            names = _paths(card.map, row)
            files = tuple(open_image(image, row.file.parent, where=row.where()) for image in names)
            gathered.add(item.model_copy(update={"images": names}).with_images(files) if names else item, row.where())
    notices = [
        Notice(_LEFT_OUT[out.why], {"path": str(path), "rows": count, "column": out.column})
        for out, count in left_out.items()
    ]
    return gathered.made(card, name, notices)


#: Only these: trivial rows are kept.
_LEFT_OUT: Mapping[Why, NoticeCode] = {
    "missing question": "missing-question",
    "missing answer": "missing-answer",
    "ambiguous options": "ambiguous-options",
}


def _paths(mapping: RowMap, row: Row) -> tuple[str, ...]:
    names = []
    for column, picture in mapping.pictures(row):
        if not isinstance(picture, str):
            raise InputError(
                "holds the bytes of a picture, not its path",
                where=row.where(column),
                remedy="Import the set first (harness goldset import): that writes the pictures to files.",
            )
        names.append(picture)
    return tuple(names)


def _is_ours(path: Path, mapping: RowMap) -> bool:
    """True for a file whose first row is an item and not what the map expects: a set that was imported before."""
    if path.suffix != ".jsonl" or not path.is_file():
        return False
    raw = next((raw for _, raw in _rows(path)), None)
    if not isinstance(raw, dict) or not raw.keys() <= Item.model_fields.keys():
        return False
    row = Row(raw, path, 1)
    return not all(row.has(column) for column in mapping.named())


def _read(path: Path, *, card: Card | None, name: str | None = None) -> GoldSet:
    if not path.is_file():
        raise InputError("gold set file does not exist", where=str(path))
    gathered = _Gathered(path)
    for number, raw in _rows(path):
        gathered.add(_item(raw, path, number), f"{path}:{number}")
    return gathered.made(card, name, [])


class _Gathered:
    """Items as they are read: ids unique, rows that say the same thing once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._items: list[Item] = []
        self._places: dict[str, str] = {}
        self._twins = 0

    def add(self, item: Item, where: str) -> None:
        if not item.id:
            item = item.model_copy(update={"id": item.digest[:16]})
            if item.id in self._places:  # a repeated row without ids of its own is the same item
                self._twins += 1
                return
        if item.id in self._places:
            raise InputError(
                f"id {item.id!r} stands on {self._places[item.id]} already",
                where=where,
                remedy="Ids must be unique in a gold set; leave 'id' out to have one made from the content.",
            )
        self._places[item.id] = f"line {where.rpartition(':')[2]}" if where.startswith(f"{self._path}:") else where
        self._items.append(item)

    def made(self, card: Card | None, name: str | None, notices: list[Notice]) -> GoldSet:
        path = self._path
        if not self._items:
            raise InputError(
                "holds no items", where=str(path), remedy="One JSON object a line, with 'question' and 'answer'."
            )
        if self._twins:
            notices.append(Notice("repeated-rows", {"path": str(path), "rows": self._twins}))
        if card is None:
            notices.append(Notice("no-card", {"path": str(path)}))
        label = name or (card.name if card else path.stem)
        made = GoldSet(name=label, items=tuple(self._items), path=path, card=card)
        if card is not None and card.digest not in (None, made.digest):
            notices.append(Notice("card-digest", {"path": str(path)}))
        return GoldSet(made.name, made.items, path, card, tuple(notices))


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    """(line number, JSON object) of a JSONL file, or (row number, mapping) of a Parquet file."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        yield from enumerate(pq.read_table(path).to_pylist(), start=1)
        return
    data = path.read_bytes()
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise InputError(
                f"is not UTF-8 (byte 0x{line[error.start]:02x})",
                where=f"{path}:{number}",
                remedy="Save the file as UTF-8 (GBK files: iconv -f GB18030 -t UTF-8).",
            ) from None
        except json.JSONDecodeError as error:
            raise InputError(
                f"is not valid JSON ({error.msg} at column {error.colno})",
                where=f"{path}:{number}",
                remedy="A gold set holds one JSON object a line.",
            ) from None


def _item(raw: Any, path: Path, number: int) -> Item:
    if not isinstance(raw, dict):
        raise InputError("must be a JSON object", where=f"{path}:{number}")
    where = f"{path}:{number}"
    try:
        item = Item.model_validate(raw)
    except ValidationError as error:
        raise InputError(explain(error, Item), where=where) from None
    if not item.images:
        return item
    if item.id:
        where += f", item {item.id!r}"
    return item.with_images(tuple(open_image(name, path.parent, where=where) for name in item.images))
