"""Whose item a recorded answer is: by id, by question, and refused where it could be two."""

from __future__ import annotations

from typing import Any

import pytest

from harness.engines.recorded.joining import Joiner, check_options_order
from harness.engines.recorded.record import Record
from harness.errors import InputError
from tests.engines.recorded.made import Asked, asked


def items(*questions: str, **more: Any) -> list[dict[str, Any]]:
    return [{"id": f"item-{n}", "question": question, **more} for n, question in enumerate(questions)]


def joined(record: Record, *tasks: Asked) -> list[tuple[str, str]]:
    return [(target.task.name, target.item.id) for target in Joiner(tasks).join(record)]


def prompted(prompt: str, **more: Any) -> Record:
    return Record("a.jsonl:1", "x", prompt=prompt, **more)


QA = asked("qa", items("发烧多少度算高烧？", "What is the capital of France?"))


@pytest.mark.parametrize(
    "prompt",
    [
        "发烧多少度算高烧？",
        "发烧多少度算高烧?",  # width
        " 发烧多少度算高烧？\n",
        "请回答下面的问题。\n问题：发烧多少度算高烧？\n答案：",
        "<|im_start|>user\n发烧多少度算高烧？<|im_end|>\n<|im_start|>assistant\n",
    ],
)
def test_a_question_is_found_in_its_prompt(prompt: str) -> None:
    assert joined(prompted(prompt), QA) == [("qa", "item-0")]


@pytest.mark.parametrize(
    "prompt", ["", "你好", "发烧多少度算低烧？", "what is the capital of france?", "capital of France?"]
)
def test_another_question_is_nobodys(prompt: str) -> None:
    """Case counts, and so does the front of a question."""
    assert joined(prompted(prompt), QA) == []


def test_an_id_is_enough_and_a_question_agrees_with_it() -> None:
    assert joined(Record("a", "x", item_id="item-1"), QA) == [("qa", "item-1")]
    assert joined(prompted("a template of its own", item_id="item-1"), QA) == [("qa", "item-1")]
    assert joined(prompted("发烧多少度算高烧？", item_id="item-0"), QA) == [("qa", "item-0")]
    assert joined(prompted("发烧多少度算高烧？", item_id="theirs-17"), QA) == [("qa", "item-0")]


def test_an_id_and_a_question_that_disagree_are_refused() -> None:
    with pytest.raises(InputError, match="has the id of item 'item-1' and the question of item 'item-0'"):
        joined(prompted("发烧多少度算高烧？", item_id="item-1"), QA)


def test_a_number_may_be_a_position_so_that_the_question_decides() -> None:
    numbered = asked("qa", [{"id": "1", "question": "发烧多少度算高烧？"}, {"id": "0", "question": "Which city?"}])
    assert joined(prompted("发烧多少度算高烧？", item_id="0"), numbered) == [("qa", "1")]
    assert joined(prompted("发烧多少度算高烧？", item_id="1"), numbered) == [("qa", "1")]
    assert joined(prompted("something else", item_id="1"), numbered) == []


def test_a_question_inside_a_longer_one_is_not_asked() -> None:
    task = asked("qa", items("高烧怎么办？", "小孩高烧怎么办？", "1+1=", "11+1="))
    assert joined(prompted("问：小孩高烧怎么办？"), task) == [("qa", "item-1")]
    assert joined(prompted("问：高烧怎么办？"), task) == [("qa", "item-0")]
    assert joined(prompted("Q: 11+1="), task) == [("qa", "item-3")]
    assert joined(prompted("Q: 21+1="), task) == []


def test_of_examples_in_one_style_the_last_is_asked() -> None:
    prompt = "Q: 发烧多少度算高烧？\nA: 39\n\nQ: What is the capital of France?\nA:"
    assert joined(prompted(prompt), QA) == [("qa", "item-1")]


@pytest.mark.parametrize(
    "prompt",
    [
        "Q: 发烧多少度算高烧？\nA: 39\n\nQ: 中暑了怎么办？\nA:",
        "Question: What is the capital of France?\nAnswer: Paris\n\nQuestion: 中暑了怎么办？\nAnswer:",
        "问题：发烧多少度算高烧？\n答案：39\n\n问题：中暑了怎么办？\n答案：",
        "问题：什么病？\n答案：肺炎\n\n问题：发烧多少度算高烧？\n答案：39\n\n问题：中暑了怎么办？\n答案：",
        "发烧多少度算高烧？\n39\n\n中暑了怎么办？\n",
    ],
)
def test_an_example_is_not_asked_where_the_gold_set_lacks_what_is(prompt: str) -> None:
    """Examples often come from the set that is asked. What leads in to them, or the tool's own question, tells."""
    assert joined(prompted(prompt, question="中暑了怎么办？"), QA) == []
    if ":" in prompt or "：" in prompt:
        assert joined(prompted(prompt), QA) == []
    assert joined(prompted(prompt, item_id="item-1", question="中暑了怎么办？"), QA) == [("qa", "item-1")]


def test_a_column_that_is_no_question_hides_none_in_the_prompt() -> None:
    """A data set's `instruction` stands before the question."""
    prompt = "请用一个数字回答。\n发烧多少度算高烧？\n答案："
    assert joined(prompted(prompt, question="请用一个数字回答。"), QA) == [("qa", "item-0")]


