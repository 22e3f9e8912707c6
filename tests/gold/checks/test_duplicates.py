"""Questions that stand twice are found; questions that only look alike are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.gold.checks import check_goldset
from harness.gold.checks.contradictions import contradictions
from harness.gold.checks.duplicates import duplicates, near_duplicates, patterns
from harness.gold.goldset import load_goldset
from harness.text import normalise
from tests.gold.checks.made import ask, checked, found, many


def test_the_same_question_in_other_dress_is_a_duplicate() -> None:
    """Full-width forms, case, outer punctuation and spaces are no difference."""
    result = found(
        duplicates,
        ask("维生素Ｂ１２缺乏会引起哪种贫血？", "巨幼细胞贫血"),
        ask(" 维生素b12缺乏会引起哪种贫血? ", "巨幼细胞贫血。"),
        ask("维生素C缺乏会引起什么病？", "坏血病"),
    )
    assert result["duplicate"].severity == "error"
    assert result["duplicate"].items == ("i0", "i1")


def test_twins_behind_an_item_with_another_answer_are_found() -> None:
    question = "成人每日食盐摄入量不应超过多少克？"
    result = found(duplicates, ask(question, "6"), ask(question, "5"), ask(question, "5克"), ask(question, "5"))
    assert result["duplicate"].items == ("i1", "i3")


def test_options_in_another_order_are_the_same_question() -> None:
    """The letters differ, the right option does not."""
    result = found(
        duplicates,
        ask("听觉中枢位于", "B", choices=["角回", "颞横回", "中央后回"]),
        ask("听觉中枢位于", "A", choices=["颞横回", "中央后回", "角回"]),
    )
    assert result["duplicate"].items == ("i0", "i1")


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"choices": ["头", "手"], "answer": "A"}, {"choices": ["足", "口"], "answer": "A"}),
        ({"context": "甲队赢了。"}, {"context": "乙队赢了。"}),
        ({"images": ["a.png"]}, {"images": ["b.png"]}),
    ],
    ids=["options", "context", "picture"],
)
def test_the_same_words_about_something_else_are_no_duplicate(one: dict[str, object], two: dict[str, object]) -> None:
    rows = (ask("下列说法正确的是哪一项？", **one), ask("下列说法正确的是哪一项？", **two))
    assert found(duplicates, *rows) == {}
    assert found(near_duplicates, *rows) == {}
    assert found(contradictions, *rows) == {}


def test_earlier_turns_belong_to_the_question() -> None:
    def talk(first: str) -> dict[str, object]:
        turns = [("user", first), ("assistant", "好的。"), ("user", "那应该怎么办呢，请给出建议？")]
        return {"messages": [{"role": role, "content": text} for role, text in turns]}

    assert found(duplicates, talk("我头痛。"), talk("我牙痛。")) == {}


LONG = "我爸爸今年六十多岁，最近体检发现血压偏高，平时没有什么不舒服，请问需不需要马上开始吃降压药？"


@pytest.mark.parametrize(
    "copy",
    [
        "医生您好，" + LONG,
        LONG.replace("爸爸", "父亲"),
        LONG.replace("，", " ").replace("？", "?"),
        LONG.replace("请问", "") + "谢谢！",
        LONG.replace("马上", "立刻"),
    ],
)
def test_a_reworded_copy_is_a_near_duplicate(copy: str) -> None:
    result = found(near_duplicates, ask(LONG, "要"), ask(copy, "要"), *many(40))
    assert result["near-duplicate"].items == ("i0", "i1")
    assert result["near-duplicate"].severity == "warning"
    assert (result["near-duplicate"].evidence[0].likeness or 0) > 0.6


def test_an_english_copy_is_a_near_duplicate() -> None:
    one = "Which vitamin deficiency causes bleeding gums and slow healing of wounds in adults?"
    two = "Which vitamin deficiency causes bleeding gums and slow healing of wounds in children?"
    assert "near-duplicate" in found(near_duplicates, ask(one, "vitamin C"), ask(two, "vitamin C"))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (ask("按罗马数字排序，位于第十对脑神经这个位置的神经怎样称呼？", "迷走神经"),
         ask("按罗马数字排序，位于第二对脑神经这个位置的神经怎样称呼？", "视神经")),
        (ask("说出一种与维生素B12营养缺乏直接相关的疾病名称。", "贫血"),
         ask("说出一种与维生素B2营养缺乏直接相关的疾病名称。", "口角炎")),
        (ask("一个水池能装128升水，第一天用掉四分之一，还剩多少升？", "96"),
         ask("一个水池能装160升水，第一天用掉四分之一，还剩多少升？", "120")),
        (ask("Use one word to name the baby that belongs to a mother duck.", "duckling"),
         ask("Use one word to name the baby that belongs to a mother cow.", "calf")),
    ],
    ids=["ordinal", "name with a number", "number", "word"],
)  # fmt: skip
def test_one_mould_with_another_answer_is_a_pattern_and_no_duplicate(
    one: dict[str, object], two: dict[str, object]
) -> None:
    assert found(near_duplicates, one, two) == {}
    pattern = found(patterns, one, two)["pattern"]
    assert pattern.severity == "info"
    assert (pattern.count, pattern.values["items"]) == (1, 2)


def test_the_same_steps_in_another_order_are_another_question() -> None:
    """From BIG-Bench Hard's `navigate`, where half of the answers are Yes."""
    start = "If you follow these instructions, do you return to the starting point? "
    one, two = (
        "Take 10 steps. Turn around. Take 6 steps. Take 4 steps.",
        "Take 6 steps. Turn around. Take 4 steps. Take 10 steps.",
    )
    assert found(near_duplicates, ask(start + one, "Yes"), ask(start + two, "Yes")) == {}


