"""Every kind of file that people bring, as small as can be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from PIL import Image

import harness
from harness.cli import main
from tests.gold.importers.conftest import Import

ASK, ANSWER = "退货几天内退款？", "7个工作日"


def picture(path: Path, colour: tuple[int, int, int] = (200, 30, 30)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 20), colour).save(path)
    return path


def sheet(path: Path, *rows: tuple[Any, ...]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def dump(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("list.json", [{"question": ASK, "answer": ANSWER}]),
        ("inside.json", {"version": 1, "data": [{"question": ASK, "answer": ANSWER}]}),
        ("one.jsonl", {"question": ASK, "answer": ANSWER}),
        ("prompts.json", [{"prompt": ASK, "response": ANSWER}]),
        ("chinese.json", [{"问题": ASK, "答案": ANSWER}]),
        ("alpaca.json", [{"instruction": ASK, "input": "", "output": ANSWER}]),
        ("no-input.json", [{"instruction": ASK, "output": ANSWER}]),
        ("sharegpt.json", [{"conversations": [{"from": "human", "value": ASK}, {"from": "gpt", "value": ANSWER}]}]),
        ("openai.json", [{"messages": [{"role": "user", "content": ASK}, {"role": "assistant", "content": ANSWER}]}]),
        (
            "parts.json",
            [
                {
                    "messages": [
                        {"role": "user", "content": [{"type": "text", "text": ASK}]},
                        {"role": "assistant", "content": ANSWER},
                    ]
                }
            ],
        ),
    ],
)
def test_what_columns_mean_is_found_without_a_map(tmp_path: Path, imported: Import, name: str, value: Any) -> None:
    _, items = imported(dump(tmp_path / name, value))
    assert [(item.text, item.answer) for item in items] == [(ASK, (ANSWER,))]


def test_alpaca_input_goes_below_its_instruction(tmp_path: Path, imported: Import) -> None:
    rows = [
        {"instruction": "翻译成英文", "input": "发烧", "output": "fever"},
        {"instruction": "列举水果", "input": "<noinput>", "output": "苹果"},
    ]
    report, items = imported(dump(tmp_path / "train.json", rows))
    assert report.shape == "alpaca"
    assert [item.text for item in items] == ["翻译成英文\n发烧", "列举水果"]


def test_several_turns_and_a_system_prompt_are_asked_and_the_last_reply_is_the_answer(
    tmp_path: Path, imported: Import
) -> None:
    turns = [("human", "我头痛"), ("gpt", "多久了？"), ("human", "三天"), ("gpt", "建议就诊。"), ("human", "谢谢")]
    row = {"system": "你是医生。", "conversations": [{"from": speaker, "value": text} for speaker, text in turns]}
    report, (item,) = imported(dump(tmp_path / "share.json", [row]))
    assert report.shape == "sharegpt"
    assert [(m.role, m.content) for m in item.messages or ()] == [
        ("system", "你是医生。"),
        ("user", "我头痛"),
        ("assistant", "多久了？"),
        ("user", "三天"),
    ]
    assert item.answer == ("建议就诊。",)


def test_a_folder_of_tables_is_one_set(tmp_path: Path, imported: Import) -> None:
    folder = tmp_path / "数据"
    for name, encoding in (("内科", "gbk"), ("外科", "utf-8-sig")):
        (folder / name).mkdir(parents=True)
        text = f"department,title,ask,answer\n{name},标题,{name}的病怎么治疗才好,请到{name}就诊。\n"
        (folder / name / "数据.csv").write_text(text, encoding=encoding)
    (folder / "说明.txt").write_text("not rows", encoding="utf-8")
    report, items = imported(folder, map={"question": "ask", "answer": "answer", "metadata": {"topic": "@folder"}})
    assert [(file.path, file.encoding) for file in report.files] == [
        ("内科/数据.csv", "gb18030"),
        ("外科/数据.csv", "utf-8-sig"),
    ]
    assert [item.metadata["topic"] for item in items] == ["内科", "外科"]


def test_tabs_quotes_and_line_breaks_in_cells(tmp_path: Path, imported: Import) -> None:
    path = tmp_path / "qa.tsv"
    path.write_text('question\tanswer\n"第一行\n第二行, ""引用"""\t好\r\n', encoding="utf-8")
    report, (item,) = imported(path)
    assert item.text == '第一行\n第二行, "引用"'
    assert report.files[0].kind == "TSV, tab between columns"


def test_excel_with_pictures_beside_it(tmp_path: Path, imported: Import) -> None:
    """The layout of a vision course: id, prompt, image, response."""
    picture(tmp_path / "images" / "001.png")
    picture(tmp_path / "images" / "002.png", (30, 200, 30))
    path = sheet(
        tmp_path / "train.xlsx",
        ("id", "prompt", "image", "response"),
        (1, "总里程是多少？", "images/001.png", "总里程：528,915公里"),
        (2, "总里程是多少？", "images\\002.png", 42737.0),
        (None, None, None, None),
    )
    report, items = imported(path)
    assert report.map.written() == {"id": "id", "question": "prompt", "answer": "response", "images": ["image"]}
    assert [(item.id, *item.answer) for item in items] == [("1", "总里程：528,915公里"), ("2", "42737")]
    assert [image.path.read_bytes() for item in items for image in item.image_files] == [
        (tmp_path / "images" / name).read_bytes() for name in ("001.png", "002.png")
    ]
    assert all(image.path.is_relative_to(tmp_path / "goldsets" / "mine") for i in items for image in i.image_files)


