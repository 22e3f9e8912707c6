"""Excel (.xlsx), streamed: the first sheet that is not hidden, its first row the header."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import InputError
from harness.gold.importers.reading import Opened
from harness.gold.rows import Row

if TYPE_CHECKING:
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+\d+:[A-Z]+\d+)"')
_CHUNK = 1 << 20
#: Cells are streamed, but their texts stand in a table of their own, which openpyxl reads whole.
_MOST_TEXT = 1 << 28


def open_sheet(path: Path, *, encoding: str | None = None) -> Opened:
    """The rows of a workbook's first visible sheet; a row's number is the sheet's own. `encoding` means nothing here.

    Raises:
        InputError: it is damaged or protected, cells are merged, or a column has no name.
    """
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        _refuse_bomb(path)
        # data_only: what formulas came to when the file was saved, never the formulas themselves.
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise InputError(f"is not a whole Excel file ({' '.join(str(error).split())[:120]})", where=str(path)) from None
    visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if not visible:
        raise InputError("has no visible sheet", where=str(path))
    sheet: Any = visible[0]
    _refuse_merged(path, sheet)
    kind = f"Excel, sheet {sheet.title!r}" + (f", the first of {len(book.worksheets)}" if len(visible) > 1 else "")
    return Opened(_rows(path, book, sheet), kind)


def _refuse_bomb(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        size = max(
            (part.file_size for part in archive.infolist() if part.filename.endswith("sharedStrings.xml")), default=0
        )
    if size > _MOST_TEXT:
        what = f"holds {size >> 20:,} MiB of text, more than {_MOST_TEXT >> 20}"
        raise InputError(what, where=str(path), remedy="Save it as CSV (UTF-8).")


def _refuse_merged(path: Path, sheet: ReadOnlyWorksheet) -> None:
    """openpyxl does not read merged ranges when it streams; they stand behind the cells in the sheet's XML."""
    with zipfile.ZipFile(path) as archive, archive.open(sheet._worksheet_path.lstrip("/")) as xml:
        before = b""
        while chunk := xml.read(_CHUNK):
            if found := _MERGED.search(before + chunk):
                raise InputError(
                    f"the cells {found[1].decode()} are merged",
                    where=f"{path}, sheet {sheet.title!r}",
                    remedy="Unmerge them and write the value into each cell.",
                )
            before = chunk[-200:]


def _rows(path: Path, book: Any, sheet: ReadOnlyWorksheet) -> Iterator[Row]:
    header: list[str] = []
    try:
        sheet.reset_dimensions()  # some programs write a wrong size, and cells beyond it would be lost
        for number, cells in enumerate(sheet.iter_rows(), start=1):
            if all(_is_empty(cell.value) for cell in cells):
                continue
            if not header:
                header = _header(path, cells)
                continue
            yield Row(_values(path, header, cells, number), path, number, fixed=True)
    finally:
        book.close()
    if not header:
        raise InputError("is empty", where=f"{path}, sheet {sheet.title!r}")


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _header(path: Path, cells: tuple[Any, ...]) -> list[str]:
    names = ["" if cell.value is None else str(cell.value).strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    seen: dict[str, str] = {}
    for position, name in enumerate(names):
        place = _cell(position, cells[0].row if hasattr(cells[0], "row") else 1)
        if not name:
            raise InputError("is empty in the header", where=f"{path}, cell {place}", remedy="Give the column a name.")
        if name in seen:
            raise InputError(
                f"repeats the column name {name!r} of {seen[name]}",
                where=f"{path}, cell {place}",
                remedy="Give each column a name of its own.",
            )
        seen[name] = place
    return names


def _values(path: Path, header: list[str], cells: tuple[Any, ...], number: int) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(header)
    for position, cell in enumerate(cells):
        if _is_empty(cell.value):
            continue
        if position >= len(header):
            raise InputError(
                "stands under no header", where=f"{path}, cell {_cell(position, number)}", remedy="Name its column."
            )
        if cell.data_type == "e":
            raise InputError(
                f"holds the error {cell.value}",
                where=f"{path}, cell {_cell(position, number)}, column {header[position]!r}",
            )
        values[header[position]] = cell.value
    return values


def _cell(position: int, row: int) -> str:
    from openpyxl.utils import get_column_letter

    return f"{get_column_letter(position + 1)}{row}"
