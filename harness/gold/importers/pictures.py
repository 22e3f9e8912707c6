"""A folder of pictures, each with a JSON file of the same stem that holds its fields (receipts of SROIE)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.errors import InputError
from harness.gold.importers.encoding import find_encoding
from harness.gold.importers.reading import PICTURES, Opened
from harness.gold.rows import Row

_LONGEST = 1 << 26


def pairs(folder: Path) -> list[Path]:
    """The pictures of a folder that have a JSON file beside them, in order; empty when it is no such folder."""
    return [path for path in _pictures(folder) if path.with_suffix(".json").is_file()]


def open_pictures(path: Path, *, encoding: str | None = None) -> Opened:
    """A row for each picture: column `image` is its name, `fields` the object, and each field a column too."""
    return Opened(_rows(path, encoding), "pictures, each with its fields in JSON")


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES and path.is_file())


def _rows(folder: Path, encoding: str | None) -> Iterator[Row]:
    for number, picture in enumerate(_pictures(folder), start=1):
        beside = picture.with_suffix(".json")
        fields = _fields(beside, encoding) if beside.is_file() else {}
        yield Row({**fields, "image": picture.name, "stem": picture.stem, "fields": fields}, beside, number)


def _fields(path: Path, encoding: str | None) -> dict[str, Any]:
    if (size := path.stat().st_size) > _LONGEST:
        raise InputError(f"has {size >> 20:,} MiB: more than the fields of a picture", where=str(path))
    try:
        value = json.loads(path.read_text(encoding=find_encoding(path, encoding)))
    except json.JSONDecodeError as error:
        raise InputError(f"is not valid JSON ({error.msg} at line {error.lineno})", where=str(path)) from None
    if not isinstance(value, dict):
        raise InputError("must hold an object with the picture's fields", where=str(path))
    return value