def test_two_questions_in_different_places_are_refused() -> None:
    """One of them may be an option, an instruction or a passage: which, nobody can tell."""
    prompt = "Which of these is medical?\nA. 发烧多少度算高烧？\nQuestion: What is the capital of France?"
    with pytest.raises(InputError, match=r"holds the questions of 2 items \('item-1', 'item-0'\)\. .*'id' column"):
        joined(prompted(prompt), QA)
    assert joined(prompted(prompt, question="What is the capital of France?"), QA) == [("qa", "item-1")]
    assert joined(prompted(prompt, item_id="item-1", question=QA.goldset.items[1].question), QA) == [("qa", "item-1")]


def test_two_items_of_one_question_are_told_apart_by_id_alone() -> None:
    task = asked(
        "qa",
        [
            {"id": "adult", "question": "剂量是多少？", "answer": "2"},
            {"id": "child", "question": "剂量是多少？", "answer": "1"},
        ],
    )
    with pytest.raises(InputError, match=r"fits 2 items \('adult' of task 'qa', 'child' of task 'qa'\)\. .*'id'"):
        joined(prompted("剂量是多少？"), task)
    assert joined(prompted("剂量是多少？", item_id="child"), task) == [("qa", "child")]


def test_one_item_in_two_tasks_is_answered_in_both_unless_the_tool_names_one() -> None:
    first, second = asked("short-qa", items("Which?")), asked("long-qa", items("Which?"))
    assert joined(prompted("Which?"), first, second) == [("short-qa", "item-0"), ("long-qa", "item-0")]
    assert joined(prompted("Which?", task="Long_QA"), first, second) == [("long-qa", "item-0")]
    assert joined(prompted("Which?", task="general_qa"), first, second) == [
        ("short-qa", "item-0"),
        ("long-qa", "item-0"),
    ]


def test_two_items_of_one_question_in_two_tasks_need_the_name_of_the_task() -> None:
    first = asked("adults", [{"id": "a", "question": "剂量是多少？", "answer": "2"}])
    second = asked("children", [{"id": "c", "question": "剂量是多少？", "answer": "1"}])
    with pytest.raises(InputError, match=r"fits 2 items .* or its file the name of the task"):
        joined(prompted("剂量是多少？"), first, second)
    assert joined(prompted("剂量是多少？", task="children"), first, second) == [("children", "c")]


CHINESE = items("哪一味是解表药？", choices=["麻黄", "麻黄碱", "黄连", "黄芪"], answer="A")
ENGLISH = items("Which is a fruit?", choices=["pear", "pear tree", "tree", "stone"], answer="A")


@pytest.mark.parametrize("rows", [CHINESE, ENGLISH], ids=["zh", "en"])
@pytest.mark.parametrize("style", ["{}. {}\n", "{}) {}\n", "({}) {}\n", "{}：{}；", "{}、{} ", "{}. {} "])
def test_options_behind_other_letters_are_refused_in_any_style(rows: list[dict[str, Any]], style: str) -> None:
    task = asked("choice", rows, scorers=("choice",), primary="choice")
    question, choices = rows[0]["question"], rows[0]["choices"]

    def check(order: list[str]) -> None:
        shown = "".join(style.format(letter, text) for letter, text in zip("ABCD", order, strict=True))
        record = prompted(f"请选择。\n{question}\n{shown}\n答案：")
        (target,) = Joiner([task]).join(record)
        check_options_order(record, target)

    check(choices)
    with pytest.raises(InputError, match=r"shows option C of item 'item-0' as D.*without shuffling"):
        check([choices[0], choices[1], choices[3], choices[2]])
    with pytest.raises(InputError, match=r"shows option A of item 'item-0' as (B/)?C\."):
        check([choices[2], choices[1], choices[0], choices[3]])


def test_a_prompt_that_shows_no_options_says_nothing_of_their_order() -> None:
    task = asked("choice", CHINESE, scorers=("choice",), primary="choice")
    record = prompted("哪一味是解表药？")
    (target,) = Joiner([task]).join(record)
    check_options_order(record, target)


def test_texts_have_no_letters_that_could_be_wrong() -> None:
    scorer = {"choice": {"method": "loglikelihood", "options": "text"}}
    task = asked("choice", CHINESE, answer="loglikelihood", scorers=(scorer,), primary="choice")
    record = prompted("哪一味是解表药？\nA. 黄芪\nB. 麻黄")
    (target,) = Joiner([task]).join(record)
    check_options_order(record, target)


def test_ten_thousand_questions_are_found_in_seconds() -> None:
    """In long prompts: the time must not grow with items times characters."""
    import time

    joiner = Joiner([asked("qa", items(*(f"第{n}号病人的血压是多少毫米汞柱？" for n in range(10_000))))])
    since = time.process_time()
    for n in range(0, 10_000, 10):
        prompt = "请回答。" * 200 + f"\n问题：第{n}号病人的血压是多少毫米汞柱？\n答案："
        (target,) = joiner.join(prompted(prompt))
        assert target.item.id == f"item-{n}"
    assert time.process_time() - since < 5
