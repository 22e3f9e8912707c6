"""Files far larger than memory should be, and empty ones: refused at once, by name, and nothing is left behind."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.gold.importers.encoding import find_encoding
from tests.gold.importers.commands import run
from tests.gold.importers.test_formats import dump, picture

FIVE_GB = 5 << 30
MIB = 1 << 20
ROW = b'{"question": "a", "answer": "b"}'


def sparse(path: Path, head: bytes = b"") -> Path:
    """5 GB that take no room on the disk: zeros after `head`."""
    with path.open("wb") as file:
        file.write(head)
        file.truncate(FIVE_GB)
    return path


@pytest.fixture
def refused(tmp_path: Path) -> Iterator[Callable[..., list[str]]]:
    """What each import says, in one process that stays small; nothing may have been written."""
    (tmp_path / "sets").mkdir()

    def imports(*paths: Path, peak: float, options: tuple[str, ...] = ()) -> list[str]:
        commands = [["goldset", "import", str(path), "--as", "huge", "--into", "sets", *options] for path in paths]
        done = run(commands, tmp_path)
        for each in done:
            assert each.code == 2, each
            assert each.err.startswith("error: ")
            assert each.err.count("\n") == 1
            assert list((tmp_path / "sets").iterdir()) == []
        assert done[-1].peak < peak, [(each.err, each.peak) for each in done]
        slow = [each for each in done if each.seconds > 10]  # seconds would do; gigabytes take minutes
        assert not slow
        return [each.err.removeprefix("error: ").rstrip() for each in done]

    yield imports
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.stat().st_size > MIB:
            path.unlink()


def test_five_gigabytes_of_nothing(tmp_path: Path, refused: Callable[..., list[str]]) -> None:
    heads = {
        "zeros.csv": b"",
        "zeros.json": b"",
        "zeros.jsonl": b"",
        "zeros.parquet": b"",
        "zeros.xlsx": b"",
        "zeros.jpg": b"",
        "rows.csv": b"question,answer\na,b\n",
        "quote.csv": 'question,answer\n高血压,"可以'.encode("gb18030"),
        "far.csv": b"question,answer\n" + b"a,b\n" * MIB,
        "list.json": b"[" + ROW + b",",
        "text.json": b'[{"question": "',
        "rows.jsonl": ROW + b"\n",
        "magic.parquet": b"PAR1",
        "magic.xlsx": b"PK\x03\x04",
    }
    said = refused(*(sparse(tmp_path / name, head) for name, head in heads.items()), peak=300)
    for name, error in zip(heads, said, strict=True):
        assert error.startswith(str(tmp_path / name)), error
    errors = dict(zip(heads, said, strict=True))
    nul = "holds NUL characters: it is damaged, or no text. Copy it again."
    assert errors["zeros.csv"] == f"{tmp_path}/zeros.csv:1: {nul}"
    assert errors["rows.csv"] == f"{tmp_path}/rows.csv:3: {nul}"
    assert errors["quote.csv"] == f"{tmp_path}/quote.csv:2: {nul}"
    assert errors["far.csv"] == f"{tmp_path}/far.csv:{MIB + 2}: {nul}"
    assert errors["rows.jsonl"] == f"{tmp_path}/rows.jsonl:2: {nul}"
    assert "is not a whole Parquet file" in errors["magic.parquet"]
    assert "is not a whole Excel file" in errors["magic.xlsx"]


def test_one_line_that_does_not_end(tmp_path: Path, refused: Callable[..., list[str]]) -> None:
    """None of these is zeros: each is read only up to a bound."""
    endless = {
        "cell.csv": (b"question,answer\na,b\n", b"x"),
        "cells.csv": (b"question,answer\na,b\n", b"x,"),
        "quote.csv": (b'question,answer\na,b\nc,"', b"x\n"),
        "gbk.csv": (b"question,answer\n", "高血压".encode("gb18030")),
        "text.json": (b'[{"question": "', b"x"),
        "line.jsonl": (ROW + b'\n{"question": "', b"x"),
        "first.jsonl": (b'{"question": "', b"x"),
    }
    for name, (head, again) in endless.items():
        (tmp_path / name).write_bytes(head + again * (100 * MIB // len(again)))
    said = dict(zip(endless, refused(*(tmp_path / name for name in endless), peak=400), strict=True))
    assert said["cell.csv"].startswith(f"{tmp_path}/cell.csv, row 2 (line 3): the line goes on for more than")
    assert said["cells.csv"].startswith(f"{tmp_path}/cells.csv, row 2 (line 3): the line goes on for more than")
    assert said["quote.csv"].startswith(f"{tmp_path}/quote.csv, row 2 (line 3): a cell is longer than 16 MiB")
    assert said["gbk.csv"].startswith(f"{tmp_path}/gbk.csv:2: has a line that goes on for 4 MiB")
    assert said["text.json"].startswith(f"{tmp_path}/text.json: holds a text of more than 16 MiB")
    assert said["line.jsonl"].startswith(f"{tmp_path}/line.jsonl:2: the line goes on for more than")
    assert said["first.jsonl"].startswith(f"{tmp_path}/first.jsonl:1: the line goes on for more than")


def test_pictures(tmp_path: Path, refused: Callable[..., list[str]]) -> None:
    """A whole picture with gigabytes behind it would be decoded, and copied."""
    whole = picture(tmp_path / "receipts" / "1.jpg").read_bytes()
    dump(tmp_path / "receipts" / "1.json", {"total": "9.00"})
    for folder, image, fields in (("tail", whole, None), ("zeros", b"", None), ("fields", None, b'{"total": "')):
        (tmp_path / folder).mkdir()
        for name, head, small in (("1.jpg", image, whole), ("1.json", fields, b'{"total": "9.00"}')):
            if head is None:
                (tmp_path / folder / name).write_bytes(small)
            else:
                sparse(tmp_path / folder / name, head)
    rows = dump(tmp_path / "qa.json", [{"question": "a", "answer": "b", "image": "tail/1.jpg"}])
    (named,) = refused(rows, peak=300)
    folders = (tmp_path / name for name in ("tail", "zeros", "fields"))
    tail, zeros, fields_ = refused(*folders, peak=300, options=("--map", "question=text:Read it."))
    assert "the image '1.jpg' has 5,120 MiB, more than 512" in tail
    assert "the image '1.jpg' has 5,120 MiB, more than 512" in zeros
    assert f"{tmp_path}/fields/1.json: has 5,120 MiB" in fields_
    assert named.startswith(f"{rows}, row 1, column 'image': the image 'tail/1.jpg' has 5,120 MiB")


def test_a_workbook_that_unpacks_to_gigabytes(tmp_path: Path, refused: Callable[..., list[str]]) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/sharedStrings.xml", "w") as out:
        for _ in range(300):
            out.write(b" " * MIB)
    (error,) = refused(path, peak=300)
    assert error == f"{path}: holds 300 MiB of text, more than 256. Save it as CSV (UTF-8)."


def test_empty_files(tmp_path: Path, refused: Callable[..., list[str]]) -> None:
    paths = [tmp_path / f"empty{end}" for end in (".csv", ".tsv", ".json", ".jsonl", ".xlsx", ".parquet", ".jpg")]
    for path in paths:
        path.write_bytes(b"")
    (tmp_path / "pair").mkdir()
    for name in ("1.jpg", "1.json"):
        (tmp_path / "pair" / name).write_bytes(b"")
    *files, pair = refused(*paths, tmp_path / "pair", peak=300)
    assert files == [f"{path}: is empty (0 bytes)." for path in paths]
    assert pair == f"{tmp_path / 'pair' / '1.json'}: is empty (0 bytes)."


def test_a_nul_is_named_where_it_stands(tmp_path: Path) -> None:
    """Damage in the middle of a text does not make it UTF-16, and UTF-16 without a mark is still found."""
    from harness.errors import InputError

    text = "问题,答案\n" + "高血压能吃党参吗,可以\n" * 20
    for encoding in ("utf-8", "gb18030"):
        path = tmp_path / f"{encoding}.csv"
        data = text.encode(encoding)
        path.write_bytes(data[: len(data) // 2] + b"\0" + data[len(data) // 2 :])
        with pytest.raises(InputError, match=rf"{encoding}\.csv:1\d: holds NUL characters"):
            find_encoding(path)
    for encoding in ("utf-16-le", "utf-16-be"):
        path.write_bytes(text.encode(encoding))
        assert find_encoding(path) == encoding
    path.write_text(json.dumps([{"question": "a", "answer": "b"}]), encoding="utf-16-be")
    assert find_encoding(path) == "utf-16-be"