def test_formulas_come_in_as_what_they_came_to(tmp_path: Path, imported: Import) -> None:
    path = sheet(tmp_path / "qa.xlsx", ("question", "answer"), ("1+1等于几？", "=1+1"), ("2+2等于几？", "4"))
    report, items = imported(path)
    # openpyxl writes no cached values: a formula that was never calculated holds nothing.
    assert [(part.why, part.column, part.rows) for part in report.left_out] == [("missing answer", "answer", 1)]
    assert [item.text for item in items] == ["2+2等于几？"]


def test_parquet_with_pictures_inside(tmp_path: Path, imported: Import) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = picture(tmp_path / "x.png").read_bytes()
    rows = [{"question": "颜色？", "answer": "红", "image": {"bytes": data, "path": "x.png"}}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "data.parquet")
    report, (item,) = imported(tmp_path / "data.parquet")
    assert report.images == 1
    assert item.image_files[0].path.read_bytes() == data


def test_what_datasets_saved_to_disk(tmp_path: Path, imported: Import) -> None:
    from datasets import Dataset

    saved = tmp_path / "saved"
    Dataset.from_list([{"question": ASK, "answer": ANSWER}]).save_to_disk(saved)
    (saved / "cache-0123.arrow").write_bytes((saved / "data-00000-of-00001.arrow").read_bytes())  # of a map() later on
    report, (item,) = imported(saved)
    assert (item.question, item.answer) == (ASK, (ANSWER,))
    assert report.items == 1


def test_what_to_map_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"q": ASK, "extra": "急", "a": ANSWER, "b": "一周", "kind": "退货", "A": "x"}]
    dump(tmp_path / "rows.json", rows)
    command = ["goldset", "import", str(tmp_path / "rows.json"), "--as", "mine", "--into", str(tmp_path / "g")]
    assert main([*command, "--map", "question=q+extra,answer=a+b", "--map", "metadata.topic=kind"]) == 0
    (item,) = harness.load_goldset(tmp_path / "g" / "mine.jsonl").items
    assert (item.text, item.answer, item.metadata["topic"]) == (f"{ASK}\n急", (ANSWER, "一周"), "退货")
    capsys.readouterr()

    (tmp_path / "map.yaml").write_text("question: {text: '请回答：{q}'}\nanswer: b\n", encoding="utf-8")
    assert main([*command, "--replace", "--map", str(tmp_path / "map.yaml"), "--json", "-"]) == 0
    printed = json.loads(capsys.readouterr().out)
    (item,) = harness.load_goldset(tmp_path / "g" / "mine.jsonl").items
    assert (item.text, item.answer) == (f"请回答：{ASK}", ("一周",))
    assert (printed["schema"], printed["items"], printed["rows"]) == (1, 1, 1)


def test_from_python(tmp_path: Path) -> None:
    dump(tmp_path / "rows.json", [{"question": ASK, "answer": ANSWER}])
    report = harness.import_goldset(tmp_path / "rows.json", "mine", folder=tmp_path / "g", licence="CC0-1.0")
    assert (report.items, report.licence, report.warnings) == (1, "CC0-1.0", ())
    assert harness.load_goldset(report.goldset).digest == report.digest


def test_the_card_says_where_the_set_came_from_and_how_to_make_it_again(tmp_path: Path) -> None:
    from harness.gold.card import Card
    from harness.validation import read_yaml

    source = dump(tmp_path / "rows.json", [{"q": ASK, "a": ANSWER}])
    given = {"question": "q", "answer": "a"}
    report = harness.import_goldset(source, "mine", folder=tmp_path / "g", map=given)
    card = read_yaml(Path(report.card), Card)
    assert card.origin is not None
    assert (card.origin.source, card.origin.rows) == (str(source), 1)
    again = harness.import_goldset(source, "again", folder=tmp_path / "g", map=card.origin.map)
    assert again.digest == report.digest
    source.write_text(source.read_text(encoding="utf-8") + " ", encoding="utf-8")
    other = read_yaml(Path(harness.import_goldset(source, "other", folder=tmp_path / "g", map=given).card), Card)
    assert other.origin is not None
    assert other.origin.digest != card.origin.digest


def test_a_set_of_that_name_stays_unless_it_may_be_replaced(tmp_path: Path) -> None:
    from harness.errors import InputError

    first = dump(tmp_path / "1.json", [{"question": ASK, "answer": ANSWER}])
    second = dump(tmp_path / "2.json", [{"question": ASK, "answer": "三天"}])
    report = harness.import_goldset(first, "mine", folder=tmp_path / "g")
    with pytest.raises(InputError, match="exists already"):
        harness.import_goldset(second, "mine", folder=tmp_path / "g")
    assert harness.load_goldset(report.goldset).digest == report.digest
    broken = tmp_path / "3.jsonl"
    broken.write_text('{"question": "a", "answer": "b"}\n{"question"', encoding="utf-8")
    with pytest.raises(InputError, match=r"3\.jsonl:2"):
        harness.import_goldset(broken, "mine", folder=tmp_path / "g", replace=True)
    assert harness.load_goldset(report.goldset).digest == report.digest
    replaced = harness.import_goldset(second, "mine", folder=tmp_path / "g", replace=True)
    assert harness.load_goldset(report.goldset).digest == replaced.digest != report.digest
    assert sorted(path.name for path in (tmp_path / "g").iterdir()) == ["mine.jsonl", "mine.yaml"]
