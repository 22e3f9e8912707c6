"""Public data as it is published: what is read of it is counted here by other means."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

from harness.cli import main
from tests.gold.importers.conftest import Import


def toyhom(shared_data: Path) -> tuple[Path, list[dict[str, str]]]:
    (path,) = (shared_data / "toyhom").glob("*.csv")
    with path.open(encoding="gb18030", newline="") as file:
        return path, list(csv.DictReader(file))


def test_toyhom_reports_its_rows_its_duplicates_and_its_empty_questions(shared_data: Path, imported: Import) -> None:
    path, rows = toyhom(shared_data)
    wu = [n for n, row in enumerate(rows, start=1) if row["ask"].strip() == "无"]
    asked = [(row["ask"].strip(), row["answer"].strip()) for row in rows if row["ask"].strip() != "无"]
    report, items = imported(
        path, map={"question": "ask", "answer": "answer", "metadata": {"topic": "department"}}, licence="MIT"
    )
    assert report.rows == len(rows) == 3822
    (left,) = report.left_out
    assert (left.why, left.column, left.rows) == ("trivial question", "ask", len(wu)) == ("trivial question", "ask", 6)
    assert [int(place.split()[1]) for place in left.examples] == wu[:5]
    assert report.duplicates == len(asked) - len(set(asked)) == 199
    assert [(item.text, *item.answer) for item in items] == list(dict.fromkeys(asked))
    assert {item.metadata["topic"] for item in items} == {row["department"] for row in rows}
    assert report.warnings == ()


def test_toyhom_with_its_titles_keeps_the_rows_that_ask_nothing_else(shared_data: Path, imported: Import) -> None:
    path, rows = toyhom(shared_data)
    report, items = imported(path, map={"question": ["title", "ask"], "answer": "answer"})
    assert report.left_out == ()
    assert any("'ask' says nothing" in warning and "6 rows" in warning for warning in report.warnings)
    lone = next(row["title"].strip() for row in rows if row["ask"].strip() == "无")
    assert lone in {item.text for item in items}


def test_the_command_line_tells_the_same(shared_data: Path, tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    path, _ = toyhom(shared_data)
    arguments = ["goldset", "import", str(path), "--as", "toyhom", "--into", str(tmp_path), "--map"]
    assert main([*arguments, "question=ask,answer=answer,metadata.topic=department", "--licence", "MIT"]) == 0
    out = capsys.readouterr().out
    lines = {line.split("  ")[0]: line for line in out.splitlines()}
    assert "3,822" in lines["rows"]
    assert "199 rows" in lines["duplicates"]
    assert "6 rows in column 'ask'" in lines["trivial question"]
    assert "gb18030" in out
    assert main(["goldset", "check", str(tmp_path / "toyhom.jsonl")]) in (0, 1)


def test_the_book_of_toyhom_is_no_table(shared_data: Path, refused: Callable[..., str]) -> None:
    (path,) = (shared_data / "toyhom").glob("*.txt")
    assert "is no kind of file that is read here" in refused(path)


def test_cmmlu_folder(shared_data: Path, imported: Import) -> None:
    folder = shared_data / "cmmlu" / "test"
    rows = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows += [(path.stem, *map(str.strip, list(row.values())[1:])) for row in csv.DictReader(file)]
    given = {"question": "Question", "answer": "Answer", "choices": list("ABCD"), "metadata": {"topic": "@stem"}}
    report, items = imported(folder, map=given)
    assert len(report.files) == len(list(folder.glob("*.csv")))
    assert [(item.metadata["topic"], item.text, *(item.choices or ()), *item.answer) for item in items] == list(
        dict.fromkeys(rows)
    )
    guessed, same = imported(folder, replace=True)
    assert guessed.map.choices == tuple("ABCD")
    assert {(item.text, item.choices) for item in same} == {(item.text, item.choices) for item in items}


def test_the_reasoning_sets_and_mgsm(shared_data: Path, imported: Import) -> None:
    published = {
        "reasoning/aime24/test.jsonl": ("problem", 30),
        "reasoning/math500/test.jsonl": ("problem", 500),
        "gsm8k_zh/mgsm_zh.jsonl": (None, 250),
    }
    for name, (column, count) in published.items():
        path = shared_data / name
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        report, items = imported(path, replace=True)
        assert report.items == len(rows) == count
        assert [item.answer[0] for item in items] == [str(row["answer"]).strip() for row in rows]
        if column is not None:
            assert [item.text for item in items] == [row[column].strip() for row in rows]


def test_belle_and_the_alpaca_and_sharegpt_files_of_llamafactory(shared_data: Path, imported: Import) -> None:
    folder = shared_data / "alpaca"
    belle = [json.loads(line) for line in (folder / "belle/eval_set.json").read_text(encoding="utf-8").splitlines()]
    report, items = imported(folder / "belle/eval_set.json")
    assert report.left_out[0].rows == sum(not row["std_answer"].strip() for row in belle) == 369
    assert len(items) == 631

    seeds = {"question": ["instruction", "instances.0.input"], "answer": "instances.0.output", "id": "id"}
    for path in (folder / "belle/zh_seed_tasks.json", folder / "stanford/seed_tasks.jsonl"):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        report, _ = imported(path, map=seeds, replace=True)
        assert report.rows == len(rows) == 175

    alpaca = json.loads((folder / "llamafactory/alpaca_zh_demo.json").read_text(encoding="utf-8"))
    report, items = imported(folder / "llamafactory/alpaca_zh_demo.json", replace=True)
    said = {
        ("\n".join(filter(None, (row["instruction"].strip(), row["input"].strip()))), row["output"].strip())
        for row in alpaca
    }
    assert report.shape == "alpaca"
    assert len(said) == report.items == 992
    assert {(item.text, item.answer[0]) for item in items} == said

    dpo = json.loads((folder / "llamafactory/dpo_zh_demo.json").read_text(encoding="utf-8"))
    report, items = imported(folder / "llamafactory/dpo_zh_demo.json", replace=True)
    assert report.shape == "sharegpt"
    assert {item.answer[0] for item in items} == {row["chosen"]["value"].strip() for row in dpo}
    assert any("U+FFFD" in warning for warning in report.warnings)


def test_pictures_of_a_messages_file_come_along(shared_data: Path, imported: Import) -> None:
    path = shared_data / "alpaca/llamafactory/mllm_demo.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    report, items = imported(path)
    assert (report.shape, report.images) == ("messages", len({image for row in rows for image in row["images"]}))
    for row, item in zip(rows, items, strict=True):
        wanted = [(path.parent / image).read_bytes() for image in row["images"]]
        assert [image.path.read_bytes() for image in item.image_files] == wanted
        assert "<image>" not in "".join(message.content for message in item.messages or ()) + (item.question or "")


def test_receipts_are_pictures_with_their_fields_beside_them(shared_data: Path, imported: Import) -> None:
    folder = shared_data / "vision_receipts"
    given = {"question": {"text": "Read the receipt."}, "images": "image", "fields": "fields", "id": "stem"}
    report, items = imported(folder, map=given)
    assert report.images == report.items == len(list(folder.glob("*.jpg")))
    for item in items:
        assert item.fields == json.loads((folder / f"{item.id}.json").read_text(encoding="utf-8"))
        assert item.image_files[0].path.read_bytes() == (folder / f"{item.id}.jpg").read_bytes()


def test_odometer_photographs_without_a_reading_are_reported(shared_data: Path, imported: Import) -> None:
    path = shared_data / "vision_odometer" / "labels.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    given = {
        "question": {"text": "总里程是多少公里？"},
        "images": "image",
        "answer": "odometer_km",
        "metadata": {"difficulty": "confidence"},
    }
    report, items = imported(path, map=given)
    unread = [row["image"] for row in rows if not row["odometer_km"]]
    assert (report.left_out[0].why, report.left_out[0].rows) == ("missing answer", len(unread))
    assert len(items) == len(rows) - len(unread) > 0
    assert {item.answer[0] for item in items} == {row["odometer_km"] for row in rows} - {""}
