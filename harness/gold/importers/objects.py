"""JSON: lines of objects, a list of objects, or an object that holds such a list. Nothing is read whole."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from harness.errors import InputError
from harness.gold.importers.encoding import find_encoding
from harness.gold.importers.reading import Opened
from harness.gold.rows import Row

#: A longer line is none of a JSONL file.
_LONGEST_LINE = 1 << 26
#: A longer text is taken for a quote that nobody closed, as in a table; ijson reads it in ever longer time.
_LONGEST_TEXT = 1 << 24


def open_objects(path: Path, *, encoding: str | None = None) -> Opened:
    """The objects of a JSON or JSONL file; which it is, the content says (many a `.json` holds lines)."""
    found = find_encoding(path, encoding)
    if _holds_lines(path, found):
        return Opened(_lines(path, found), "JSON lines", found)
    prefix = _list_inside(path, found)
    kind = f"JSON, the list under {prefix.removesuffix('.item')!r}" if prefix != "item" else "JSON"
    return Opened(_items(path, found, prefix), kind, found)


def _holds_lines(path: Path, encoding: str) -> bool:
    """True when the first line is an object by itself and another line or nothing but a bare object follows."""
    with path.open(encoding=encoding) as file:
        line = ""
        while not line.strip():
            line = file.readline(_LONGEST_LINE)
            if not line:
                return False
        if not line.lstrip("\ufeff").startswith("{"):
            return False
        if len(line) == _LONGEST_LINE:
            return path.suffix.lower() in (".jsonl", ".ndjson")
        try:
            first = json.loads(line.lstrip("\ufeff"))
        except (json.JSONDecodeError, RecursionError):
            return path.suffix.lower() in (".jsonl", ".ndjson")
        # {"examples": […]} on one line is no row, unless the name says that it is.
        holds_list = any(_is_list_of_objects(value) for value in first.values())
        another = any(rest.strip() for rest in iter(lambda: file.readline(1 << 16), ""))
        return another or not holds_list or path.suffix.lower() in (".jsonl", ".ndjson")


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _lines(path: Path, encoding: str) -> Iterator[Row]:
    with path.open(encoding=encoding, newline="\n") as file:
        for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), ""), start=1):
            if len(line) == _LONGEST_LINE:
                what = f"the line goes on for more than {_LONGEST_LINE >> 20} million characters"
                raise InputError(what, where=f"{path}:{number}", remedy="JSON lines hold one object a line.")
            if number == 1:
                line = line.removeprefix("\ufeff")
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except json.JSONDecodeError as error:
                what = f"is not valid JSON ({error.msg} at column {error.colno})"
                raise InputError(what, where=f"{path}:{number}") from None
            except RecursionError:
                raise InputError("is nested too deep", where=f"{path}:{number}") from None
            yield _row(value, path, number)


def _row(value: Any, path: Path, number: int) -> Row:
    if not isinstance(value, Mapping):
        raise InputError(f"is {_called(value)}, not an object", where=f"{path}, row {number}")
    return Row(value, path, number)


def _called(value: Any) -> str:
    return {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")


class _Recoded:
    """A text file in any encoding as the UTF-8 bytes that ijson reads, without its byte order mark.

    ijson holds a text until it ends: one that never does stops the reading here.
    """

    def __init__(self, path: Path, file: IO[bytes], encoding: str) -> None:
        self._path = path
        self._file = file
        self._since_quote = 0
        self._decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)()

    def read(self, size: int = -1) -> bytes:
        if size == 0:  # ijson asks so what kind of file this is
            return b""
        while chunk := self._file.read(size):
            if text := self._decoder.decode(chunk):
                data = text.encode("utf-8")
                quote = data.rfind(b'"')
                self._since_quote = len(data) - quote if quote >= 0 else self._since_quote + len(data)
                if self._since_quote > _LONGEST_TEXT:
                    what = f"holds a text of more than {_LONGEST_TEXT >> 20} MiB, or no JSON"
                    raise InputError(what, where=str(self._path), remedy="Look for a quote that is never closed.")
                return data
        return b""


def _list_inside(path: Path, encoding: str) -> str:
    """ijson's prefix of the rows: those of the outermost list, else of the first list of objects inside an object."""
    import ijson

    under: str | None = None
    with path.open("rb") as file:
        try:
            for prefix, event, _ in ijson.parse(_Recoded(path, file, encoding)):
                if event == "start_array" and (prefix == "" or "." not in prefix):
                    if prefix == "":
                        return "item"
                    under = f"{prefix}.item"
                elif under is not None and prefix == under and event == "start_map":
                    return under
        except (ijson.JSONError, UnicodeDecodeError) as error:
            raise _broken(path, 0, error) from None
    raise InputError(
        "holds no list of objects",
        where=str(path),
        remedy='It should be [{…}, {…}], {"data": [{…}]} or one object a line.',
    )


def _items(path: Path, encoding: str, prefix: str) -> Iterator[Row]:
    import ijson

    number = 0
    with path.open("rb") as file:
        try:
            for number, value in enumerate(
                ijson.items(_Recoded(path, file, encoding), prefix, use_float=True), start=1
            ):
                yield _row(value, path, number)
        except (ijson.JSONError, UnicodeDecodeError) as error:
            raise _broken(path, number, error) from None


def _broken(path: Path, number: int, error: Exception) -> InputError:
    place = f"{path}, after row {number}" if number else str(path)
    if isinstance(error, UnicodeDecodeError):  # yajl writes the halves of a surrogate pair out as bytes
        return InputError("holds half a character (a lone \\uD800 to \\uDFFF)", where=place)
    return InputError(f"is not valid JSON ({' '.join(str(error).split())[:120]})", where=place)
