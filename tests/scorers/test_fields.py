"""Named values read from JSON and from prose: what is right, what is wrong, and what nobody can read."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.gold.item import Item
from harness.scorers.base import Scorer
from harness.scorers.registry import make_scorer

KINDS: dict[str, Any] = {
    "odometer": {"type": "number", "unit": "unit"},
    "unit": "unit",
    "speed": {"type": "number", "tolerance": 3},
    "time": "time",
    "temperature": "number",
    "gear": "code",
}
GOLD: dict[str, Any] = {
    "odometer": 528915,
    "unit": "km",
    "speed": None,
    "time": "12:30",
    "temperature": "-3 °C",
    "gear": "P",
}
PANEL = make_scorer({"fields": {"kinds": KINDS}})


def _item(fields: dict[str, Any] | None) -> Item:
    return Item(question="?", answer="-", fields=fields)


def _values(output: str, fields: dict[str, Any] | None = None, scorer: Scorer = PANEL) -> dict[str, float | None]:
    return {score.metric: score.value for score in scorer.score(_item(fields or GOLD), output)}


def _right(output: str, gold: Any, kind: Any = "text", name: str = "value") -> bool:
    scorer = make_scorer({"fields": {"kinds": {name: kind}}})
    return _values(output, {name: gold}, scorer)[f"field_{name}"] == 1.0


@pytest.mark.parametrize(
    "output",
    [
        "总里程：528,915公里；时间 12:30；外温 -3℃；档位 P",
        "总里程：528,915公里，时间 12点30分，外温 -3℃，档位 P挡。",
        "总里程为528915公里。时间为12:30。车外温度是零下3度。挡位是P。",
        "The odometer reads 528,915 km, the time is 12:30, the outside temperature is -3 °C and the gear is P.",
        "| 项目 | 读数 |\n|---|---|\n| 总里程 | 528,915 公里 |\n| 时间 | 12:30 |\n| 外温 | -3℃ |\n| 挡位 | P |",
        "- **总里程**：528 915 km\n- **时间**：12:30\n- **挡位**：P\n- **外温**：-3\n- **车速**：未显示",
        '{"odometer": 528915, "unit": "km", "speed": null, "time": "12:30", "temperature": -3, "gear": "P"}',
        '好：\n```json\n{"总里程": "528,915", "单位": "公里", "时间": "12:30", "外温": "-3", "档位": "P"}\n```\n请查收',
        "{“总里程”：528,915，“单位”：“公里”，“时间”：“12：30”，“温度”：“－3℃”，“档位”：“Ｐ”，}",
        "{'odometer': 528915, 'unit': 'km', 'speed': None, 'time': '12:30', 'temperature': '-3 °C', 'gear': 'P',}",
        '{"odometer": 0528915, "unit": "km", "time": "12:30", "temperature": -3, "gear": "P", "speed": "not shown"',
        '{"reading": {"odometer": {"value": 528915, "unit": "km"}, "time": "12:30", "temperature": -3, "gear": "P"}}',
        '{"odometer": 1}\nWait, again:\n'
        '{"odometer": 528915.0, "unit": "KM", "time": "12:30:07", "temperature": -3, "gear": "p"}',
    ],
)
def test_one_reading_in_many_forms(output: str) -> None:
    assert _values(output) == dict.fromkeys(PANEL.metrics, 1.0)


def test_planted_errors_count_as_worked_out_by_hand() -> None:
    # Wrong: the last digit (similarity 5/6), the time, and a speed where none is shown. Right: unit, temperature, gear.
    output = '{"odometer": 528916, "unit": "km", "speed": 60, "time": "12:31", "temperature": -3, "gear": "P"}'
    assert _values(output) == {
        "fields": pytest.approx(3 / 6),
        "fields_all": 0.0,
        "fields_digits": pytest.approx((5 / 6 + 1) / 2),
        "field_odometer": 0.0,
        "field_unit": 1.0,
        "field_speed": 0.0,
        "field_time": 0.0,
        "field_temperature": 1.0,
        "field_gear": 1.0,
    }


@pytest.mark.parametrize(
    "output", ["", "抱歉，我无法识别。", "{}", "[]", '{"trip": 528915}', "528915", "null", "{", "the total"]
)
def test_an_answer_without_any_field_is_unextracted_and_wrong_in_all(output: str) -> None:
    scores = PANEL.score(_item(GOLD), output)
    assert all(score.value == 0.0 and score.unextracted for score in scores)


def test_a_missing_field_is_wrong_and_unextracted() -> None:
    found = {score.metric: score for score in PANEL.score(_item(GOLD), '{"odometer": 528915, "unit": "km"}')}
    assert found["fields"].value == pytest.approx(3 / 6)  # and the speed, which is not shown
    assert found["field_time"].value == 0.0
    assert found["field_time"].unextracted
    assert not found["field_odometer"].unextracted
    assert not found["field_speed"].unextracted


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("null", 1),
        ('""', 1),
        ('"无"', 1),
        ('"N/A"', 1),
        ('"未显示"', 1),
        ('"not shown"', 1),
        ("0", 0),
        ('"60 km/h"', 0),
    ],
)
def test_what_the_picture_does_not_show_must_not_be_made_up(said: str, right: int) -> None:
    assert _values(f'{{"odometer": 528915, "speed": {said}}}')["field_speed"] == right


def test_what_the_answer_gives_beyond_the_gold_fields_is_not_looked_at() -> None:
    output = '{"odometer": 7, "trip": 1.5, "range": 300}'
    assert _values(output, {"odometer": 7})["fields_all"] == 1.0


@pytest.mark.parametrize(
    ("output", "fields"),
    [
        ("{}", None),
        ("{}", {}),
        ('{"odometer": 1}', {"odometer": [1, 2]}),
        ('{"odometer": 1}', {"odometer": "n"}),
        ('{"odometer": 1}', {"odometer": True}),
    ],
)
def test_an_item_without_usable_fields_is_unscored_with_a_reason(output: str, fields: dict[str, Any] | None) -> None:
    scores = PANEL.score(_item(fields), output)
    assert tuple(score.metric for score in scores) == PANEL.metrics
    assert all(score.value is None and score.note for score in scores)


def test_a_declared_field_that_the_item_lacks_is_unscored_alone() -> None:
    found = {score.metric: score for score in PANEL.score(_item({"gear": "P"}), '{"gear": "P"}')}
    assert found["fields_all"].value == found["field_gear"].value == 1.0
    assert found["field_odometer"].value is None
    assert "odometer" in found["field_odometer"].note
    assert found["fields_digits"].value is None


# --- units -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "right"),
    [
        # 528,915 km / 1.609344 = 328,652.545… mi (the international mile is 1,609.344 m exactly)
        ("328652 mi", True),
        ("328,653 miles", True),
        ("328652.5 英里", True),
        ("328654 mi", False),
        ("328651 mi", False),
        ("328652", False),  # no unit: as written
        ("528915 mi", False),
        ("528915000 米", True),
        ("52.8915万公里", True),
        ("528915 °C", False),
    ],
)
def test_a_stated_unit_is_converted(said: str, right: bool) -> None:
    assert (_values(f"总里程：{said}")["field_odometer"] == 1.0) is right
    assert (_values(json.dumps({"odometer": said}))["field_odometer"] == 1.0) is right


def test_a_unit_may_stand_in_a_field_of_its_own() -> None:
    found = _values('{"odometer": 328653, "unit": "mi"}')
    assert (found["field_odometer"], found["field_unit"]) == (1.0, 0.0)
    found = _values('{"odometer": 528915, "unit": "mi"}')
    assert (found["field_odometer"], found["field_unit"], found["fields_digits"]) == (0.0, 0.0, 0.5)


@given(st.integers(0, 999_999))
def test_every_reading_in_kilometres_is_found_again_in_miles(reading: int) -> None:
    gold = {"odometer": reading, "unit": "km"}
    exact = reading / 1.609344
    for given_miles in {int(exact), round(exact)}:
        assert _values(f'{{"odometer": {given_miles}, "unit": "mi"}}', gold)["field_odometer"] == 1.0
    assert _values(f'{{"odometer": {int(exact) + 2}, "unit": "mi"}}', gold)["field_odometer"] == 0.0


@pytest.mark.parametrize(
    ("gold", "said", "right"),
    [
        ("62 km/h", "62", True),
        ("62 km/h", "62公里/小时", True),
        ("62 km/h", "39 mph", True),
        ("62 km/h", "62 mph", False),
        ("62 km/h", "65", True),  # within the tolerance of 3
        ("62 km/h", "66", False),
        ("27 °F", "-3 °C", True),
        ("27 °F", "27℃", False),
        ("-3 °C", "3 °C", False),
    ],
)
def test_speeds_and_temperatures(gold: str, said: str, right: bool) -> None:
    name = "temperature" if "°" in gold else "speed"
    assert (_values(json.dumps({name: said}), {name: gold})[f"field_{name}"] == 1.0) is right


# --- kinds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gold", "said", "right"),
    [
        ("15:05", "15:05", True),
        ("15:05", "下午3点05分", True),
        ("15:05", "3:05 PM", True),
        ("15:05", "３：０５ p.m.", True),
        ("15:05", "3:05", False),
        ("00:10", "12:10 AM", True),
        ("12:10", "12:10 PM", True),
        ("15:05:09", "15:05:09", True),
        ("15:05:09", "15:05:08", False),
        ("15:05:09", "15:05", False),
        ("15:05", "25:05", False),
        ("07:05", "7:05", True),
    ],
)
def test_times(gold: str, said: str, right: bool) -> None:
    assert _right(json.dumps({"value": said}), gold, "time") is right


@pytest.mark.parametrize(
    ("gold", "said", "right"),
    [
        ("25/12/2018", "2018-12-25", True),
        ("25/12/2018", "2018年12月25日", True),
        ("25/12/2018", "25 Dec 2018", True),
        ("25/12/2018", "25-DEC-18", True),
        ("25/12/2018", "December 25th, 2018", True),
        ("25/12/2018", "12/25/2018", True),  # there is no month 25
        ("25/12/2018", "20181225", True),
        ("25/12/2018", "25.12.18", True),
        ("09/01/2019", "2019-01-09", True),
        ("09/01/2019", "01/09/2019", False),
        ("12-01-19", "12 January 2019", True),
        ("25/12/2018", "25/12/2019", False),
        ("25/12/2018", "25 Foo 2018", False),
    ],
)
def test_dates_in_several_layouts(gold: str, said: str, right: bool) -> None:
    assert _right(json.dumps({"value": said}), gold, "date") is right


def test_the_order_of_a_date_in_digits_is_an_option() -> None:
    assert _right('{"value": "2019-01-09"}', "01/09/2019", {"type": "date", "order": "mdy"})
    assert _right('{"value": "2019-01-09"}', "19/01/09", {"type": "date", "order": "ymd"})


@pytest.mark.parametrize("said", ["9.00", "RM9.00", "9", "$9.00", "RM 9.0", "９．００元", "MYR 9.00"])
def test_money(said: str) -> None:
    assert _right(json.dumps({"value": said}), "9.00", "money")
    assert not _right(json.dumps({"value": said}), "9.01", "money")


def test_text_is_exact_after_normalisation() -> None:
    assert _right('{"company": "ABC HO TRADING."}', "Abc Ho Trading", name="company")
    assert not _right('{"company": "ABC HO TRADE"}', "Abc Ho Trading", name="company")
    address = "NO.53 55,57 & 59, JALAN SAGU 18, TAMAN DAYA, 81100 JOHOR BAHRU, JOHOR."
    assert _right(f"Address: {address}", address, name="address")


def test_digit_similarity_is_that_of_levenshtein() -> None:
    # 123456 -> 123556: one substitution of six; -> 12345: one deletion of six; leading zeros are not digits of it.
    gold = {"odometer": 123456}
    assert _values('{"odometer": 123556}', gold)["fields_digits"] == pytest.approx(5 / 6)
    assert _values('{"odometer": "012345"}', gold)["fields_digits"] == pytest.approx(5 / 6)
    assert _values('{"odometer": "unreadable"}', gold)["fields_digits"] == 0.0


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "output",
    [
        "小计里程：345.6公里；总里程：528915公里",
        "总里程：528915公里；续航里程：320公里；平均车速：45",
        "Trip odometer: 345.6 km\nOdometer: 528915 km",
        '{"总里程（ODO）": 528915, "小计里程": 345.6, "average speed": 45}',
        "里程表显示，总里程为528,915。总里程的单位是公里。",
    ],
)
def test_other_readings_are_not_taken_for_the_one_asked_for(output: str) -> None:
    found = _values(output)
    assert (found["field_odometer"], found["field_speed"]) == (1.0, 1.0)


def test_a_word_inside_another_is_no_name() -> None:
    gold = {"company": "Totally United", "total": "5.00"}
    scorer = make_scorer({"fields": {"kinds": {"company": "text", "total": "money"}}})
    assert _values("Company: Totally United\nSub Total: 4.00\nTotal: 5.00", gold, scorer)["fields_all"] == 1.0


def test_a_suite_may_add_names() -> None:
    gold = {"odometer": 7}
    assert _values('{"里程碑": 7}', gold)["fields"] == 0.0
    assert (
        _values('{"里程碑": 7}', gold, make_scorer({"fields": {"aliases": {"odometer": ["里程碑"]}}}))["fields"] == 1.0
    )


def test_without_kinds_the_gold_value_decides() -> None:
    scorer = make_scorer("fields")
    assert scorer.metrics == ("fields", "fields_all", "fields_digits")
    assert _values('{"n": "1,000", "t": "Ａ"}', {"n": 1000, "t": "a"}, scorer)["fields_all"] == 1.0


def test_the_signature_names_kinds_options_and_names() -> None:
    scorer = make_scorer({"fields": {"kinds": KINDS, "aliases": {"odometer": ["km-stand"]}}})
    assert scorer.signature == (
        "fields|kinds:gear=code,odometer=number(tol:0,unit:unit),speed=number(tol:3),temperature=number(tol:0),"
        "time=time,unit=unit|aliases:odometer(km-stand)|norm:nfkc+case+punct+space|extract:json/prose|null:absent|"
        "extra:ignored|units:converted|digits:levenshtein|v:1"
    )
    other = make_scorer({"fields": {"kinds": {"a": {"type": "date", "order": "mdy"}, "b": {"type": "money"}}}})
    assert "a=date(mdy),b=money(tol:0)" in other.signature


# --- any input -------------------------------------------------------------------------------------------------------


@given(
    st.fixed_dictionaries(
        {
            "odometer": st.integers(0, 10**7),
            "unit": st.sampled_from(["km", "mi"]),
            "speed": st.none() | st.integers(0, 240).map("{} km/h".format),
            "time": st.none() | st.times().map(lambda t: t.strftime("%H:%M")),
            "temperature": st.none() | st.integers(-40, 50).map("{} °C".format),
            "gear": st.none() | st.sampled_from("PRND"),
        }
    )
)
def test_gold_written_back_is_right_in_json_and_in_prose(fields: dict[str, Any]) -> None:
    every = dict.fromkeys(PANEL.metrics, 1.0)
    assert _values(json.dumps(fields), fields) == every
    assert _values(f"```json\n{json.dumps(fields, indent=2, ensure_ascii=False)}\n```", fields) == every
    named = {
        "odometer": "总里程",
        "speed": "车速",
        "time": "时间",
        "temperature": "外温",
        "gear": "档位",
        "unit": "单位",
    }
    prose = "；".join(f"{named[name]}：{'未显示' if value is None else value}" for name, value in fields.items())
    assert _values(prose, fields) == every


@given(st.text() | st.text(alphabet="{}[]\":,'\\ \n0123456789.总里程时间odometer：，“”|-"))
def test_any_output_scores_between_zero_and_one(output: str) -> None:
    for score in PANEL.score(_item(GOLD), output):
        assert score.value is not None
        assert 0.0 <= score.value <= 1.0
        assert not PANEL.binary(score.metric) or score.value in (0.0, 1.0)
        assert score.value == 0.0 or score.extracted is not None


@pytest.mark.parametrize("size", [3_000, 200_000])
@pytest.mark.parametrize(
    "unit",
    ["{", '{"a":', '{"odometer":', "[", '"', "'", "\\", "{}", '{"a":1}', "odometer", "odo: ", "总里程：", "1", "1 ",
     "111 ", "1,", "(", " ", "\n", "| ", "12:", "12/", "a.", "一万", "{ a b, ", "{“", "jan "],
)  # fmt: skip
def test_hostile_outputs_are_scored_in_no_time(unit: str, size: int) -> None:
    many = unit * (size // len(unit))
    outputs = (many, f"odometer: {many}", f"time: {many}", f'{{"odometer": "{many}"}}', f'{{"time": {many}')
    started = time.process_time()
    for output in outputs:
        PANEL.score(_item(GOLD), output)
    assert time.process_time() - started < 2.0


# --- real gold -------------------------------------------------------------------------------------------------------


def test_every_receipt_of_sroie_is_right_against_itself_and_rewritten(shared_data: Path) -> None:
    kinds = {"company": "text", "date": "date", "address": "text", "total": "money"}
    scorer = make_scorer({"fields": {"kinds": kinds}})
    files = sorted((shared_data / "vision_receipts").glob("*.json"))
    assert len(files) == 12
    for file in files:
        gold = json.loads(file.read_text(encoding="utf-8"))
        every = dict.fromkeys(scorer.metrics, 1.0)
        assert _values(json.dumps(gold), gold, scorer) == every
        rewritten = (
            f"商户：{gold['company'].title()}\n日期：{gold['date']}\n地址：{gold['address']}\n合计：RM{gold['total']}"
        )
        assert _values(rewritten, gold, scorer) == every
        cheaper = {**gold, "total": "0.01"}
        assert _values(json.dumps(cheaper), gold, scorer)["fields"] == 0.75
