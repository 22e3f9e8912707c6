"""Broken input: the error names file, row and column, and nothing is written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from PIL import Image

from harness.cli import main
from tests.gold.importers.conftest import Import
from tests.gold.importers.test_formats import dump, picture, sheet

HEADER = ("id", "prompt", "image", "response")


def test_an_empty_file(tmp_path: Path, refused: Callable[..., str]) -> None:
    for name in ("qa.csv", "qa.xlsx", "qa.json", "qa.jsonl", "qa.parquet"):
        path = tmp_path / name
        path.write_bytes(b"")
        assert refused(path) == f"{path}: is empty (0 bytes)."
    assert "holds no" in refused(dump(tmp_path / "none.json", []))
    (tmp_path / "header.csv").write_text("question,answer\n", encoding="utf-8")
    assert refused(tmp_path / "header.csv") == f"{tmp_path / 'header.csv'}: holds no rows."
    (tmp_path / "nothing").mkdir()
    assert "holds no CSV, TSV, Excel, JSON, Parquet or Arrow file" in refused(tmp_path / "nothing")
    assert "does not exist" in refused(tmp_path / "absent.csv")


def test_the_empty_file_of_a_folder_is_named(tmp_path: Path, refused: Callable[..., str]) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.csv").write_text("question,answer\n多大？,三岁\n", encoding="utf-8")
    (folder / "b.csv").write_bytes(b"")
    assert refused(folder) == f"{folder / 'b.csv'}: is empty (0 bytes)."


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("question,answer\na,b\nc,d,e\n", ", row 2 (line 3)", "has 3 cells, the header has 2"),
        ('question,answer\na,b\n"c,d\ne,f\n', ", row 2 (line 3)", "a quote that opens here is never closed"),
        ("question,question\na,b\n", ":1", "columns 1 and 2 are both called 'question'"),
        ("a,,,answer\n1,2,3,4\n", ":1", "columns 2 and 3 have no name"),
    ],
)
def test_a_broken_table(tmp_path: Path, refused: Callable[..., str], text: str, where: str, says: str) -> None:
    path = tmp_path / "qa.csv"
    path.write_text(text, encoding="utf-8")
    error = refused(path)
    assert error.startswith(f"{path}{where}: ")
    assert says in error


@pytest.mark.parametrize(
    ("value", "where", "says"),
    [
        ('{"question": "a", "answer": "b"}\n{"question": "c", ', ":2", "is not valid JSON"),
        ('{"question": "a", "answer": "b"}\n["c"]\n', ", row 2", "is a list, not an object"),
        ('[{"question": "a", "answer": "b"}, 3]', ", row 2", "is a number, not an object"),
        ('[{"question": "a", "answer": "b"}, {"question": ', ", after row 1", "is not valid JSON"),
        (
            '[{"messages": [{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}]}]',
            ", row 1, column 'messages', turn 2",
            "the role 'tool'",
        ),
    ],
)
def test_broken_json(tmp_path: Path, refused: Callable[..., str], value: str, where: str, says: str) -> None:
    path = tmp_path / ("qa.jsonl" if value.startswith("{") else "qa.json")
    path.write_text(value, encoding="utf-8")
    error = refused(path)
    assert error.startswith(f"{path}{where}: ")
    assert says in error


def test_a_damaged_parquet_file(tmp_path: Path, refused: Callable[..., str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "data.parquet"
    pq.write_table(pa.Table.from_pylist([{"question": f"第{n}题是什么", "answer": str(n)} for n in range(500)]), path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert f"{path}: is not a whole Parquet file" in refused(path)


def test_a_damaged_arrow_file(tmp_path: Path, refused: Callable[..., str]) -> None:
    from datasets import Dataset

    Dataset.from_list([{"question": f"第{n}题是什么", "answer": str(n)} for n in range(500)]).save_to_disk(tmp_path)
    path = tmp_path / "data-00000-of-00001.arrow"
    path.write_bytes(path.read_bytes()[:900])
    assert "is no whole Arrow stream" in refused(path)


def test_merged_cells_and_headers_without_a_name(tmp_path: Path, refused: Callable[..., str]) -> None:
    path = tmp_path / "qa.xlsx"
    book = Workbook()
    active: Any = book.active
    active.title = "题库"
    for row in (HEADER, (1, "a", None, "b"), (2, None, None, "c")):
        active.append(row)
    active.merge_cells("B2:B3")
    book.save(path)
    error = refused(path)
    assert error.startswith(f"{path}, sheet '题库': the cells B2:B3 are merged")
    assert "Unmerge them" in error

    error = refused(sheet(path, ("id", None, "response"), (1, "a", "b")))
    assert error.startswith(f"{path}, cell B1: is empty in the header")
    error = refused(sheet(path, ("prompt", "response"), ("a", "b"), ("c", "d", "e")))
    assert error.startswith(f"{path}, cell C3: stands under no header")
    error = refused(sheet(path, ("prompt", "prompt", "response"), ("a", "b", "c")))
    assert error.startswith(f"{path}, cell B1: repeats the column name 'prompt' of A1")


def test_a_workbook_that_is_none(tmp_path: Path, refused: Callable[..., str]) -> None:
    path = sheet(tmp_path / "qa.xlsx", HEADER, (1, "a", None, "b"))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert f"{path}: is not a whole Excel file" in refused(path)
    path.write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 600)
    assert "is an old Excel file (.xls)" in refused(path)


def _course(tmp_path: Path, image: str) -> Path:
    picture(tmp_path / "data" / "images" / "good.png")
    return sheet(
        tmp_path / "data" / "train.xlsx",
        HEADER,
        (1, "总里程？", "images/good.png", "528915"),
        (2, "总里程？", image, "42737"),
    )


@pytest.mark.parametrize("image", ["../secret.png", "/etc/passwd", "images/../../secret.png", "C:\\..\\..\\secret.png"])
def test_a_picture_outside_the_folder_is_refused(tmp_path: Path, refused: Callable[..., str], image: str) -> None:
    picture(tmp_path / "secret.png")
    path = _course(tmp_path, image)
    error = refused(path)
    assert error.startswith(f"{path}, row 3, column 'image': the image path {image!r} leads out")


def test_a_link_to_a_picture_outside_is_refused(tmp_path: Path, refused: Callable[..., str]) -> None:
    picture(tmp_path / "secret.png")
    path = _course(tmp_path, "images/link.png")
    (path.parent / "images" / "link.png").symlink_to(tmp_path / "secret.png")
    assert "leads out" in refused(path)


def test_a_missing_a_truncated_and_a_huge_picture(tmp_path: Path, refused: Callable[..., str]) -> None:
    path = _course(tmp_path, "images/002.png")
    place = f"{path}, row 3, column 'image': "
    assert refused(path).startswith(f"{place}there is no image 'images/002.png'")
    target = path.parent / "images" / "002.png"
    whole = picture(target).read_bytes()
    target.write_bytes(whole[: len(whole) // 2])
    assert refused(path).startswith(f"{place}the image 'images/002.png' is damaged")
    target.write_bytes(b"")
    assert refused(path).startswith(f"{place}'images/002.png' is not an image")
    Image.new("1", (10_000, 10_000)).save(target)  # 100 megapixels in 12 KB
    assert refused(path).startswith(f"{place}the image 'images/002.png' has 10000x10000 pixels")


def test_what_is_mapped_has_to_be_there(tmp_path: Path, refused: Callable[..., str]) -> None:
    path = dump(tmp_path / "qa.json", [{"ask": "a", "reply": "b"}])
    error = refused(path, map={"question": "aks", "answer": "reply"})
    assert "'aks'" in error
    assert "Did you mean 'ask'?" in error
    error = refused(path)
    assert "Its columns: ask, reply." in error
    assert "--map question=COLUMN" in error


def test_a_map_that_says_nothing_an_item_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = dump(tmp_path / "qa.json", [{"ask": "a", "reply": "b"}])
    command = ["goldset", "import", str(path), "--as", "mine", "--into", str(tmp_path / "g"), "--map"]
    for given, says in (
        ("questoin=ask", "Did you mean 'question'?"),
        ("question", "question"),
        ("question=ask,question=reply", "given twice"),
        ("absent.yaml", "'absent.yaml' does not exist"),
    ):
        assert main([*command, given]) == 2
        assert says in capsys.readouterr().err
    assert not (tmp_path / "g").exists()


@pytest.mark.parametrize("name", ["", "../mine", "a/b", ".hidden", "a\nb", "a:b"])
def test_names_that_are_no_file_names(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    path = dump(tmp_path / "qa.json", [{"question": "a", "answer": "b"}])
    assert main(["goldset", "import", str(path), "--as", name, "--into", str(tmp_path / "g")]) == 2
    assert "cannot name a gold set" in capsys.readouterr().err


def test_an_id_may_not_stand_for_two_things(tmp_path: Path, refused: Callable[..., str]) -> None:
    path = dump(
        tmp_path / "qa.json", [{"id": 1, "question": "a", "answer": "b"}, {"id": 1, "question": "c", "answer": "d"}]
    )
    error = refused(path)
    assert error.startswith(f"{path}, row 2: the id '1' is taken")


def test_without_a_licence_it_is_said_that_none_is_known(tmp_path: Path, imported: Import) -> None:
    path = dump(tmp_path / "qa.json", [{"question": "a", "answer": "b"}])
    report, _ = imported(path)
    assert report.licence is None
    assert any("no licence is known" in warning for warning in report.warnings)
    report, _ = imported(path, licence="MIT", replace=True)
    assert report.warnings == ()


def test_a_disk_that_is_full_leaves_nothing(tmp_path: Path) -> None:
    rows = [{"question": f"第{n}个问题是什么", "answer": f"第{n}个答案"} for n in range(4000)]
    path = dump(tmp_path / "qa.json", rows)
    folder = tmp_path / "g"
    folder.mkdir()
    (folder / "other.jsonl").write_text("kept", encoding="utf-8")
    command = f'ulimit -f 64; exec "{sys.executable}" -m harness goldset import "{path}" --as mine --into "{folder}"'
    done = subprocess.run(
        ["bash", "-c", f"trap '' XFSZ; {command}"], capture_output=True, text=True, env=dict(os.environ), check=False
    )
    assert done.returncode == 2, done.stderr
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert [entry.name for entry in folder.iterdir()] == ["other.jsonl"]


def test_half_a_character_is_named(tmp_path: Path, refused: Callable[..., str]) -> None:
    rows = [{"question": "a", "answer": "b"}, {"question": "发烧\ude00", "answer": "b"}]
    lines, whole = tmp_path / "qa.jsonl", tmp_path / "qa.json"
    lines.write_text("\n".join(map(json.dumps, rows)), encoding="ascii")
    whole.write_text(json.dumps(rows), encoding="ascii")
    assert refused(lines).startswith(f"{lines}, row 2: holds half a character")
    assert refused(whole).startswith(f"{whole}")
    assert "holds half a character" in refused(whole)
