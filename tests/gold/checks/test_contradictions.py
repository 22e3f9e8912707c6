"""Answers that cannot both be right are found; other forms of one answer are not taken for contradictions."""

from __future__ import annotations

import pytest

from harness.gold.checks.contradictions import contradictions
from tests.gold.checks.made import ask, found

Q = "成人每日食盐摄入量不应超过多少克？"


def test_two_short_answers_to_one_question_contradict_each_other() -> None:
    result = found(contradictions, ask(Q, "5"), ask("成人每日食盐摄入量不应超过多少克", "6"))
    assert result["contradiction"].severity == "error"
    assert result["contradiction"].items == ("i0", "i1")


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("5", "5.0"),
        ("1,000", "1000"),
        ("５", "5"),
        (["5", "五"], ["五", "5克"]),
        ("2+3=5\n#### 5", "5"),
        ("北京。", "北京"),
    ],
)
def test_two_forms_of_one_answer_do_not(one: object, two: object) -> None:
    assert found(contradictions, ask(Q, one), ask(Q, two)) == {}


def test_a_longer_form_of_the_answer_is_a_missing_alias() -> None:
    result = found(contradictions, ask("中国的首都在哪里？", "北京"), ask("中国的首都在哪里？", "北京市"))
    assert set(result) == {"aliases-differ"}
    assert result["aliases-differ"].severity == "warning"


def test_a_number_inside_another_is_no_alias() -> None:
    assert set(found(contradictions, ask(Q, "5"), ask(Q, "15"))) == {"contradiction"}


def test_long_answers_are_shown_and_not_judged() -> None:
    one = "高血压患者应当低盐饮食，规律服药，定期测量血压，并在医生指导下调整用药。"
    two = "建议您先监测一周血压再决定是否用药，平时注意休息，避免熬夜和情绪激动。"
    assert set(found(contradictions, ask("血压高怎么办？", one), ask("血压高怎么办？", two))) == {"several-answers"}


def test_filler_words_make_no_other_question() -> None:
    result = found(contradictions, ask("感冒了吃什么药", "布洛芬"), ask("请问医生，感冒吃什么药呢？", "头孢"))
    assert set(result) == {"likely-contradiction"}
    assert result["likely-contradiction"].severity == "warning"


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("高血压患者能吃阿司匹林吗？", "低血压患者能吃阿司匹林吗？"),
        ("哪一项是正确的？", "哪一项是不正确的？"),
        ("计算 (2+3)*4", "计算 2+3*4"),
        ("计算 1.5+1", "计算 15+1"),
        ("求 f(1,2)", "求 f(12)"),
        ("3-2等于几？", "32等于几？"),
    ],
)
def test_a_word_a_sign_or_a_bracket_makes_another_question(one: str, two: str) -> None:
    assert found(contradictions, ask(one, "甲"), ask(two, "乙")) == {}


def test_letters_are_compared_by_what_they_stand_for() -> None:
    same = ask("血钾的单位是？", "A", choices=["mmol/L", "g/L"]), ask("血钾的单位是？", "B", choices=["g/L", "mmol/L"])
    other = ask("血钾的单位是？", "A", choices=["mmol/L", "g/L"]), ask("血钾的单位是？", "A", choices=["g/L", "mmol/L"])
    assert found(contradictions, *same) == {}
    assert set(found(contradictions, *other)) == {"contradiction"}


def test_one_picture_with_two_readings_is_named_as_such() -> None:
    rows = ask("读出里程表。", "42737", images=["a.png"]), ask("读出里程表！", "42787", images=["a.png"])
    assert set(found(contradictions, *rows)) == {"picture-contradiction"}


def test_one_picture_may_be_asked_about_twice() -> None:
    rows = ask("读出里程表。", "42737", images=["a.png"]), ask("车速是多少？", "60", images=["a.png"])
    assert found(contradictions, *rows) == {}


def test_fields_are_compared_value_by_value() -> None:
    def panel(reading: str) -> dict[str, object]:
        return ask("读出仪表。", reading, images=["a.png"], fields={"odometer": reading, "unit": "km"})

    assert found(contradictions, panel("42737"), panel("４２７３７")) == {}
    assert set(found(contradictions, panel("42737"), panel("42787"))) == {"picture-contradiction"}
