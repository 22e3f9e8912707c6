"""What a reader of one kind of file is, and which one reads a given file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.errors import InputError
from harness.gold.rows import Row

#: Endings of files that hold rows; others in a folder are passed over (licences, images, notes).
SUFFIXES = frozenset((".csv", ".tsv", ".xlsx", ".xlsm", ".json", ".jsonl", ".ndjson", ".parquet", ".arrow"))
PICTURES = frozenset((".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"))

_ZIP, _OLD_EXCEL, _PARQUET, _ARROW = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1", b"\xff\xff\xff\xff"
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"7z\xbc\xaf": "7-Zip"}


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is being read.

    Attributes:
        rows: read as they are asked for; a fault in a row is an InputError that names it.
        kind: what the file turned out to be, for the report ("CSV, tab between columns").
        encoding: of a text file.
    """

    rows: Iterator[Row]
    kind: str
    encoding: str | None = None


class Reader(Protocol):
    """Reads one kind of file, a row at a time."""

    def __call__(self, path: Path, *, encoding: str | None = None) -> Opened:
        """Open `path`.

        Args:
            encoding: for a text file, instead of finding it.

        Raises:
            InputError: the file is empty, damaged or not of this kind.
        """
        ...


def open_rows(path: Path, *, encoding: str | None = None) -> Opened:
    """The rows of a file, or of a folder of pictures; what kind it is, its content says.

    Raises:
        InputError: nothing here reads it.
    """
    return _reader(path)(path, encoding=encoding)


def _reader(path: Path) -> Reader:
    if path.is_dir():
        from harness.gold.importers.pictures import open_pictures

        return open_pictures
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise InputError("is empty (0 bytes)", where=str(path))
    _refuse_packed(path, head)
    if head.startswith(_PARQUET):
        from harness.gold.importers.parquet import open_parquet

        return open_parquet
    if head.startswith(_ARROW):
        from harness.gold.importers.arrow import open_arrow

        return open_arrow
    if head.startswith(_ZIP):
        from harness.gold.importers.sheet import open_sheet

        return open_sheet
    if path.suffix.lower() in (".csv", ".tsv"):
        from harness.gold.importers.table import open_table

        return open_table
    from harness.gold.importers.objects import open_objects

    # Whatever the name says, JSON begins with a bracket (after spaces, a byte order mark or UTF-16's zeros).
    if head.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] in (b"[", b"{"):
        return open_objects
    if path.suffix.lower() in (".json", ".jsonl", ".ndjson"):
        raise InputError("is not JSON", where=str(path), remedy="It has to begin with [ or {.")
    raise InputError(
        "is no kind of file that is read here",
        where=str(path),
        remedy="These are: CSV and TSV (by their ending), JSON, JSON lines, Parquet, Arrow streams, Excel (.xlsx).",
    )


def _refuse_packed(path: Path, head: bytes) -> None:
    for magic, name in _PACKED.items():
        if head.startswith(magic):
            raise InputError(f"is packed with {name}", where=str(path), remedy="Unpack it first.")
    if head.startswith(_OLD_EXCEL):
        raise InputError("is an old Excel file (.xls)", where=str(path), remedy="Save it as .xlsx or CSV.")
    if head.startswith(_ZIP) and path.suffix.lower() not in (".xlsx", ".xlsm"):
        raise InputError("is a zip archive", where=str(path), remedy="Unpack it first, and give the folder.")
