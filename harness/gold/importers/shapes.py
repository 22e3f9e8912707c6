"""What the columns of foreign rows most likely mean. A guess, always printed, and overruled by a mapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Literal, TypeAlias

from pydantic import ValidationError

from harness.errors import InputError, did_you_mean
from harness.gold.mapping import RowMap
from harness.gold.rows import Row, as_text
from harness.validation import explain

Shape: TypeAlias = Literal["alpaca", "sharegpt", "messages", "columns"]
SHAPES: tuple[Shape, ...] = ("alpaca", "sharegpt", "messages", "columns")

#: Rows that are looked at to guess what the columns mean.
_LOOKED_AT = 20

_TURNS = ("messages", "conversations", "conversation", "dialogue", "dialog")
_QUESTION = ("question", "prompt", "query", "ask", "problem", "instruction", "input", "问题", "题目", "提问", "问")
_ANSWER = (
    "answer", "response", "output", "completion", "std_answer", "reference_answer", "reference", "target",
    "ground_truth", "chosen",
    "答案", "回答", "回复", "参考答案", "标准答案", "答",
)  # fmt: skip
_IMAGES = ("images", "image", "image_path", "img", "图片", "图像")


@dataclass(frozen=True, slots=True)
class MappedRows:
    """All rows of a source, to be read once, and what makes items of them.

    Attributes:
        columns: of the first rows, for messages.
    """

    shape: Shape
    map: RowMap
    columns: tuple[str, ...]
    rows: Iterator[Row]


def guess(rows: Sequence[Row], wanted: Shape | None = None) -> tuple[Shape, dict[str, Any]]:
    """The shape of the first rows and what it maps, as `RowMap` writes it; targets that no column fits are left out.

    Args:
        rows: a few, since a column may be absent in the first.
        wanted: a shape to read them as.

    Raises:
        InputError: the rows do not have the wanted shape.
    """
    first = rows[0]
    columns = list(dict.fromkeys(column for row in rows for column in row.values))
    if wanted in (None, "alpaca") and {"instruction", "output"} <= set(columns):
        return "alpaca", _alpaca(rows, columns)
    for column in _TURNS:
        if column in columns and (shape := _turns_shape(rows, column)) and wanted in (None, shape):
            return shape, _conversation(rows, columns, column)
    if wanted in (None, "columns"):
        return "columns", _columns(columns)
    raise InputError(
        f"does not hold {wanted} rows (its columns are {', '.join(map(str, columns[:12]))})",
        where=str(first.file),
        remedy="Leave --format out, or name the columns with --map.",
    )


def map_rows(rows: Iterator[Row], given: Mapping[str, Any] | RowMap, *, where: str, format: str = "auto") -> MappedRows:
    """Rows with the mapping that makes items of them: what was given, and what it leaves open as guessed.

    Args:
        where: what the rows come from, for messages.
        format: "auto", or the shape to read them as.

    Raises:
        InputError: there is no row or no such format, question or answer stay open, or a given column is in none of
            the first rows.
    """
    if format != "auto" and format not in SHAPES:
        raise InputError(f"unknown format {format!r}", where="format", remedy=did_you_mean(format, SHAPES))
    wanted: Shape | None = next((shape for shape in SHAPES if shape == format), None)
    first = list(islice(rows, _LOOKED_AT))
    if not first:
        raise InputError("holds no rows", where=where)
    shape, mapping = (wanted or "columns", given) if isinstance(given, RowMap) else _complete(given, first, wanted)
    columns = dict.fromkeys(str(column) for row in first for column in row.values)
    return MappedRows(shape, mapping, tuple(columns), chain(first, rows))


def _complete(given: Mapping[str, Any], rows: Sequence[Row], wanted: Shape | None) -> tuple[Shape, RowMap]:
    try:
        alone = RowMap.model_validate(given) if given else None
    except ValidationError:
        alone = None
    if alone is not None:
        return guess(rows, wanted)[0] if wanted else "columns", alone
    shape, guessed = guess(rows, wanted)
    if "question" in given:
        guessed.pop("messages", None)
    if "messages" in given:
        guessed.pop("question", None)
    try:
        return shape, RowMap.model_validate({**guessed, **given})
    except ValidationError as error:
        columns = ", ".join(map(str, dict.fromkeys(column for row in rows for column in row.values)))
        raise InputError(
            f"cannot tell which columns make an item: {explain(error, RowMap)}",
            where=str(rows[0].file),
            remedy=f"Say it with --map question=COLUMN,answer=COLUMN. Its columns: {columns[:300]}.",
        ) from None


def _alpaca(rows: Sequence[Row], columns: Sequence[str]) -> dict[str, Any]:
    if any(row.values.get("history") for row in rows):
        raise InputError(
            "has rows with earlier turns in 'history', which Alpaca's question does not hold",
            where=str(rows[0].file),
            remedy="Convert them to messages.",
        )
    asked = ["instruction", "input"] if "input" in columns else ["instruction"]
    return {"question": asked, "answer": "output", **_besides(columns)}


def _turns_shape(rows: Sequence[Row], column: str) -> Shape | None:
    for row in rows:
        turns = row.values.get(column)
        if isinstance(turns, list | tuple) and turns and isinstance(turns[0], Mapping):
            return "sharegpt" if "from" in turns[0] else "messages" if "role" in turns[0] else None
    return None


def _conversation(rows: Sequence[Row], columns: Sequence[str], column: str) -> dict[str, Any]:
    found: dict[str, Any] = {"messages": column, **_besides(columns)}
    chosen = next((row.values["chosen"] for row in rows if row.values.get("chosen")), None)
    if isinstance(chosen, Mapping):  # preference pairs: the better answer
        found["answer"] = "chosen.value" if "value" in chosen else "chosen.content"
    elif "answer" in columns and any(as_text(row.values.get("answer")) for row in rows):
        found["answer"] = "answer"
    return found


def _columns(columns: Sequence[str]) -> dict[str, Any]:
    found = _besides(columns)
    for target, names in (("question", _QUESTION), ("answer", _ANSWER)):
        if column := _named(columns, names):
            found[target] = column
    if {"A", "B"} <= set(columns):
        found["choices"] = [letter for letter in "ABCDEFGHIJ" if letter in columns]
    if "fields" in columns and "stem" in columns:  # pictures with their fields beside them
        found.pop("answer", None)
        found["fields"] = "fields"
    return found


def _besides(columns: Sequence[str]) -> dict[str, Any]:
    """What any shape may carry."""
    found: dict[str, Any] = {}
    if column := _named(columns, _IMAGES):
        found["images"] = column
    if "system" in columns:
        found["system"] = "system"
    if "id" in columns:
        found["id"] = "id"
    return found


def _named(columns: Sequence[str], names: Sequence[str]) -> str | None:
    by_name = {str(column).strip().casefold(): column for column in columns}
    return next((by_name[name] for name in names if name in by_name), None)
