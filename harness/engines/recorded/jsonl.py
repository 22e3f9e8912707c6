"""Objects of a JSONL file, one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.errors import InputError

_BOM = b"\xef\xbb\xbf"


def json_objects(path: Path, *, remedy: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """`file:line` and the object on it; blank lines are passed over.

    Args:
        remedy: what a line should look like.

    Raises:
        InputError: a line that is not UTF-8, not JSON or no object.
    """
    with path.open("rb") as file:  # split at \n only: a text may hold U+2028, which is no line end in JSON
        for number, line in enumerate(file, start=1):
            text = line.removeprefix(_BOM) if number == 1 else line
            if not text.strip():
                continue
            where = f"{path}:{number}"
            try:
                value = json.loads(text.decode("utf-8"))
            except UnicodeDecodeError as error:
                raise InputError(
                    f"cannot be read as UTF-8 (byte 0x{text[error.start]:02x})",
                    where=where,
                    remedy="Save the file as UTF-8 (GBK files: iconv -f GB18030 -t UTF-8).",
                ) from None
            except json.JSONDecodeError as error:
                raise InputError(
                    f"is not valid JSON ({error.msg} at column {error.colno})", where=where, remedy=remedy
                ) from None
            except (ValueError, RecursionError) as error:  # a number or a nesting that no tool writes
                raise InputError(f"is not valid JSON ({error})", where=where, remedy=remedy) from None
            if not isinstance(value, dict):
                raise InputError("must be a JSON object", where=where, remedy=remedy)
            yield where, value
