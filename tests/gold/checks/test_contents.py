"""Items that nobody can answer, or no scorer can judge."""

from __future__ import annotations

import pytest

from harness.gold.checks.contents import damaged, options, trivial
from tests.gold.checks.made import ask, found


@pytest.mark.parametrize(
    "answer", ["无", "不知道", "N/A", "n/a", "。", "？？？", "-", "null", "I don't know.", "见上", "待补充"]
)
def test_a_placeholder_is_no_answer(answer: str) -> None:
    result = found(trivial, ask("高血压患者饮食上要注意些啥？请说明。", answer))
    assert result["trivial-answer"].severity == "error"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("患者有无药物过敏史？病历：否认药物过敏。", "无"),
        ("该检查有哪些禁忌证？", "无"),
        ("Is there any contraindication?", "None"),
        ("疑问句的句末用什么标点符号？", "？"),
        ("在4和2之间填上运算符号，使结果为2。", "-"),
        ("钠的元素符号是什么？", "Na"),
        ("零乘以五得几？", "0"),
        ("结果是正还是负？", "+"),
        ("用一个表情回答。", "😀"),
        ("是或否？", "否"),
        ("选一个字母。", "B"),
    ],
)
def test_short_answers_that_are_meant_are_left_alone(question: str, answer: str) -> None:
    assert found(trivial, ask(question, answer)) == {}


def test_one_real_answer_among_placeholders_is_enough() -> None:
    assert found(trivial, ask("感冒吃啥药？", ["布洛芬", "不知道"])) == {}


def test_questions_that_say_nothing_are_found() -> None:
    result = found(trivial, ask("无", "布洛芬"), ask("？？", "布洛芬"), ask("无尿是怎么回事？", "肾衰竭"))
    assert result["trivial-question"].items == ("i0", "i1")


def test_a_picture_may_speak_for_itself() -> None:
    assert found(trivial, ask("?", "42", images=["a.png"])) == {}


def test_an_answer_that_is_no_option_is_found() -> None:
    result = found(options, ask("血型？", "E", choices=["A型", "B型"]), ask("血型？", "B", choices=["A型", "B型"]))
    assert result["broken-choice"].items == ("i0",)


def test_an_option_that_stands_twice_is_found() -> None:
    result = found(options, ask("单位？", "A", choices=["mmol/L", "ｍｍｏｌ/L ", "g/L"]))
    assert result["twin-options"].severity == "error"


@pytest.mark.parametrize("choices", [["SQ", "sq", "QS", "qs"], ["[0, 1)", "(0, 1)"], ["-3", "3"], ["1.5", "15"]])
def test_options_that_differ_in_case_sign_or_bracket_are_two(choices: list[str]) -> None:
    assert found(options, ask("哪一个？", "A", choices=choices)) == {}


@pytest.mark.parametrize(
    "text",
    ["高血\ufffd患者", "锟斤拷的症状", "头痛".encode().decode("latin-1"), "头痛<br>发热", "头痛&nbsp;发热", "头\x00痛"],
)
def test_text_that_was_damaged_on_the_way_is_found(text: str) -> None:
    assert found(damaged, ask(f"{text}怎么办", "休息"))["damaged-text"].severity == "warning"


@pytest.mark.parametrize(
    "text",
    [
        "HTML 里换行用 <br> 吗？",
        "若 a<b 且 b>c，则？",
        "Où est-il né à Orléans?",
        "温度 <38℃ 怎么办",
        "R&D 是什么？",
        "😀是什么表情",
    ],
)
def test_signs_that_belong_there_are_no_damage(text: str) -> None:
    assert found(damaged, ask(text, "是")) == {}
