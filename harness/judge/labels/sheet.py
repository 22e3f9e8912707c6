"""The sheet that people fill in: JSON lines or Excel, one row an answer or a pair, without a name on it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import InputError
from harness.judge.labels.drawing import Draw
from harness.judge.pairs import Pair, Pairs, asked_text, gold_text
from harness.judge.rubrics import Rubric

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

ROW, NOTE = "row", "note"
SUFFIXES = (".xlsx", ".jsonl")

#: Characters in a cell, by Excel's own limit.
_CELL = 32_767
#: What XML cannot hold.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True)
class Sheet:
    """What stands in it before anybody has written.

    Attributes:
        columns: what is read; the columns to be filled in follow.
        fill: the columns to be filled in.
        rows: a text for each of `columns`.
        how: what to do, line by line.
        labels: what may be written.
        criteria: the rubric's, line by line; they stand in `how` too.
    """

    columns: tuple[str, ...]
    fill: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    how: tuple[str, ...]
    labels: tuple[str, ...]
    criteria: tuple[str, ...] = ()


def sheet_of(draw: Draw, pairs: Pairs, rubric: Rubric | None, language: str) -> Sheet:
    """The sheet of a draw."""
    known = {(pair.task, pair.item.id): pair for pair in pairs.pairs}
    shown = [known[row.task, row.item_id] for row in draw.rows]
    notes = draw.mode == "rubric" and any(pair.item.rubric for pair in shown)
    answers = ("answer_a", "answer_b") if draw.mode == "pairwise" else ("answer",)
    columns = (
        ROW,
        "question",
        *(("look_for",) if notes else ()),
        *(("reference",) if draw.reference else ()),
        *answers,
    )
    rows = []
    for position, (row, pair) in enumerate(zip(draw.rows, shown, strict=True)):
        texts = [draw.row_name(position), asked_text(pair.item)]
        if notes:
            texts.append(pair.item.rubric or "")
        if draw.reference:
            texts.append(gold_text(pair.item) or "")
        rows.append((*texts, *_answers(pair, row.shown, pairwise=draw.mode == "pairwise")))
    criteria = _criteria(rubric, language)
    return Sheet(columns, draw.measures, tuple(rows), _how(draw, criteria, language), draw.labels, criteria)


def write_sheet(sheet: Sheet, path: Path) -> bytes:
    """The file's content, in the form that its name asks for.

    Raises:
        InputError: another ending, or a text that no cell of Excel can hold.
    """
    if path.suffix.lower() == ".jsonl":
        return _jsonl(sheet)
    if path.suffix.lower() == ".xlsx":
        return _xlsx(sheet, path)
    raise InputError("is neither .xlsx nor .jsonl", where=str(path), remedy="End the file's name in one of them.")


def _answers(pair: Pair, shown: str, *, pairwise: bool) -> tuple[str, ...]:
    first, second = (pair.candidate, pair.base) if shown == "candidate" else (pair.base, pair.candidate)
    return (first, second) if pairwise else (first,)


def _jsonl(sheet: Sheet) -> bytes:
    lines = [
        json.dumps(
            dict(zip(sheet.columns, row, strict=True)) | dict.fromkeys((*sheet.fill, NOTE), ""), ensure_ascii=False
        )
        for row in sheet.rows
    ]
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _xlsx(sheet: Sheet, path: Path) -> bytes:
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    page: Worksheet = book.active
    page.title = "labels"
    heads = (*sheet.columns, *sheet.fill, NOTE)
    for column, head in enumerate(heads, 1):
        page.cell(1, column, head).font = Font(bold=True)
        wide = head not in (ROW, *sheet.fill)
        page.column_dimensions[get_column_letter(column)].width = 48 if wide else 18
    for number, row in enumerate(sheet.rows, 2):
        for column, text in enumerate(row, 1):
            _write_text(page, number, column, text, path)
            page.cell(number, column).alignment = Alignment(wrap_text=True, vertical="top")
    page.freeze_panes = "B2"
    choice = DataValidation(type="list", formula1=f'"{",".join(sheet.labels)}"', allow_blank=True)
    page.add_data_validation(choice)
    for offset in range(len(sheet.fill)):
        letter = get_column_letter(len(sheet.columns) + 1 + offset)
        choice.add(f"{letter}2:{letter}{len(sheet.rows) + 1}")
    told = book.create_sheet("how")
    told.column_dimensions["A"].width = 110
    for number, line in enumerate(sheet.how, 1):
        _write_text(told, number, 1, line, path)
        told.cell(number, 1).alignment = Alignment(wrap_text=True)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _write_text(page: Worksheet, row: int, column: int, text: str, path: Path) -> None:
    """A text stays one: an answer that begins with "=" is no formula."""
    clean = _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text).encode("utf-8", "replace").decode()
    if len(clean) > _CELL:
        raise InputError(
            f"an answer or question of {len(clean):,} characters does not fit a cell of Excel ({_CELL:,})",
            where=str(path),
            remedy="Write the sheet as .jsonl.",
        )
    cell = page.cell(row, column)
    cell.value, cell.data_type = clean, "s"
    cell.quotePrefix = True


_HOW: Mapping[str, Mapping[str, Sequence[str]]] = {
    "en": {
        "pairwise": (
            "Which answer is better? Write A, B or tie under 'preference' in every row.",
            "Correctness counts first, then whether an answer could do harm, then whether it answers the question. "
            "Neither order nor length is a merit.",
        ),
        "reference": (
            "Does the answer agree with the reference? Write correct, partly or wrong under 'grade' in every row.",
            "Correct: it says what the reference says, in whatever words. Partly: some of it is missing, or something "
            "wrong is added. Wrong: it contradicts the reference or does not answer.",
        ),
        "rubric": ("Score the answer on every criterion, from 1 to 5, in every row.",),
        "all": (
            "Do not look up who wrote what, and do not talk to the other annotators before you are done.",
            "Each annotator fills in a copy of this file of their own; its name is the annotator's.",
        ),
    },
    "zh": {
        "pairwise": (
            "哪个回答更好？每一行都在 preference 列写 A、B 或 tie（平局）。",
            "先看是否正确，再看是否可能造成伤害，最后看是否答其所问。先后顺序和长短都不是优点。",
        ),
        "reference": (
            "回答与标准答案一致吗？每一行都在 grade 列写 correct（正确）、partly（部分正确）或 wrong（错误）。",
            "正确：说出了标准答案的内容，用词不限。部分正确：缺了一部分，或另加了错误内容。错误：与标准答案矛盾，或没有回答。",
        ),
        "rubric": ("每一行都按每项标准打 1 到 5 分。",),
        "all": (
            "不要打听是谁写的；完成之前不要与其他标注者讨论。",
            "每位标注者填写自己的一份文件，文件名就是标注者的名字。",
        ),
    },
}


def _criteria(rubric: Rubric | None, language: str) -> tuple[str, ...]:
    lines: list[str] = []
    for one in rubric.criteria if rubric else ():
        lines.append(f"{one.name}: {one.asks.of(language)}")
        lines += [f"    {score}: {text.of(language)}" for score, text in one.anchors.items()]
    return tuple(lines)


def _how(draw: Draw, criteria: Sequence[str], language: str) -> tuple[str, ...]:
    said = _HOW["zh" if language == "zh" else "en"]
    return (*said[draw.mode], *criteria, *said["all"])
