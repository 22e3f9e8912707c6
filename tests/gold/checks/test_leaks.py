"""Answers that stand in their question are found, where they give it away."""

from __future__ import annotations

import pytest

from harness.gold.checks.leaks import leaked_answers
from tests.gold.checks.made import ask, found, many


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("坏血病缺乏维生素C，坏血病缺的是什么维生素", "维生素C"),
        ("《红楼梦》的作者曹雪芹叫什么名字？", "曹雪芹"),
        ("Aspirin, also called acetylsalicylic acid: what is another name of aspirin?", "acetylsalicylic acid"),
        ("已知正确答案为心肌梗死，请问最可能的诊断是什么？", ["心肌梗死", "MI"]),
    ],
)
def test_an_answer_in_the_question_is_found(question: str, answer: object) -> None:
    assert found(leaked_answers, ask(question, answer))["leaked-answer"].severity == "warning"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("高血压患者应选红茶还是绿茶？", "绿茶"),
        ("下列哪种是抗生素：阿司匹林、青霉素、布洛芬？", "青霉素"),
        ("A. 心脏 B. 肝脏 C. 肾脏，哪个产生胆汁", "肝脏"),
        ("Is a whale a fish or a mammal?", "mammal"),
        ("Classify this as either an object or an action.", "action"),
        ("阿司匹林可以和华法林同服吗？", "可以"),
        ("Is it true that the sun is a star?", "true"),
        ("小丽比小红高，小红比小芳高，三人中谁最矮？", "小芳"),
        ("3个苹果加12个苹果是多少？", "12"),
        ("Where does the heart beat?", "art"),
        ("心脏在左还是右", "左"),
        (r"What is $\sqrt{53}$ in simplest radical form?", r"\sqrt{53}"),
    ],
)
def test_answers_that_are_offered_or_there_by_chance_are_left_alone(question: str, answer: str) -> None:
    assert found(leaked_answers, ask(question, answer)) == {}


def test_listed_options_hold_the_answer_by_nature() -> None:
    assert found(leaked_answers, ask("选出抗生素：青霉素是其中之一", "A", choices=["青霉素", "布洛芬"])) == {}


def test_where_many_answers_stand_in_their_questions_the_task_is_reading() -> None:
    rows = [
        ask(f"把{word}倒过来念之前先抄写一遍这个词", word) for word in ("苹果", "香蕉", "葡萄", "西瓜", "桃子", "李子")
    ]
    result = found(leaked_answers, *rows, *many(10))
    assert result["reading-task"].severity == "info"
    assert result["reading-task"].count == 6


def test_a_worked_solution_leaks_by_its_result_only() -> None:
    assert found(leaked_answers, ask("每盒12个，两盒多少个？", "每盒12个\n#### 24")) == {}
