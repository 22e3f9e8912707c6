"""What a file looks like from its first bytes, so that its format is told by content and not by name."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

#: Keys and nested values looked at; an object that goes on for longer is no line of a recording.
_EVENTS = 4096


@dataclass(frozen=True, slots=True)
class Shape:
    """The first JSON value of a file, or the names in an archive.

    Attributes:
        keys: of the first object; empty where there is none.
        inner: keys of its first value, where that is an object itself.
        members: names of the files in a zip archive.
        broken: True where the file has content but does not begin with a JSON object.
    """

    path: Path
    keys: frozenset[str] = frozenset()
    inner: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()
    broken: bool = False


def shape_of(path: Path) -> Shape:
    """Look at a file without reading more of it than its first value."""
    with path.open("rb") as file:
        head = file.read(4)
        if head.startswith(b"PK\x03\x04"):
            try:
                with zipfile.ZipFile(path) as archive:
                    return Shape(path, members=frozenset(archive.namelist()))
            except zipfile.BadZipFile:
                return Shape(path, broken=True)
    if not head:
        return Shape(path)
    keys, inner, broken = _first_object(path)
    return Shape(path, keys, inner, broken=broken)


def _first_object(path: Path) -> tuple[frozenset[str], frozenset[str], bool]:
    import ijson

    keys: list[str] = []
    inner: list[str] = []
    with path.open("rb") as file:
        if file.read(3) != b"\xef\xbb\xbf":
            file.seek(0)
        try:
            for number, (prefix, event, value) in enumerate(ijson.parse(file, multiple_values=True, use_float=True)):
                if number == 0 and event != "start_map":
                    return frozenset(), frozenset(), True
                if event == "map_key" and prefix == "":
                    keys.append(value)
                elif event == "map_key" and len(keys) == 1 and prefix == keys[0]:
                    inner.append(value)
                if number > _EVENTS or (event == "end_map" and prefix == ""):
                    break
        except (ijson.JSONError, UnicodeDecodeError):
            # A tool that was killed leaves half a line; what was seen before it may still tell.
            return frozenset(keys), frozenset(inner), not keys
    return frozenset(keys), frozenset(inner), False
