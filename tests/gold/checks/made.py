"""Gold sets made in a line, and what the checks find in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.gold.checks import Checked, check_goldset
from harness.gold.checks.base import Check
from harness.gold.checks.finding import Finding
from harness.gold.checks.material import Material
from harness.gold.goldset import GoldSet
from harness.gold.item import Item

Row = Mapping[str, Any]


def goldset(rows: Sequence[Row]) -> GoldSet:
    items = [
        Item.model_validate({"id": f"i{number}", "answer": f"answer {number}", **row})
        for number, row in enumerate(rows)
    ]
    return GoldSet(name="made", items=tuple(items), path=Path("made.jsonl"))


def checked(*rows: Row, also: Sequence[Check] = ()) -> Checked:
    return check_goldset(goldset(rows), also=also)


def found(check: Check, *rows: Row) -> dict[str, Finding]:
    """What one check finds, by code."""
    return {finding.code: finding for finding in check(Material(goldset(rows)))}


def ask(question: str, answer: Any = "42", **more: Any) -> dict[str, Any]:
    return {"question": question, "answer": answer, **more}


def many(count: int, **more: Any) -> list[dict[str, Any]]:
    """Items that differ from each other and have no fault, to stand around one that has."""
    subjects = ("北京", "上海", "广州", "深圳", "成都", "武汉", "西安", "南京", "杭州", "重庆")
    things = ("人口", "面积", "河流", "高校", "气候", "建城年代", "地铁线路", "方言", "名菜", "山峰", "机场", "博物馆")
    pairs = [(subject, thing) for thing in things for subject in subjects]
    assert count <= len(pairs)
    return [
        {"question": f"说说{subject}在{thing}方面最出名的是什么", "answer": f"{thing[::-1]}{subject[::-1]}", **more}
        for subject, thing in pairs[:count]
    ]
