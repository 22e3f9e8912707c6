"""Filled-in sheets: every row labelled once, by each annotator, or nothing is taken.

A sheet that is filled in part is no random sample any more, because people leave out what is hard.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import InputError
from harness.judge.labels.drawing import Draw, read_draw
from harness.judge.labels.sheet import ROW
from harness.runs.files import RunStore

_ROW = re.compile(r"([0-9a-f]{12})-(\d{4,})")
_NOT_DRAWN = (
    "A judge is calibrated only on items that the tool drew at random: make the sheet with `harness judge label`."
)

#: What people write besides the labels themselves, half-width and small.
_SAID = {
    "a": "A", "b": "B", "tie": "tie", "draw": "tie", "equal": "tie", "平局": "tie", "平手": "tie", "一样": "tie",
    "correct": "correct", "正确": "correct", "对": "correct", "partly": "partly", "partial": "partly",
    "部分正确": "partly", "部分": "partly", "wrong": "wrong", "incorrect": "wrong", "错误": "wrong", "错": "wrong",
}  # fmt: skip


@dataclass(frozen=True)
class Labels:
    """What people said.

    Attributes:
        annotators: their names: the names of their files.
        said: for each annotator, for each row of the draw, the label of each measure.
    """

    draw: Draw
    annotators: tuple[str, ...]
    said: tuple[tuple[Mapping[str, str], ...], ...]


@dataclass(frozen=True)
class _Row:
    name: str
    where: str
    values: Mapping[str, Any]


def read_labels(paths: Sequence[Path], store: RunStore) -> Labels:
    """Read the sheets of all annotators.

    Raises:
        InputError: a row that was not drawn, a label that is missing, unknown or contradicts another, sheets of two
            draws, or two annotators of one name.
    """
    sheets = [(path, list(_rows(path))) for path in paths]
    keys = {key for path, rows in sheets for key in (_key(row) for row in rows)}
    if len(keys) != 1:
        raise InputError(
            f"the sheets are of {len(keys)} draws" if keys else "there is no row",
            where=", ".join(map(str, paths)),
            remedy="Give the sheets of one draw." if keys else _NOT_DRAWN,
        )
    drawn = _draw(next(iter(keys)), store, paths[0])
    names = [path.stem for path in paths]
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"two annotators are named {name!r}",
                where=", ".join(str(path) for path in paths if path.stem == name),
                remedy="Name each file after who filled it in.",
            )
    return Labels(drawn, tuple(names), tuple(_complete(path, rows, drawn) for path, rows in sheets))


def _key(row: _Row) -> str:
    match = _ROW.fullmatch(row.name)
    if match is None:
        raise InputError(f"the row {row.name!r} was not drawn by this tool", where=row.where, remedy=_NOT_DRAWN)
    return match[1]


def _draw(key: str, store: RunStore, path: Path) -> Draw:
    for name in store.list_documents("draw"):
        if name.endswith(f"-{key}"):
            return read_draw(store.read_document("draw", name), name)
    raise InputError(
        f"its draw ({key}) is not in the store {store.url}",
        where=str(path),
        remedy=f"Give the store that it was drawn in: --store. {_NOT_DRAWN}",
    )


def _complete(path: Path, rows: Sequence[_Row], drawn: Draw) -> tuple[Mapping[str, str], ...]:
    known = {drawn.row_name(position): position for position in range(len(drawn.rows))}
    said: dict[int, tuple[str, dict[str, str]]] = {}
    missing: list[str] = []
    for row in rows:
        if row.name not in known:
            raise InputError(f"the row {row.name!r} was not drawn", where=row.where, remedy=_NOT_DRAWN)
        labels = {measure: _label(row, measure, drawn) for measure in drawn.measures}
        given = {measure: label for measure, label in labels.items() if label is not None}
        if len(given) < len(labels):
            missing.append(row.where)
            continue
        before = said.get(known[row.name])
        if before is not None and before[1] != given:
            raise InputError(
                f"the row {row.name} has two labels that contradict each other: {_told(before[1])} and {_told(given)}",
                where=f"{before[0]}, {row.where}",
                remedy="Keep the one that is meant.",
            )
        said[known[row.name]] = (row.where, given)
    absent = [name for name, position in known.items() if position not in said]
    if absent:
        lies = f"empty: {', '.join(missing[:5])}" if missing else f"not in the file: {', '.join(absent[:5])}"
        more = f" and {len(absent) - 5} more" if len(absent) > 5 else ""
        raise InputError(
            f"{len(absent)} of {len(known)} rows have no label ({lies}{more})",
            where=str(path),
            remedy="Label every row: what is left out is seldom left out at random.",
        )
    return tuple(said[position][1] for position in range(len(drawn.rows)))


def _told(labels: Mapping[str, str]) -> str:
    return ", ".join(labels.values()) if len(labels) == 1 else str(dict(labels))


def _label(row: _Row, measure: str, drawn: Draw) -> str | None:
    """A label as the draw spells it; None where nothing is written."""
    if measure not in row.values:
        raise InputError(
            f"the column {measure!r} is missing", where=row.where, remedy="Keep the sheet's columns as they are."
        )
    value = row.values[measure]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = unicodedata.normalize("NFKC", str(value if value is not None else "")).strip()
    if not text:
        return None
    label = next((one for one in drawn.labels if text.lower() == one.lower()), _SAID.get(text.lower(), text))
    if label not in drawn.labels:
        allowed = ", ".join(drawn.labels)
        raise InputError(f"{measure}: {text!r} is no label", where=row.where, remedy=f"Write one of {allowed}.")
    return label


def _rows(path: Path) -> Iterator[_Row]:
    if not path.is_file():
        raise InputError("the sheet does not exist", where=str(path))
    if path.suffix.lower() == ".jsonl":
        yield from _of_jsonl(path)
    elif path.suffix.lower() == ".xlsx":
        yield from _of_xlsx(path)
    else:
        raise InputError("is neither .xlsx nor .jsonl", where=str(path))


def _of_jsonl(path: Path) -> Iterator[_Row]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("is not UTF-8", where=str(path)) from None
    for number, line in enumerate(text.split("\n"), 1):  # an answer may hold other separators of lines
        if not line.strip():
            continue
        where = f"{path} line {number}"
        try:
            values = json.loads(line)
        except ValueError as error:
            raise InputError(f"is not JSON ({error})", where=where) from None
        if not isinstance(values, dict) or ROW not in values:
            raise InputError(f"has no {ROW!r}", where=where, remedy=_NOT_DRAWN)
        yield _Row(str(values[ROW]), where, values)


def _of_xlsx(path: Path) -> Iterator[_Row]:
    import zipfile

    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, OSError):
        raise InputError("cannot be read as Excel", where=str(path)) from None
    try:
        page = book["labels"] if "labels" in book.sheetnames else book.worksheets[0]
        lines = page.iter_rows(values_only=True)
        heads = [str(head).strip() if head is not None else "" for head in next(lines, ())]
        if ROW not in heads:
            raise InputError(f"has no column {ROW!r}", where=str(path), remedy=_NOT_DRAWN)
        for number, cells in enumerate(lines, 2):
            values = dict(zip(heads, cells, strict=False))
            if values.get(ROW) is not None:
                yield _Row(str(values[ROW]).strip(), f"{path} row {number}", values)
    finally:
        book.close()
