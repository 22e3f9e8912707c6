"""Gold items in training data, in whatever shape the data is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.errors import InputError
from harness.gold.checks.finding import Finding
from harness.gold.checks.material import Material
from harness.gold.checks.training import TrainingLeaks
from harness.gold.goldset import load_goldset
from tests.gold.checks.made import ask, goldset, many

Q = "老年糖尿病患者空腹血糖应控制在什么范围之内，餐后两小时血糖又应控制在什么范围之内？"
A = "空腹7至8毫摩尔每升"


@pytest.fixture
def against(tmp_path: Path) -> Any:
    def check(gold: Sequence[Mapping[str, Any]], train: Any, name: str = "train.jsonl") -> dict[str, Finding]:
        path = tmp_path / name
        if isinstance(train, bytes):
            path.write_bytes(train)
        elif name.endswith(".json"):
            path.write_text(json.dumps(train, ensure_ascii=False), encoding="utf-8")
        else:
            path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in train), encoding="utf-8")
        return {finding.code: finding for finding in TrainingLeaks([str(path)])(Material(goldset(gold)))}

    return check


SHAPES: dict[str, Any] = {
    "alpaca": {"instruction": Q, "input": "", "output": A},
    "alpaca with input": {"instruction": Q[:20], "input": Q[20:], "output": A},
    "sharegpt": {"conversations": [{"from": "human", "value": Q}, {"from": "gpt", "value": A}]},
    "messages": {"messages": [{"role": "system", "content": "你是医生。"}, {"role": "user", "content": Q}]},
    "second turn": {"messages": [{"role": "user", "content": "你好"}, {"role": "user", "content": Q}]},
    "prompt and completion": {"prompt": Q, "completion": A},
    "text": {"text": f"<|im_start|>user\n{Q}<|im_end|>\n<|im_start|>assistant\n{A}<|im_end|>"},
    "template": {
        "text": f"Below is an instruction that describes a task.\n\n### Instruction:\n{Q}\n\n### Response:\n{A}"
    },
    "preference": {"prompt": [{"role": "user", "content": Q}], "chosen": A, "rejected": "不知道"},
    "nested": {"data": {"turns": [[{"q": Q}]]}},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_question_that_was_trained_on_is_found_in_every_shape(shape: str, against: Any) -> None:
    noise = [{"instruction": row["question"], "output": row["answer"]} for row in many(30)]
    found = against([ask(Q, A)], [*noise, SHAPES[shape]])
    assert set(found) == {"train-verbatim"}
    assert found["train-verbatim"].severity == "error"
    gold, train = found["train-verbatim"].evidence[0].quotes
    assert gold.where == "i0"
    assert train.where.endswith("train.jsonl, row 31")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("train.csv", f"title,ask,answer\n血糖,{Q},{A}\n".encode("gb18030")),
        ("train.tsv", f"ask\tanswer\n{Q}\t{A}\n".encode("utf-8-sig")),
        ("train.json", [{"instruction": Q, "output": A}]),
    ],
)
def test_tables_and_lists_are_read_too(name: str, data: Any, against: Any) -> None:
    assert "train-verbatim" in against([ask(Q, A)], data, name)


def test_dress_makes_no_difference(against: Any) -> None:
    english = "Which nerve is compressed in carpal tunnel syndrome, and which fingers go numb?"
    rows = [{"text": english.upper().replace(",", " ;")}, {"text": Q.replace("，", ", ").replace("2", "２")}]
    assert against([ask(english, "median"), ask(Q, A)], rows)["train-verbatim"].count == 2


def test_whether_the_answer_was_trained_on_too_is_told(against: Any) -> None:
    rows = [{"instruction": Q, "output": "请咨询医生。"}, {"instruction": Q, "output": A}]
    with_answer = against([ask(Q, A)], rows)["train-verbatim"]
    assert with_answer.evidence[0].answered is True
    assert with_answer.evidence[0].quotes[1].where.endswith("row 2")
    assert against([ask(Q, A)], rows[:1])["train-verbatim"].evidence[0].answered is False


def test_a_reworded_question_with_the_same_answer_is_a_near_duplicate(against: Any) -> None:
    copy = Q.replace("老年", "高龄").replace("什么", "哪个")
    found = against([ask(Q, A)], [{"instruction": copy, "output": f"一般建议{A}。"}])
    assert found["train-near"].severity == "warning"
    assert 0.7 <= (found["train-near"].evidence[0].likeness or 0) < 1


@pytest.mark.parametrize(
    "row",
    [
        {"instruction": "一个水池能装128升水，第一天用掉四分之一，还剩多少升？", "output": "96"},
        {"instruction": "一个水池能装160升水，第一天用掉五分之一，还剩多少升？", "output": "128"},
    ],
    ids=["other number", "other word and answer"],
)
def test_a_question_of_the_same_mould_is_no_leak(row: Mapping[str, str], against: Any) -> None:
    assert against([ask("一个水池能装160升水，第一天用掉四分之一，还剩多少升？", "120")], [row]) == {}


def test_a_long_question_with_another_number_is_no_leak(against: Any) -> None:
    """Runs of 13 words cover four fifths of it; what is asked is another sum."""
    gold = [ask("56 apples are shared equally among 2 teams. How many apples does each team get?", "28")]
    row = "{} apples are shared equally among 2 teams. How many apples does each team get?"
    assert against(gold, [{"instruction": row.format(34), "output": "17"}]) == {}
    assert set(against(gold, [{"instruction": row.format(56), "output": "28"}])) == {"train-verbatim"}


def test_a_shared_field_of_knowledge_is_no_leak(against: Any) -> None:
    rows = [
        {"instruction": "糖尿病患者的饮食应该注意什么？", "output": "控制碳水化合物。"},
        {"text": "血糖 胰岛素 餐后两小时"},
    ]
    assert against([ask(Q, A), ask("高血压怎么办？", "低盐饮食")], rows) == {}


def test_a_passage_in_common_is_shown_and_not_condemned(against: Any) -> None:
    passage = "患者男性六十八岁反复咳嗽咳痰二十余年近三天来受凉后症状明显加重并出现发热和气促入院治疗"
    gold = [
        ask(
            f"{passage}。请根据以上病历写出最可能的诊断，并说明还需要完善哪些影像学和实验室检查来支持该诊断。", "慢阻肺"
        )
    ]
    found = against(gold, [{"text": f"病历摘要：{passage}。家属想知道住院期间的护理要点。"}])
    assert set(found) == {"train-passage"}
    assert found["train-passage"].severity == "warning"
    assert 0.3 < (found["train-passage"].evidence[0].likeness or 0) < 0.8


def test_the_common_instruction_of_a_gold_set_is_no_passage(against: Any) -> None:
    instruction = "请仔细阅读下面的问题，根据你掌握的医学知识用一句话作答，不要输出任何多余的解释或说明文字。"
    gold = [ask(f"{instruction}{row['question']}", row["answer"]) for row in many(6)]
    assert against(gold, [{"text": f"{instruction}今天天气怎么样？"}]) == {}


def test_a_generic_stem_with_other_options_is_no_certain_leak(against: Any) -> None:
    gold = [ask("下列物质性质与应用对应关系正确的是", "A", choices=["明矾可净水", "硫磺可食用", "水银可饮用"])]
    other = {
        "question": "下列物质性质与应用对应关系正确的是",
        "A": "石墨可导电",
        "B": "食盐可燃烧",
        "C": "沙子可溶于水",
    }
    same = {"question": "下列物质性质与应用对应关系正确的是", "A": "硫磺可食用", "B": "明矾可净水", "C": "水银可饮用"}
    assert "train-verbatim" not in against(gold, [other])
    assert "train-verbatim" in against(gold, [same])


def test_several_files_and_folders_are_read(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for number in range(3):
        text = json.dumps({"text": Q if number == 2 else f"别的内容{number}"}, ensure_ascii=False)
        (tmp_path / "parts" / f"{number}.jsonl").write_text(text + "\n", encoding="utf-8")
    found = list(TrainingLeaks([str(tmp_path / "parts")])(Material(goldset([ask(Q, A)]))))
    assert [finding.code for finding in found] == ["train-verbatim"]
    assert found[0].evidence[0].quotes[1].where.endswith("2.jsonl, row 1")


def test_a_file_that_is_not_there_is_an_error_before_anything_starts() -> None:
    with pytest.raises(InputError, match="does not exist"):
        TrainingLeaks(["nowhere.jsonl"])


def test_a_published_leak_is_found(shared_data: Path) -> None:
    """CMMLU's dev split, meant for few-shot prompts, holds three questions of its own test split."""
    test = load_goldset("cmmlu", overrides={"cmmlu": str(shared_data / "cmmlu" / "test")})
    found = {f.code: f for f in TrainingLeaks([str(shared_data / "cmmlu" / "dev")])(Material(test))}
    asked = [piece.quotes[0].question.split("\n")[0] for piece in found["train-verbatim"].evidence]
    assert any("真" in text and "集个数为" in text for text in asked)
    assert "已知一个等差数列的首项为1，公差为3，那么该数列的前5项和为" in asked


def test_gsm8k_was_divided_well(shared_data: Path) -> None:
    """None of the 1,319 test questions stands in the 7,473 training questions."""
    test = load_goldset("gsm8k", overrides={"gsm8k": str(shared_data / "gsm8k" / "test.jsonl")})
    found = list(TrainingLeaks([str(shared_data / "gsm8k" / "train.jsonl")])(Material(test)))
    assert {finding.code for finding in found} <= {"train-passage"}
