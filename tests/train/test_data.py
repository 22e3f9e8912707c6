"""What is trained on: read, cleaned and mixed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import InputError
from harness.gold.item import Message
from harness.train.config import Source
from harness.train.data import Example, SourceData, read_source
from harness.train.mixing import mix

Q, A = "高血压能吃党参吗？", "可以，但要监测血压。"


def dump(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "row",
    [
        {"instruction": Q, "input": "", "output": A},
        {"conversations": [{"from": "human", "value": Q}, {"from": "gpt", "value": A}]},
        {"messages": [{"role": "user", "content": Q}, {"role": "assistant", "content": A}]},
        {"prompt": Q, "completion": A},
        {"prompt": Q, "response": A},
    ],
    ids=["alpaca", "sharegpt", "messages", "completion", "response"],
)
def test_every_shape_gives_the_same_example(tmp_path: Path, row: dict[str, Any]) -> None:
    dump(tmp_path / "train.json", [row])
    (example,) = read_source("x", Source(path="train.json"), tmp_path).examples
    assert ([(t.role, t.content) for t in example.turns], example.answer) == ([("user", Q)], A)


def test_earlier_turns_are_read_and_the_last_reply_is_learned(tmp_path: Path) -> None:
    turns = [("system", "你是医生。"), ("user", "头痛"), ("assistant", "多久了？"), ("user", "三天"), ("assistant", A)]
    dump(tmp_path / "t.json", [{"messages": [{"role": role, "content": text} for role, text in turns]}])
    (example,) = read_source("x", Source(path="t.json"), tmp_path).examples
    assert [turn.content for turn in example.turns] == ["你是医生。", "头痛", "多久了？", "三天"]
    assert example.answer == A


def test_a_toyhom_folder_in_gbk_is_cleaned(tmp_path: Path) -> None:
    folder = tmp_path / "Data_数据" / "内科"
    folder.mkdir(parents=True)
    lines = ["department,title,ask,answer", f"心血管科,标题,{Q},{A}", f"心血管科,标题,{Q},{A}", f"心血管科,标题,无,{A}"]
    (folder / "内科.csv").write_text("\n".join(lines) + "\n", encoding="gbk")
    source = Source(path="Data_数据", map={"question": "ask", "answer": "answer"})
    found = read_source("toyhom", source, tmp_path)
    assert (found.rows, len(found.examples)) == (3, 1)
    assert found.dropped == {"repeated": 1, "trivial question": 1}
    kept = read_source("toyhom", source, tmp_path, deduplicate=False)
    assert len(kept.examples) == 2


def test_the_real_toyhom_file(shared_data: Path) -> None:
    (path,) = (shared_data / "toyhom").glob("*.csv")
    source = Source(path=str(path), map={"question": "ask", "answer": "answer"})
    found = read_source("toyhom", source, Path())
    assert found.rows == 3822
    assert found.dropped == {"repeated": 199, "trivial question": 6}


def test_no_row_that_can_be_used(tmp_path: Path) -> None:
    dump(tmp_path / "t.json", [{"instruction": "无", "output": A}, {"instruction": Q, "output": ""}])
    with pytest.raises(InputError) as caught:
        read_source("medical", Source(path="t.json"), tmp_path)
    assert "data.medical (t.json): leaves no example to train on" in str(caught.value)
    assert "trivial question (1)" in str(caught.value)
    assert "missing answer (1)" in str(caught.value)


def source(name: str, count: int) -> SourceData:
    examples = tuple(
        Example((Message(role="user", content=f"{name}{n}"),), str(n), f"{name}:{n}") for n in range(count)
    )
    return SourceData(name, examples, "0" * 64, count, {}, ())


def taken(shares: dict[str, float], sizes: dict[str, int], seed: int = 0) -> tuple[dict[str, int], list[str]]:
    mixture = mix([source(name, size) for name, size in sizes.items()], shares, seed, {})
    drawn = [example.place for example in mixture.examples]
    assert len(drawn) == sum(part.taken for part in mixture.parts)
    return {part.name: part.taken for part in mixture.parts}, drawn


@pytest.mark.parametrize(
    ("shares", "counts"),
    [
        ({"medical": 1, "general": 1}, {"medical": 90, "general": 90}),
        ({"medical": 9, "general": 1}, {"medical": 90, "general": 10}),
        ({"medical": 1, "general": 0}, {"medical": 90}),
        ({}, {"medical": 90, "general": 500}),
        ({"medical": 1, "general": 10}, {"medical": 90, "general": 900}),
    ],
)
def test_shares_are_of_the_first_source(shares: dict[str, float], counts: dict[str, int]) -> None:
    found, drawn = taken(shares, {"medical": 90, "general": 500})
    assert found == counts
    assert {place for place in drawn if place.startswith("medical")} == {f"medical:{n}" for n in range(90)}
    general = [place for place in drawn if place.startswith("general")]
    assert len(set(general)) == min(len(general), 500)  # nothing twice before everything once


def test_the_order_is_the_seeds() -> None:
    sizes = {"medical": 30, "general": 50}
    shares: dict[str, float] = {"medical": 1, "general": 1}
    assert taken(shares, sizes, 1) == taken(shares, sizes, 1) != taken(shares, sizes, 2)


def test_a_source_can_be_limited() -> None:
    mixture = mix([source("medical", 90)], {}, 0, {"medical": 10})
    assert len(mixture.examples) == 10
