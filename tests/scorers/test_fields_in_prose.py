"""The suite `odometer` on Chinese prose: what vision models write when they are asked for JSON and write none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.gold.goldset import load_goldset
from harness.gold.item import Item
from harness.suites.spec import load_suite

ROOT = Path(__file__).parents[2]
ITEMS = load_goldset(ROOT / "goldsets" / "odometer.jsonl").items
(SCORER,) = load_suite(ROOT / "suites" / "odometer.yaml")[0].tasks[0].make_scorers()
EVERY = dict.fromkeys(SCORER.metrics, 1.0)

_UNITS = {"km": "公里", "mi": "英里"}
_GEARS = {"P": "驻车挡", "R": "倒车挡", "N": "空挡", "D": "前进挡"}
_HALVES = {"AM": "上午", "PM": "下午", "": ""}

Fields = Mapping[str, Any]


def _values(item: Item, answer: str) -> dict[str, float | None]:
    return {score.metric: score.value for score in SCORER.score(item, answer)}


def _number(value: str | None) -> str:
    return "" if value is None else value.split()[0]


def _spoken(time: str) -> str:
    """`4:05 PM` as `下午4点05分`."""
    digits, _, half = time.partition(" ")
    hour, minute = digits.split(":")
    return f"{_HALVES[half]}{hour}点{minute}分"


def bullets(f: Fields) -> str:
    unit, gear = _UNITS[f["unit"]], f["gear"]
    return (
        "根据图片中的仪表盘，读数如下：\n\n"
        f"- **总里程**：**{f['odometer']:,}** {unit}\n"
        f"- **里程单位**：{unit}（{f['unit']}）\n"
        f"- **车速**：{f['speed'] or '图中未显示'}\n"
        f"- **时间**：{f['time'] or '图中未显示'}\n"
        f"- **温度**：{f['temperature'] or '图中未显示'}\n"
        f"- **档位**：{f'{gear}（{_GEARS[gear]}）' if gear else '图中未显示'}"
    )


def sentence(f: Fields) -> str:
    unit, degrees = _UNITS[f["unit"]], f["temperature"]
    parts = [f"从图片中可以看到，总里程为{f['odometer']}{unit}"]
    if f["speed"]:
        parts.append(f"当前车速约为{_number(f['speed'])}{unit}/小时")
    if f["time"]:
        parts.append(f"时间是{_spoken(f['time'])}")
    if degrees:
        sign, name = "零下" if degrees.startswith("-") else "", "摄氏度" if degrees.endswith("C") else "华氏度"
        parts.append(f"车外温度为{sign}{_number(degrees).lstrip('-')}{name}")
    if f["gear"]:
        parts.append(f"档位在{f['gear']}挡")
    return "，".join(parts) + "。"


def numbered(f: Fields) -> str:
    rows = {
        "总里程": f"{f['odometer']}（{_UNITS[f['unit']]}）",
        "小计里程": "345.6",
        "车速": f["speed"],
        "时间": f["time"],
        "温度": (f["temperature"] or "").replace(" °C", "℃").replace(" °F", "℉"),
        "档位": f"{f['gear']}档" if f["gear"] else "",
    }
    return "\n".join(f"{n}. **{name}**：{said or '无法从图片中读取'}" for n, (name, said) in enumerate(rows.items(), 1))


def one_line(f: Fields) -> str:
    unit = _UNITS[f["unit"]]
    return (
        f"总里程：{f['odometer']:,}{unit}；小计里程 123.4{unit}；车速 {f['speed'] or '无'}；时间 {f['time'] or '无'}；"
        f"外温 {f['temperature'] or '无'}；档位 {f['gear'] or '无'}。"
    )


def sentences(f: Fields) -> str:
    said = [f"仪表盘显示的总里程是 {f['odometer']} {f['unit']}。"]
    said.append(f"车速为 {f['speed']}。" if f["speed"] else "图片中没有显示车速。")
    said.append(f"时间显示：{f['time']}。" if f["time"] else "图片中看不到时间。")
    said.append(f"温度显示为 {f['temperature']}。" if f["temperature"] else "温度没有显示。")
    said.append(f"档位为 {f['gear']} 档。" if f["gear"] else "档位没有显示。")
    return "".join(said)


def table(f: Fields) -> str:
    rows = {"总里程（ODO）": f["odometer"], "单位": f["unit"], "车速": f["speed"], "时间": f["time"]}
    rows |= {"室外温度": f["temperature"], "挡位": f["gear"]}
    return "| 项目 | 读数 |\n|---|---|\n" + "\n".join(f"| {name} | {said or '—'} |" for name, said in rows.items())


WORDINGS = (bullets, sentence, numbered, one_line, sentences, table)


@pytest.mark.parametrize("worded", WORDINGS)
def test_right_readings_of_every_panel_are_right(worded: Callable[[Fields], str]) -> None:
    for item in ITEMS:
        answer = worded(item.fields or {})
        assert _values(item, answer) == EVERY, (item.id, answer)


@pytest.mark.parametrize("worded", WORDINGS)
def test_one_wrong_digit_of_every_panel_is_one_wrong_field(worded: Callable[[Fields], str]) -> None:
    for item in ITEMS:
        gold = item.fields or {}
        found = _values(item, worded({**gold, "odometer": gold["odometer"] ^ 1}))
        assert (found["field_odometer"], found["fields_all"]) == (0.0, 0.0), item.id
        assert found["fields"] == pytest.approx(5 / 6), item.id
        assert 0.0 < (found["fields_digits"] or 0.0) < 1.0, item.id


@pytest.mark.parametrize("worded", WORDINGS)
def test_what_the_panel_does_not_show_and_is_made_up_is_wrong(worded: Callable[[Fields], str]) -> None:
    made_up = {"speed": "60 km/h", "time": "12:34", "temperature": "21 °C", "gear": "D"}
    for item in ITEMS:
        gold = item.fields or {}
        missing = [name for name in made_up if gold[name] is None]
        found = _values(item, worded({**gold, **{name: made_up[name] for name in missing}}))
        assert {name for name in gold if found[f"field_{name}"] == 0.0} == set(missing), item.id


def test_the_trip_meter_is_not_the_odometer() -> None:
    for item in ITEMS:
        trip = item.metadata["trip"]
        if trip != "none":
            answer = f"总里程：{trip}{_UNITS[(item.fields or {})['unit']]}"
            found = _values(item, answer)
            assert (found["field_odometer"], found["field_unit"], found["fields_all"]) == (0.0, 1.0, 0.0), item.id


#: One panel (59,679 km, 8 km/h, 21:22, 20 °C, R), each of its fields in other words.
PLAIN = {"odometer": "总里程：59679公里", "speed": "车速：8km/h", "time": "时间：21:22", "temperature": "温度：20℃",
         "gear": "档位：R"}  # fmt: skip
REWORDED = {
    "odometer": (
        "总里程表（ODO）显示为 059679 公里", "里程表上的数字是059679，单位是公里", "ODO：059679 km",
        "总里程数为59,679公里", "当前总里程为**59,679**公里（km）", "总里程：**59,679** km", "总里程：`59679` km",
        "里程单位是公里，总里程59679", "总里程：59679（公里）", "总里程 (Odometer): 59679 (km)",
        "总里程是 59679 公里（小计里程 753.1 公里）", "总里程：5.9679万公里", "总里程：59679千米",
        "总里程为五万九千六百七十九公里",
    ),
    "speed": ("车速：**8** km/h（倒车中）", "时速：8公里每小时", "车速表显示为 8 km/h", "速度表指针指向约8 km/h"),
    "time": ("时间：21时22分", "时间：晚上9点22分", "时间显示为 9:22 PM", "时钟显示：21:22", "当前时间：21：22"),
    "temperature": ("车外气温为20℃", "外部温度：20度", "室外温度：**20**°C", "环境温度为20 摄氏度", "外温：20"),
    "gear": ("挡位：R挡", "档位：倒车档（R）", "档位指示为R", "当前档位为 **R**（倒车挡）", "变速箱档位：R"),
}  # fmt: skip


@pytest.mark.parametrize("between", ["\n", "；", "，", "。"])
@pytest.mark.parametrize("name", REWORDED)
def test_a_field_may_be_worded_in_many_ways(name: str, between: str) -> None:
    (item,) = (item for item in ITEMS if item.id == "odo-easy-001")
    for said in (PLAIN[name], *REWORDED[name]):
        answer = between.join({**PLAIN, name: said}.values())
        assert _values(item, answer) == EVERY, answer
