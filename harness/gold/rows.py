"""A row of somebody else's data: values by column, and where it stands."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from harness.errors import InputError, did_you_mean
from harness.text import fold_width


@dataclass(frozen=True, slots=True)
class Row:
    """One row, line or object of a file.

    Attributes:
        values: what the file says, by column; texts as they stand, numbers and nested objects as the format gives them.
        number: from 1; the header of a table is not counted. For JSON lines this is the line.
        line: the physical line on which the row begins, where that is another number (a cell may span lines).
        fixed: True when every row of the file has the same columns, so that another name is a mistake; False for
            JSON objects, where a key may be absent.
    """

    values: Mapping[str, Any]
    file: Path
    number: int
    line: int | None = None
    fixed: bool = False

    def where(self, column: str | None = None) -> str:
        """File, row and column, for an error."""
        place = f"{self.file}, {self.position}"
        return place if column is None else f"{place}, column {column!r}"

    @property
    def position(self) -> str:
        """Where in its file it stands: `row 158 (line 159)`."""
        return f"row {self.number}" + (f" (line {self.line})" if self.line is not None else "")

    def get(self, column: str) -> Any:
        """The value of a column, None when a JSON object lacks it.

        A dot walks into nested objects and lists (`chosen.value`, `turns.0`) where no column has the whole name.
        `@stem`, `@file` and `@folder` are the file's name without and with its ending, and its folder's name.

        Raises:
            InputError: a table has no such column.
        """
        if column in self.values:
            return self.values[column]
        if column.startswith("@") and column in _PLACES:
            return {"@stem": self.file.stem, "@file": self.file.name, "@folder": self.file.parent.name}[column]
        found, value = _walk(self.values, column)
        if not found and self.fixed:
            raise InputError(
                f"there is no column {column!r}", where=str(self.file), remedy=did_you_mean(column, self.values)
            )
        return value

    def has(self, column: str) -> bool:
        """True when the row holds the column, whatever its value."""
        return column in self.values or column in _PLACES or _walk(self.values, column)[0]


_PLACES = frozenset(("@stem", "@file", "@folder"))


def _walk(value: Any, path: str) -> tuple[bool, Any]:
    if "." not in path:
        return False, None
    for part in path.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list | tuple) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return False, None
    return True, value


def as_text(value: Any) -> str:
    """A cell as the text a person sees, without outer whitespace; "" for a missing one.

    A spreadsheet and pandas turn 42737 into 42737.0: whole floats lose the point again. Objects become JSON.
    """
    if isinstance(value, str):
        return value.strip()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=as_text)
    return str(value).strip()


# What people and programs write where there is nothing to write. "Na" is sodium and "0" is a number: not here.
_NOTHING = frozenset(
    ("无", "无。", "没有", "暂无", "空", "略", "未填", "未知", "不详", "null", "none", "nan", "n/a", "nil", "noinput",
     "<noinput>", "todo", "tbd", "待补充", "-", "--")
)  # fmt: skip


def is_placeholder(text: str) -> bool:
    """True for text that stands where nothing was written: empty, "无", "null", "？？？".

    Mathematical signs and emoji are no placeholders: they can be answers.
    """
    short = text.strip()
    if len(short) > 16:
        return False
    folded = fold_width(short).casefold()
    return folded in _NOTHING or not any(
        char.isalnum() or unicodedata.category(char).startswith("S") for char in folded
    )
