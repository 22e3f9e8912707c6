"""From somebody's files to a gold set with a card: every row is accounted for, and nothing is left half-written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import InputError, did_you_mean
from harness.gold.card import Card, Origin
from harness.gold.importers.files import digest_files
from harness.gold.importers.places import Place, find_place
from harness.gold.importers.reading import open_rows
from harness.gold.importers.report import FileRead, ImportReport, LeftOutRows
from harness.gold.importers.shapes import MappedRows, map_rows
from harness.gold.importers.writing import GoldSetWriter
from harness.gold.mapping import LeftOut, RowMap
from harness.gold.rows import Row, as_text, is_placeholder

_EXAMPLES = 5
_REPLACED = "\ufffd"


@dataclass(slots=True)
class _Tally:
    """What became of the rows."""

    place: Place
    rows: int = 0
    duplicates: int = 0
    duplicate_examples: list[str] = field(default_factory=list)
    left_out: Counter[LeftOut] = field(default_factory=Counter)
    examples: dict[LeftOut, list[str]] = field(default_factory=dict)
    replaced: int = 0
    said_nothing: Counter[str] = field(default_factory=Counter)
    unseen: set[str] = field(default_factory=set)

    def leave_out(self, why: LeftOut, row: Row) -> None:
        self.left_out[why] += 1
        places = self.examples.setdefault(why, [])
        if len(places) < _EXAMPLES:
            places.append(self._position(row))

    def repeat(self, row: Row) -> None:
        self.duplicates += 1
        if len(self.duplicate_examples) < _EXAMPLES:
            self.duplicate_examples.append(self._position(row))

    def _position(self, row: Row) -> str:
        """Its file is named only where there are several."""
        return row.position if len(self.place.files) == 1 else f"{self.place.shown(row.file)} {row.position}"


def import_goldset(
    source: str | Path,
    name: str,
    *,
    map: Mapping[str, Any] | RowMap | None = None,
    folder: str | Path = "goldsets",
    licence: str | None = None,
    format: str = "auto",
    encoding: str | None = None,
    file: str | None = None,
    keep_trivial: bool = False,
    replace: bool = False,
) -> ImportReport:
    """Make a gold set of somebody else's data.

    Rows are read one at a time. A row that repeats an item, or whose question or answer is missing or a placeholder
    such as "无", makes no item and is reported. A row that cannot be read at all stops the import.

    Args:
        source: a file, a folder, a pattern (`test/*.csv`), `hf:ORG/NAME[@REV]` or `ms:ORG/NAME[@REV]`.
        name: of the gold set: `NAME.jsonl`, `NAME.yaml` and, with images, `NAME/` are written.
        map: how a row becomes an item (see `harness.gold.mapping`); what it leaves open is guessed from the columns.
        folder: where it is written.
        licence: what the card says; else what the hub says.
        format: "auto", or one of alpaca, sharegpt, messages, columns.
        encoding: of text files, instead of finding it.
        file: the file or pattern inside a hub's repository.
        keep_trivial: also items whose question or answer is a placeholder.
        replace: take the place of a gold set of this name.

    Raises:
        InputError: names file, row and column; nothing has been written then.
    """
    _check_name(name)
    place = find_place(str(source), file)
    read: list[FileRead] = []
    mapped = map_rows(_rows(place, encoding, read), map or {}, where=place.source, format=format)
    licence = licence or place.licence
    with GoldSetWriter(Path(folder), name, replace=replace) as writer:
        tally = _write(mapped, place, writer, keep_trivial)
        _check_tally(tally, writer, mapped, place)
        digest = writer.digest()
        card = _card(name, place, mapped.map, read, tally, writer, digest, licence)
        report = ImportReport(
            schema=1,
            name=name,
            source=place.source,
            shape=mapped.shape,
            map=mapped.map,
            files=tuple(read),
            rows=tally.rows,
            items=writer.items,
            duplicates=tally.duplicates,
            duplicate_examples=tuple(tally.duplicate_examples),
            left_out=tuple(
                LeftOutRows(why=why.why, column=why.column, rows=count, examples=tuple(tally.examples[why]))
                for why, count in tally.left_out.most_common()
            ),
            images=writer.images,
            languages=dict(writer.languages.most_common()),
            licence=licence,
            digest=digest,
            goldset=str(writer.path),
            card=str(writer.card_path),
            warnings=tuple(_warnings(tally, licence)),
        )
        writer.commit(card)
    return report


def _check_name(name: str) -> None:
    if not name or name.startswith(".") or any(char in '/\\:*?"<>|' or not char.isprintable() for char in name):
        raise InputError(f"{name!r} cannot name a gold set", where="--as", remedy="Such as medical-mine.")


def _rows(place: Place, encoding: str | None, read: list[FileRead]) -> Iterator[Row]:
    """The rows of all files; what each file was is appended to `read` when it has been read."""
    for file in place.files:
        opened = open_rows(file, encoding=encoding)
        count = 0
        for row in opened.rows:
            count += 1
            yield row
        read.append(FileRead(path=place.shown(file), kind=opened.kind, encoding=opened.encoding, rows=count))


def _write(mapped: MappedRows, place: Place, writer: GoldSetWriter, keep_trivial: bool) -> _Tally:
    mapping = mapped.map
    tally = _Tally(place, unseen=set(mapping.named()))
    parts = mapping.question.columns if mapping.question is not None and len(mapping.question.columns) > 1 else ()
    for row in mapped.rows:
        tally.rows += 1
        if tally.unseen:
            tally.unseen = {column for column in tally.unseen if not row.has(column)}
        item = mapping.item(row, keep_trivial=keep_trivial)
        if isinstance(item, LeftOut):
            tally.leave_out(item, row)
        elif not writer.add(item, row, mapping.pictures(row) if mapping.images else ()):
            tally.repeat(row)
        else:
            tally.said_nothing.update(column for column in parts if _is_word_for_nothing(row.get(column)))
            tally.replaced += any(_REPLACED in text for text in (item.text, *item.answer))
    return tally


def _is_word_for_nothing(value: object) -> bool:
    text = as_text(value)
    return bool(text) and is_placeholder(text)


def _check_tally(tally: _Tally, writer: GoldSetWriter, mapped: MappedRows, place: Place) -> None:
    if tally.unseen:
        column = sorted(tally.unseen)[0]
        remedy = did_you_mean(column, mapped.columns)
        raise InputError(f"no row has {column!r}", where=place.source, remedy=remedy)
    if not writer.items:
        reasons = ", ".join(f"{why.why} in {why.column!r} ({count} rows)" for why, count in tally.left_out.items())
        raise InputError(
            f"makes no item: {reasons}", where=place.source, remedy="Look at --map, or keep them with --keep-trivial."
        )


def _warnings(tally: _Tally, licence: str | None) -> Iterator[str]:
    if licence is None:
        yield "no licence is known: say it with --licence, or nobody may pass the set on"
    for column, count in tally.said_nothing.items():
        yield f"column {column!r} says nothing ('无' or the like) in {count} rows: the rest is their question"
    if tally.replaced:
        yield (
            f"{tally.replaced} items hold U+FFFD: characters were lost before this import, when somebody read the "
            "source in a wrong encoding"
        )


def _card(
    name: str,
    place: Place,
    mapping: RowMap,
    read: Sequence[FileRead],
    tally: _Tally,
    writer: GoldSetWriter,
    digest: str,
    licence: str | None,
) -> Card:
    left_out = sum(tally.left_out.values())
    return Card(
        name=name,
        purpose=f"Imported from {place.source}. Write here what it decides.",
        authorship=f"See {place.source}. Write here who wrote and who checked it.",
        licence=licence or "unknown",
        languages=tuple(sorted(writer.languages)),
        items=writer.items,
        counts=writer.counts,
        digest=digest,
        notes=f"{tally.rows} rows read; {tally.duplicates} repeated an item, {left_out} were left out.",
        origin=Origin(
            source=place.source,
            digest=digest_files(place.files, place.root),
            encodings={file.path: file.encoding for file in read if file.encoding},
            rows=tally.rows,
            map=mapping,
        ),
    )