def test_a_common_instruction_makes_no_duplicates() -> None:
    """What all questions of a set begin with is not what they ask."""
    instruction = "请仔细阅读下面的问题，用一个词回答，不要解释，不要输出多余的内容，答案写在一行里。问题："
    rows = [{**row, "question": instruction + row["question"][2:6], "answer": "长" * 30} for row in many(30)]
    assert "near-duplicate" not in found(near_duplicates, *rows)


def test_declared_clusters_are_known_and_not_reported() -> None:
    rows = (ask(LONG, "要", cluster="a"), ask(LONG.replace("爸爸", "父亲"), "要", cluster="a"))
    assert found(near_duplicates, *rows) == {}
    assert checked(*rows).units == 1
    twins = (ask(LONG, "要", cluster="a"), ask(LONG, "要", cluster="a"))
    assert found(duplicates, *twins) == {}


def test_likenesses_of_several_kinds_join_into_one_unit() -> None:
    """a ~ b by wording, b and c by a declared cluster: three items, one independent."""
    rows = (ask(LONG, "要"), ask(LONG.replace("爸爸", "父亲"), "要", cluster="x"), ask("另一道题？", cluster="x"))
    assert checked(*rows).units == 1


def test_the_real_duplicates_of_a_published_set_are_found(shared_data: Path) -> None:
    """CMMLU's anatomy test asks after the auditory centre twice, with the options in another order."""
    result = check_goldset(load_goldset("cmmlu", overrides={"cmmlu": str(shared_data / "cmmlu" / "test")}))
    twins = next(finding for finding in result.findings if finding.code == "duplicate")
    pairs = [{normalise(quote.question.split("\n")[0]) for quote in piece.quotes} for piece in twins.evidence]
    assert {"听觉中枢位于"} in pairs
    assert all(len(texts) == 1 for texts in pairs)


def test_word_problems_with_other_numbers_are_no_duplicates(shared_data: Path) -> None:
    """GSM8K's 1,319 test questions are all different."""
    path = str(shared_data / "gsm8k" / "test.jsonl")
    result = check_goldset(load_goldset("gsm8k", overrides={"gsm8k": path}))
    assert {finding.code for finding in result.findings} <= {"pattern", "no-card"}
