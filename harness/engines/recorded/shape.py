"""What a file looks like from its first value, so that its format is told by content and not by name."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.engines.recorded.jsonl import BOM, ZIP

#: Bytes of a first line that is read whole. A longer one is looked at as an object over several lines is.
_LINE = 1 << 24
#: Keys and nested values looked at in an object that is not on one line; what counts stands at its beginning.
_EVENTS = 4096


@dataclass(frozen=True, slots=True)
class Shape:
    """The first JSON value of a file, or the names in an archive.

    Attributes:
        keys: of the first object; empty where there is none.
        inner: keys of its first value, where that is an object itself.
        members: names of the files in a zip archive.
        empty: True where there is nothing but space.
        broken: True where the first value cannot be read to its end.
    """

    path: Path
    keys: frozenset[str] = frozenset()
    inner: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()
    empty: bool = False
    broken: bool = False


def shape_of(path: Path) -> Shape:
    """Look at a file without reading more of it than its first value."""
    with path.open("rb") as file:
        if file.read(len(ZIP)) == ZIP:
            return _archive(path)
        file.seek(0)
        first = file.readline(_LINE).removeprefix(BOM)
        while first and not first.strip():
            first = file.readline(_LINE)
    if not first:
        return Shape(path, empty=True)
    try:
        value = json.loads(first.decode("utf-8"))
    except (ValueError, RecursionError):  # a UnicodeDecodeError is a ValueError
        return _first_object(path)
    return _of_object(path, value) if isinstance(value, dict) else Shape(path)


def _archive(path: Path) -> Shape:
    try:
        with zipfile.ZipFile(path) as archive:
            return Shape(path, members=frozenset(archive.namelist()))
    except zipfile.BadZipFile:
        return Shape(path, broken=True)


def _of_object(path: Path, value: dict[str, Any]) -> Shape:
    first = next(iter(value.values()), None)
    return Shape(path, frozenset(value), frozenset(first) if isinstance(first, dict) else frozenset())


def _first_object(path: Path) -> Shape:
    """The shape of a value over several lines, of which no more is read than tells."""
    import ijson

    keys: list[str] = []
    inner: list[str] = []
    broken = False
    with path.open("rb") as file:
        if file.read(3) != BOM:
            file.seek(0)
        try:
            for number, (prefix, event, value) in enumerate(ijson.parse(file, multiple_values=True, use_float=True)):
                if number == 0 and event != "start_map":
                    break
                if event == "map_key" and prefix == "":
                    keys.append(value)
                elif event == "map_key" and len(keys) == 1 and prefix == keys[0]:
                    inner.append(value)
                if number > _EVENTS or (event == "end_map" and prefix == ""):
                    break
        except (ijson.JSONError, UnicodeDecodeError):
            broken = True  # a tool that was killed leaves half a line; what was seen before may still tell
    return Shape(path, frozenset(keys), frozenset(inner), broken=broken)
