"""What is put into a page cannot act, charts hold what the results say, and both languages say the same things."""

from __future__ import annotations

import json
import re
from dataclasses import fields, is_dataclass
from string import Formatter
from typing import Any

import pytest
from markupsafe import Markup

from harness.report.words import EN as WORDS
from harness.review.charts import GREEN, GREY, RED, ForestRow, HeatCell, forest, heat_map
from harness.review.faults import Fault
from harness.review.markup import inert, render
from harness.review.pairs import SliceCell
from harness.review.words import EN, ZH
from tests.dashboard.conftest import HOSTILE
from tests.report.made import guard, result


@pytest.mark.parametrize("name", HOSTILE)
def test_text_that_is_put_into_a_template_stays_text(name: str) -> None:
    page = render("faults", "en", faults=[Fault(HOSTILE[name], "damaged", HOSTILE[name])])
    tags = set(re.findall(r"<\s*/?\s*([a-zA-Z]+)", page))
    assert tags <= {"div", "b", "ul", "li", "span"}
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\u2028]", page)


def test_what_calls_itself_markup_is_escaped_all_the_same() -> None:
    assert inert(Markup("<b>x</b>")) == "&lt;b&gt;x&lt;/b&gt;"
    assert inert('"><img src=x>') == "&#34;&gt;&lt;img src=x&gt;"


def spec(chart: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(chart.to_json())
    return found


def rows_of(chart: Any) -> list[dict[str, Any]]:
    return (
        [row for data in spec(chart)["datasets"].values() for row in data]
        if "datasets" in spec(chart)
        else (spec(chart)["layer"][0]["data"]["values"] if "data" not in spec(chart) else spec(chart)["data"]["values"])
    )


def test_a_forest_plot_has_the_interval_and_margin_of_each_result_on_one_scale() -> None:
    chart = forest([ForestRow("lora", result()), ForestRow("lora", guard())], WORDS, EN)
    better, worse = rows_of(chart)
    assert (better["delta"], better["low"], better["high"], better["margin"]) == (41.0, 32.0, 50.0, -2.0)
    assert (better["tone"], worse["tone"]) == (GREEN, RED)
    domains = {json.dumps(one["encoding"]["x"]["scale"]["domain"]) for one in spec(chart)["layer"]}
    assert len(domains) == 1
    low, high = json.loads(domains.pop())
    assert low < -50 < 50 < high, "symmetric, so that zero stands in the middle"


def test_a_chart_fetches_nothing_and_links_nowhere() -> None:
    hostile = [ForestRow(text, guard(task=f"guard-{name}")) for name, text in HOSTILE.items()]
    cells = [HeatCell(text, text, SliceCell("topic", text, 40, 0.5, 0.2, -0.3, 0.05)) for text in HOSTILE.values()]
    for chart in (forest(hostile, WORDS, EN), heat_map(cells, WORDS, EN)):
        found = spec(chart)
        keys: set[str] = set()

        def walk(value: Any, keys: set[str] = keys) -> None:
            if isinstance(value, dict):
                keys.update(value)
                for part in value.values():
                    walk(part)
            elif isinstance(value, list):
                for part in value:
                    walk(part)

        walk({name: part for name, part in found.items() if name not in ("$schema",)})
        assert not keys & {"href", "url", "image", "usermeta"}
        assert "\u202e" not in json.dumps(found, ensure_ascii=False)
        assert len(json.dumps(found)) < 100_000, "a name of a megabyte is cut"


def test_few_items_are_grey_whatever_they_lost_and_only_a_clear_loss_is_red() -> None:
    def fill(n: int, delta: float, se: float) -> str:
        cell = HeatCell("lora", "qa", SliceCell("topic", "x", n, 0.5, 0.5 + delta, delta, se))
        (row,) = rows_of(heat_map([cell], WORDS, EN))
        return str(row["fill"])

    def reddish(colour: str) -> bool:
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        return red > green + 40 and red > blue + 40

    assert not reddish(fill(19, -0.9, 0.05)), "nineteen items"
    assert reddish(fill(40, -0.3, 0.05))
    assert not reddish(fill(40, -0.05, 0.05)), "within its uncertainty"
    assert GREY != RED


def test_both_languages_have_the_same_texts_with_the_same_names() -> None:
    def names(text: str) -> set[str | None]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    def compare(left: Any, right: Any, where: str) -> None:
        if isinstance(left, str):
            assert left.strip(), where
            assert right.strip(), where
            assert names(left) == names(right), where
        elif is_dataclass(left):
            for field in fields(left):
                compare(getattr(left, field.name), getattr(right, field.name), f"{where}.{field.name}")
        else:
            assert list(left) == list(right), where
            for key in left:
                compare(left[key], right[key], f"{where}[{key}]")

    compare(EN, ZH, "words")
