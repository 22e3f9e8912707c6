"""Cards of sets that are not stored here: they read the published files, counted and compared by hand."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from harness.gold.card import Card
from harness.gold.goldset import GoldSet, list_goldsets, load_goldset
from harness.gold.item import Item
from harness.suites.spec import load_suite
from harness.validation import read_yaml

FOLDER = Path(__file__).parents[2] / "goldsets"
ELSEWHERE = ("aime24", "cmmlu", "gpqa", "gsm8k", "math500", "mgsm-zh", "odometer-photos", "receipt")


def copy_of(name: str, path: Path) -> GoldSet:
    return load_goldset(name, overrides={name: str(path)})


def test_the_sets_are_listed() -> None:
    assert set(ELSEWHERE) <= set(list_goldsets())


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_card_without_items_says_whose_they_are_and_how_to_get_them(name: str) -> None:
    card = read_yaml(FOLDER / f"{name}.yaml", Card)
    assert card.name == name
    assert card.licence
    assert f"--goldset {name}=" in " ".join(card.notes.split())
    assert card.digest is None


@pytest.mark.parametrize("name", ["aime24", "gpqa", "math500"])
def test_a_hub_source_is_pinned_to_a_commit_and_says_how_sure_that_is(name: str) -> None:
    card = read_yaml(FOLDER / f"{name}.yaml", Card)
    assert card.source is not None
    assert re.fullmatch(r"[0-9a-f]{40}", card.source.revision or "")
    assert "was not downloaded" in " ".join(card.notes.split())


def test_aime24(shared_data: Path) -> None:
    found = copy_of("aime24", shared_data / "reasoning" / "aime24" / "test.jsonl")
    assert len(found.items) == 30
    assert found.warnings == ()
    first, last = found.items[0], found.items[-1]
    assert (first.id, first.answer) == ("aime24-60", ("204",))
    assert first.text.startswith("Every morning Aya goes for a $9$-kilometer-long walk")
    assert (last.id, last.answer) == ("aime24-89", ("902",))
    assert "2024_AIME_I_Problems" in first.metadata["url"]
    assert found.by_id["aime24-67"].answer == ("025",)
    assert {item.language for item in found.items} == {"en"}


def test_math500(shared_data: Path) -> None:
    found = copy_of("math500", shared_data / "reasoning" / "math500" / "test.jsonl")
    assert len(found.items) == 500
    assert found.warnings == ()
    first, last = found.items[0], found.items[-1]
    assert first.id == "test/precalculus/807.json"
    assert first.answer == (r"\left( 3, \frac{\pi}{2} \right)",)
    assert (first.metadata["topic"], first.metadata["difficulty"]) == ("Precalculus", 2)
    assert (last.id, last.answer) == ("test/geometry/615.json", (r"106^\circ",))
    assert Counter(item.metadata["difficulty"] for item in found.items) == {1: 43, 2: 90, 3: 105, 4: 128, 5: 134}


def test_mgsm_zh(shared_data: Path) -> None:
    found = copy_of("mgsm-zh", shared_data / "gsm8k_zh" / "mgsm_zh.jsonl")
    assert len(found.items) == 250
    assert found.warnings == ()
    first, last = found.items[0], found.items[-1]
    assert (first.id, first.answer, first.messages) == ("mgsm-zh-0", ("18",), None)
    assert first.text.startswith("珍妮特的鸭子每天下 16 颗蛋")
    assert (last.id, last.answer) == ("mgsm-zh-249", ("5,600",))
    assert {item.language for item in found.items} == {"zh"}


def test_cmmlu_folder(shared_data: Path) -> None:
    folder = shared_data / "cmmlu" / "test"
    found = copy_of("cmmlu", folder)
    rows = {path.stem: len(_rows(path)) for path in sorted(folder.glob("*.csv"))}
    assert sum(rows.values()) == 2946  # the rows that the data's own MANIFEST.md counts, summed
    by_topic = Counter(item.metadata["topic"] for item in found.items)
    assert set(by_topic) == set(rows)
    repeated = {topic: rows[topic] - count for topic, count in by_topic.items() if rows[topic] != count}
    assert repeated == _repeated(folder) == {"anatomy": 1}
    assert any("repeated" in warning for warning in found.warnings)
    medicine = [item for item in found.items if item.metadata["topic"] == "traditional_chinese_medicine"]
    first = medicine[0]
    assert first.text == "“泻南补北”法适用于"
    assert first.choices == ("肾阴虚而肝阳亢", "肾阴虚而相火动", "心阴虚而心阳亢", "肾阴虚而心火旺")
    assert first.answer == ("D",)
    assert {item.answer[0] for item in found.items} == set("ABCD")


def test_one_subject_of_cmmlu(shared_data: Path) -> None:
    found = copy_of("cmmlu", shared_data / "cmmlu" / "test" / "traditional_chinese_medicine.csv")
    assert len(found.items) == 185
    assert found.warnings == ()
    assert {item.metadata["topic"] for item in found.items} == {"traditional_chinese_medicine"}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _repeated(folder: Path) -> dict[str, int]:
    """Rows that a subject holds twice, word for word."""
    found = {}
    for path in folder.glob("*.csv"):
        rows = [tuple(value.strip() for key, value in row.items() if key) for row in _rows(path)]
        if len(rows) != len(set(rows)):
            found[path.stem] = len(rows) - len(set(rows))
    return found


COLUMNS = (
    "Record ID",
    "Question",
    "Correct Answer",
    "Incorrect Answer 1",
    "Incorrect Answer 2",
    "Incorrect Answer 3",
    "High-level domain",
    "Subdomain",
)
MADE_UP = (
    ("rec1", "Which gas do plants take in?", "Carbon dioxide", "Neon", "Argon", "Helium", "Biology", "Botany"),
    ("rec2", "Which force holds a planet in its orbit?", "Gravity", "Friction", "Lift", "Drag", "Physics", "Astronomy"),
    ("rec3", "What is the charge of an electron?", "Negative", "Positive", "None", "Variable", "Physics", "Particles"),
    ("rec4", "Which acid is in vinegar?", "Acetic acid", "Nitric acid", "Boric acid", "Lactic acid", "Chemistry", "-"),
)


def test_gpqa_reads_the_published_columns(tmp_path: Path) -> None:
    """No real item is shown here: the authors ask for that. The columns are those of gpqa_diamond.csv."""
    path = tmp_path / "gpqa_diamond.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *MADE_UP])
    items = {item.id: item for item in copy_of("gpqa", path).items}
    assert set(items) == {"rec1", "rec2", "rec3", "rec4"}
    for row in MADE_UP:
        item = items[row[0]]
        assert item.choices is not None
        assert sorted(item.choices) == sorted(row[2:6])
        assert _right(item) == row[2]
        assert item.metadata["topic"] == row[6]
    assert len({item.answer for item in items.values()}) > 1, "the right option must not always have the same letter"


def test_gpqa_is_shuffled_the_same_wherever_a_row_stands(tmp_path: Path) -> None:
    orders = []
    for number, rows in enumerate((MADE_UP, MADE_UP[::-1])):
        path = tmp_path / f"{number}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *rows])
        orders.append({item.id: item.choices for item in copy_of("gpqa", path).items})
    assert orders[0] == orders[1]


def _right(item: Item) -> str:
    assert item.choices is not None
    return item.choices["ABCD".index(item.answer[0])]


def test_receipts_are_read_from_a_folder_of_scans_with_their_fields(shared_data: Path) -> None:
    folder = shared_data / "vision_receipts"
    found = copy_of("receipt", folder)
    assert [item.id for item in found.items] == [f"{number:03d}" for number in range(12)]
    assert found.warnings == ()
    for item in found.items:
        assert item.fields == json.loads((folder / f"{item.id}.json").read_text(encoding="utf-8"))
        assert [image.path for image in item.image_files] == [(folder / f"{item.id}.jpg").resolve()]
        assert all(value == 1.0 for value in _scores("receipt", "receipt", item, item.answer[0]).values())
    # By hand, from the scans themselves.
    assert found.by_id["006"].fields == {
        "company": "SOON HUAT MACHINERY ENTERPRISE",
        "date": "11/01/2019",
        "address": "NO.53 JALAN PUTRA 1, TAMAN SRI PUTRA, 81200 JOHOR BAHRU JOHOR",
        "total": "327.00",
    }


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ('{"company": "Soon Huat Machinery Enterprise", "date": "2019-01-11", "total": "RM327.00"}', {"address"}),
        ('{"company": "SOON HUAT MACHINERY ENTERPRISE", "date": "11 Jan 2019", "total": 327}', {"address"}),
        ('{"company": "SOON HUAT", "date": "01/11/2019", "total": "372.00"}', {"company", "date", "total", "address"}),
    ],
)
def test_a_receipt_is_right_by_what_it_says_and_not_by_how(shared_data: Path, answer: str, wrong: set[str]) -> None:
    item = copy_of("receipt", shared_data / "vision_receipts").by_id["006"]
    found = _scores("receipt", "receipt", item, answer)
    assert {name for name in item.fields or () if found[f"field_{name}"] == 0.0} == wrong
    assert found["fields_all"] == 0.0
    assert found["fields"] == (4 - len(wrong)) / 4


def test_photographs_of_odometers_without_a_reading_are_left_out_and_said(shared_data: Path) -> None:
    folder = shared_data / "vision_odometer"
    found = copy_of("odometer-photos", folder)
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        read = {row["image"]: row["odometer_km"] for row in csv.DictReader(file) if row["odometer_km"]}
    assert {item.id: (item.fields or {})["odometer"] for item in found.items} == read
    assert len(read) == 7
    assert "1 rows were left out: missing answer" in found.warnings[0]
    for item in found.items:
        reading = int(read[item.id])
        for said in (f'{{"odometer": {reading}}}', f"总里程：{reading:,}公里", f"The odometer reads {reading} km."):
            assert _scores("odometer", "odometer-photos", item, said)["field_odometer"] == 1.0, said
        assert _scores("odometer", "odometer-photos", item, f"总里程：{reading + 1}")["field_odometer"] == 0.0


def _scores(suite: str, task: str, item: Item, answer: str) -> dict[str, float | None]:
    asked = next(t for t in load_suite(suite)[0].tasks if t.name == task)
    return {score.metric: score.value for scorer in asked.make_scorers() for score in scorer.score(item, answer)}
