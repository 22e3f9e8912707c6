"""What is divided, read from a file, and the two parts, written together with cards that say where they came from."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.digest import digest_bytes, digest_file
from harness.errors import InputError
from harness.gold.card import Card
from harness.gold.goldset import GoldSet, digest_of, load_goldset
from harness.gold.importers.files import find_files
from harness.gold.importers.reading import open_rows
from harness.gold.importers.shapes import map_rows
from harness.gold.item import Item
from harness.gold.mapping import LeftOut
from harness.gold.rows import Row, as_text
from harness.gold.split import Split

_MOST_TOPICS = 300


@dataclass(frozen=True)
class Divisible:
    """What can be divided.

    Attributes:
        rows: of a training file, the rows that became each item (several, where they say the same word for word);
            empty for a gold set.
        left_out: rows that make no item (no question or answer); they stay with the training part.
        card: of a gold set.
        digest: of the file, or of the gold set's items.
    """

    path: Path
    items: tuple[Item, ...]
    digest: str
    rows: tuple[tuple[Row, ...], ...] = ()
    left_out: tuple[Row, ...] = ()
    card: Card | None = None
    warnings: tuple[str, ...] = ()

    @property
    def labels(self) -> list[Mapping[str, str]] | None:
        """The short columns of each row, to stratify by; None for a gold set, whose labels are metadata."""
        if not self.rows:
            return None
        return [
            {str(key): as_text(value) for key, value in rows[0].values.items() if not isinstance(value, list | dict)}
            for rows in self.rows
        ]


def read_divisible(source: str, given: Mapping[str, Any] | None = None) -> Divisible:
    """A gold set (by name or file), or a training file of any kind that can be imported.

    Args:
        given: how rows become items, as a card writes it; what it leaves open is guessed from the columns.

    Raises:
        InputError: nothing is there, it cannot be read, or its columns do not say what is asked.
    """
    path = Path(source)
    if given is None and (not path.exists() or _is_goldset(path)):
        return _of_goldset(load_goldset(source))
    files = find_files(path)
    if len(files) > 1:
        raise InputError(f"{len(files)} files cannot be divided at once", where=source, remedy="Give one of them.")
    if files[0].is_dir():
        raise InputError("holds pictures, not rows", where=source, remedy="Import it first (harness goldset import).")
    mapped = map_rows(open_rows(files[0]).rows, given or {}, where=source)
    if mapped.map.images:
        raise InputError(
            "names pictures", where=source, remedy="Import it first (harness goldset import), then divide the gold set."
        )
    items: dict[str, Item] = {}
    kept: dict[str, list[Row]] = {}
    left_out: list[Row] = []
    for row in mapped.rows:
        made = mapped.map.item(row, keep_trivial=True)
        if isinstance(made, LeftOut):
            left_out.append(row)
        else:
            item = made if made.id else made.model_copy(update={"id": made.digest[:16]})
            if items.setdefault(item.id, item).digest != item.digest:
                raise InputError(
                    f"the id {item.id!r} is taken by an earlier row that says something else", where=row.where()
                )
            kept.setdefault(item.id, []).append(row)
    rows_of = tuple(tuple(rows) for rows in kept.values())
    return Divisible(files[0], tuple(items.values()), digest_file(files[0]), rows_of, tuple(left_out))


def write_parts(
    divided: Divisible, split: Split, gold: Path, train: Path, *, told: str, replace: bool = False
) -> tuple[Card, Card]:
    """Write both parts and their cards: all four files, or none.

    Args:
        told: how the parts were drawn, for the cards.
        replace: overwrite files of these names.

    Returns:
        The cards of the gold and the training part.

    Raises:
        InputError: a file exists, the names collide, pictures would be out of reach, or the disk is full.
    """
    cards = tuple(part.with_suffix(".yaml") for part in (gold, train))
    _check((gold, train, *cards), divided, replace)
    gold_items = [divided.items[at] for at in split.gold]
    train_items = [divided.items[at] for at in split.train]
    gold_lines = [_plain(item) for item in gold_items]
    if divided.rows:
        train_lines = [dict(row.values) for at in split.train for row in divided.rows[at]]
        train_lines += [dict(row.values) for row in divided.left_out]
    else:
        train_lines = [_plain(item) for item in train_items]
    gold_data, train_data = _jsonl(gold_lines), _jsonl(train_lines)
    origin = f"From {divided.path.name} (digest {divided.digest[:16]}). {told}"
    gold_card = _card(
        divided,
        gold,
        gold_items,
        purpose=f"Gold part of {divided.path.name}: to measure with, never to train on.",
        notes=f"{origin} The other part is {train.name} (SHA-256 {digest_bytes(train_data)[:16]}).",
    )
    train_card = _card(
        divided,
        train,
        train_items if not divided.rows else None,
        purpose=f"Training part of {divided.path.name}: its items are no measure for models trained on it.",
        notes=f"{origin} {len(train_lines)} rows. The other part is {gold.name} (digest {str(gold_card.digest)[:16]}).",
    )
    _write_all(
        {gold: gold_data, train: train_data, cards[0]: _yaml(gold_card), cards[1]: _yaml(train_card)},
    )
    return gold_card, train_card


def _is_goldset(path: Path) -> bool:
    """True for a file whose first row is an item of ours, answer and all; a training row in messages has none."""
    if path.suffix not in {".jsonl", ".parquet", ".yaml", ".yml"} or not path.is_file():
        return False
    if path.suffix in {".yaml", ".yml"}:
        return True
    first = next(iter(open_rows(path).rows), None)
    return (
        first is not None
        and first.values.keys() <= Item.model_fields.keys()
        and "answer" in first.values
        and bool({"question", "messages"} & first.values.keys())
    )


def _of_goldset(found: GoldSet) -> Divisible:
    warnings = tuple(str(notice) for notice in found.notices if notice.code != "no-card")
    return Divisible(found.path, found.items, found.digest, card=found.card, warnings=warnings)


def _plain(item: Item) -> dict[str, Any]:
    written = item.model_dump(mode="json", exclude_defaults=True)
    if len(item.answer) == 1:
        written["answer"] = item.answer[0]
    return {"id": item.id, **written}


def _jsonl(lines: Sequence[Mapping[str, Any]]) -> bytes:
    try:
        return "".join(json.dumps(line, ensure_ascii=False, default=as_text) + "\n" for line in lines).encode()
    except UnicodeEncodeError as error:
        raise InputError(f"a text holds half a character (U+{ord(error.object[error.start]):04X})") from None


def _card(divided: Divisible, part: Path, items: Sequence[Item] | None, *, purpose: str, notes: str) -> Card:
    old = divided.card
    counts: dict[str, dict[str, int]] = {}
    digest = None
    if items is not None:
        made = GoldSet(name=part.stem, items=tuple(items), path=part)
        counts = made.counts() if len(made.counts()) <= _MOST_TOPICS and set(made.counts()) != {"-"} else {}
        digest = digest_of((item.id, item.digest) for item in items)
    spoken = {item.language for item in items or divided.items}
    return Card(
        name=part.stem,
        purpose=purpose if old is None else f"{purpose} {old.purpose}",
        authorship=old.authorship if old is not None else f"See {divided.path.name}.",
        licence=old.licence if old is not None else "unknown",
        languages=tuple(sorted(spoken)),
        fields=old.fields if old is not None else {},
        items=len(items) if items is not None else None,
        counts=counts,
        digest=digest,
        notes=notes,
    )


def _yaml(card: Card) -> bytes:
    written = card.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return yaml.safe_dump(written, allow_unicode=True, sort_keys=False, width=120).encode()


def _check(targets: Sequence[Path], divided: Divisible, replace: bool) -> None:
    for number, target in enumerate(targets):
        if target.resolve() in {other.resolve() for other in (*targets[:number], divided.path)}:
            raise InputError("would overwrite the source or the other part", where=str(target))
        if target.exists() and not replace:
            raise InputError("exists already", where=str(target), remedy="Choose another name or give --replace.")
        if not target.parent.is_dir():
            raise InputError(f"the folder {str(target.parent)!r} does not exist", where=str(target))
    if any(item.images for item in divided.items):
        for target in targets[:2]:
            if target.parent.resolve() != divided.path.parent.resolve():
                raise InputError(
                    "would lose its pictures: they are looked for beside the file",
                    where=str(target),
                    remedy=f"Write it to {divided.path.parent}.",
                )


def _write_all(files: Mapping[Path, bytes]) -> None:
    """Everything under temporary names first; then only renames can fail, and those are undone."""
    waiting: dict[Path, Path] = {}
    old: dict[Path, bytes | None] = {}
    try:
        for target, data in files.items():
            descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
            waiting[target] = Path(name)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o644)
        for target, temporary in waiting.items():
            before = target.read_bytes() if target.exists() else None
            os.replace(temporary, target)
            old[target] = before
    except BaseException as error:
        for target, before in old.items():
            with suppress(OSError):
                target.unlink() if before is None else target.write_bytes(before)
        if isinstance(error, OSError):
            raise InputError(f"cannot be written ({error.strerror})", where=str(error.filename or "")) from None
        raise
    finally:
        for temporary in waiting.values():
            with suppress(OSError):
                temporary.unlink()
