"""CSV and TSV."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from harness.errors import InputError
from harness.gold.importers.encoding import find_encoding
from harness.gold.importers.reading import Opened
from harness.gold.rows import Row

#: A longer cell is taken for a quote that nobody closed. (The csv module's own limit is 128 KiB: short for an article.)
_LONGEST = 1 << 24
_LONGEST_LINE = 1 << 26
_DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}


def open_table(path: Path, *, encoding: str | None = None) -> Opened:
    """A table with a header line; quotes and line breaks inside cells as the csv module reads them."""
    found = find_encoding(path, encoding)
    delimiter = _delimiter(path, found)
    kind = f"{'TSV' if delimiter == chr(9) else 'CSV'}, {_DELIMITERS[delimiter]} between columns"
    return Opened(_rows(path, found, delimiter), kind, found)


def _delimiter(path: Path, encoding: str) -> str:
    """The one that the header holds most of; a header of one column has none."""
    with path.open(encoding=encoding, newline="") as file:
        header = file.readline(1 << 16)
    if path.suffix.lower() == ".tsv" and "\t" in header:
        return "\t"
    quoted = header.split('"')[::2]  # what stands outside quotes
    counts = {mark: sum(part.count(mark) for part in quoted) for mark in _DELIMITERS}
    return max(counts, key=lambda mark: counts[mark])


class _Lines:
    """The lines of a file, and whether they came to their end; a file that is one endless line is not read whole."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(_LONGEST_LINE)
        if not line:
            self.ended = True
            raise StopIteration
        if len(line) == _LONGEST_LINE:
            raise csv.Error(f"the line goes on for more than {_LONGEST_LINE >> 20} million characters")
        return line


def _rows(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    # The limit is the process's own; it is only ever raised, so that nobody else's reading gets stricter.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))
    with path.open(encoding=encoding, newline="") as file:
        lines = _Lines(file)
        reader = csv.reader(lines, delimiter=delimiter)
        header: list[str] | None = None
        number = 0
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                raise _broken(path, number, line, error) from None
            if lines.ended:  # the last record asked for one more line: it stands inside quotes
                raise InputError(
                    "a quote that opens here is never closed",
                    where=f"{path}, row {number + 1} (line {line})",
                    remedy='A quote inside a quoted cell is written "".',
                )
            if not cells:
                continue
            if header is None:
                header = _header(path, cells)
                continue
            number += 1
            if len(cells) != len(header):
                cells = _fitted(path, header, cells, number, line)
            yield Row(dict(zip(header, cells, strict=True)), path, number, line, fixed=True)
    if header is None:
        raise InputError("holds no header", where=str(path))


def _header(path: Path, cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        places = [str(position) for position, name in enumerate(names, start=1) if name == twice[0]]
        what = f"are both called {twice[0]!r}" if twice[0] else "have no name"
        raise InputError(
            f"columns {' and '.join(places[:4])} {what}",
            where=f"{path}:1",
            remedy="Give each column a name of its own.",
        )
    return names


def _fitted(path: Path, header: list[str], cells: list[str], number: int, line: int) -> list[str]:
    """The row without empty cells beyond the header, which spreadsheets write."""
    if len(cells) > len(header) and not any(cell.strip() for cell in cells[len(header) :]):
        return cells[: len(header)]
    raise InputError(
        f"has {len(cells)} cells, the header has {len(header)}",
        where=f"{path}, row {number} (line {line})",
        remedy="A cell that holds the delimiter has to stand in quotes.",
    )


def _broken(path: Path, number: int, line: int, error: csv.Error) -> InputError:
    if "field larger" in str(error):
        what = f"a cell is longer than {_LONGEST >> 20} MiB"
        remedy = "Look for a quote that opens here and is never closed."
    else:
        what, remedy = str(error), "Look at the quotes and line ends here."
    return InputError(what, where=f"{path}, row {number + 1} (line {line})", remedy=remedy)
