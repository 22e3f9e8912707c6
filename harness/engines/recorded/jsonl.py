"""Objects of a JSONL file, one at a time, and where a JSON file is broken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.errors import InputError

BOM = b"\xef\xbb\xbf"
ZIP = b"PK\x03\x04"


def json_objects(path: Path, *, remedy: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """`file:line` and the object on it; blank lines are passed over.

    Args:
        remedy: what a line should look like.

    Raises:
        InputError: a line that is not UTF-8, not JSON or no object.
    """
    with path.open("rb") as file:  # split at \n only: a text may hold U+2028, which is no line end in JSON
        for number, line in enumerate(file, start=1):
            text = line.removeprefix(BOM) if number == 1 else line
            if not text.strip():
                continue
            value = _parsed(text, path, number, remedy)
            where = f"{path}:{number}"
            if not isinstance(value, dict):
                raise InputError("must be a JSON object", where=where, remedy=remedy)
            yield where, value


def require_whole(path: Path, *, remedy: str) -> None:
    """Find the fault of an archive or a JSON file whose first value cannot be read to its end.

    That is looked for in the first line, or in all of the file where the first line only opens the value.

    Raises:
        InputError: the fault; names the line.
    """
    content = path.read_bytes().removeprefix(BOM)
    if content.startswith(ZIP):
        raise InputError("is a damaged archive", where=str(path), remedy=remedy)
    text = content.lstrip()
    number = content.count(b"\n", 0, len(content) - len(text)) + 1
    first = text.partition(b"\n")[0]
    _parsed(text if first.strip() in (b"{", b"[") else first, path, number, remedy)


def _parsed(text: bytes, path: Path, number: int, remedy: str) -> Any:
    """The JSON value that begins in line `number`."""
    try:
        return json.loads(text.decode("utf-8"))
    except UnicodeDecodeError as error:
        before = text.count(b"\n", 0, error.start)
        raise InputError(
            f"cannot be read as UTF-8 (byte 0x{text[error.start]:02x})",
            where=f"{path}:{number + before}",
            remedy="Save the file as UTF-8 (GBK files: iconv -f GB18030 -t UTF-8).",
        ) from None
    except json.JSONDecodeError as error:
        raise InputError(
            f"is not valid JSON ({error.msg} at column {error.colno})",
            where=f"{path}:{number + error.lineno - 1}",
            remedy=remedy,
        ) from None
    except (ValueError, RecursionError) as error:  # a number or a nesting that no tool writes
        raise InputError(f"is not valid JSON ({error})", where=f"{path}:{number}", remedy=remedy) from None
