"""lm-evaluation-harness: its own recordings of the demo's models, and what of such files is refused."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.engines.recorded.lmeval import LmEvalSamples
from harness.errors import InputError
from harness.scorers.likelihoods import read_likelihoods
from tests.engines.recorded.made import (
    Asked,
    arithmetic,
    asked,
    letters,
    lines,
    load,
    medical,
    one,
    outputs,
    read,
    rows,
    spoken,
    texts,
)

SIDES = ("base", "lora")


def samples(side: str, task: str) -> Path:
    return one(f"lm-eval/{side}/samples_{task}_2*.jsonl")


def scores(path: Path, task: Asked, metric: str) -> dict[str, float]:
    """What our scorer gives to every recorded answer."""
    found = {}
    for (_, item_id, _), record in load(path, task).answers.items():
        for scorer in task.task.make_scorers():
            for score in scorer.score(task.goldset.by_id[item_id], record.output):
                if score.metric == metric:
                    assert score.value is not None
                    found[item_id] = score.value
    return found


def theirs(path: Path, task: Asked, metric: str) -> dict[str, float]:
    """lm-eval's own score of every document, by the id of the item that has its question."""
    ids = {item.question: item.id for item in task.goldset.items}
    return {ids[row["doc"]["question"]]: row[metric] for row in rows(path)}


@pytest.mark.parametrize("side", SIDES)
def test_exact_is_lm_evals_exact_match(side: str) -> None:
    """lm-eval was given one right answer each, and no answer here is one of the other accepted ones."""
    path = samples(side, "medical_qa")
    expected = theirs(path, medical(), "exact_match")
    assert 0 < sum(expected.values()) < len(expected) == 8
    assert scores(path, medical(), "exact") == expected


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("task", "made"), [("tcm_choice", letters), ("tcm_choice_text", texts)])
@pytest.mark.parametrize(("ours", "metric"), [("choice", "acc"), ("choice_norm", "acc_norm")])
def test_choice_is_lm_evals_acc_and_choice_norm_its_acc_norm(
    side: str, task: str, made: Any, ours: str, metric: str
) -> None:
    path = samples(side, task)
    expected = theirs(path, made(), metric)
    assert 0 < sum(expected.values()) < len(expected) == 8
    assert scores(path, made(), ours) == expected


def test_sums_are_kept_to_the_digit_in_the_items_order() -> None:
    path = samples("base", "tcm_choice")
    first = rows(path)[0]
    record = load(path, letters()).find("tcm-choice", "tcm-choice-easy-001", 0)
    assert record is not None
    weighed = read_likelihoods(record.output)
    assert weighed is not None
    assert [option.text for option in weighed.options] == ["A", "B", "C", "D"]
    assert [option.logprob for option in weighed.options] == [float(r[0][0]) for r in first["resps"]]
    assert [option.tokens for option in weighed.options] == [None] * 4


@pytest.mark.parametrize("length", ["character", "byte"])
def test_length_is_that_of_the_text_and_needs_no_tokens(length: str) -> None:
    """lm-eval records how likely an option is but not of how many tokens it is."""
    scorer = {"choice": {"method": "loglikelihood", "options": "text", "length": length}}
    task = asked("tcm-choice-text", "tcm-choice", answer="loglikelihood", scorers=(scorer,), primary="choice_norm")
    path = samples("lora", "tcm_choice_text")
    expected = {}
    for row, item in zip(rows(path), task.goldset.items, strict=True):
        sizes = [len(c.encode()) if length == "byte" else len(c) for c in row["doc"]["choices"]]
        normed = [float(r[0][0]) / size for r, size in zip(row["resps"], sizes, strict=True)]
        expected[item.id] = float("ABCD"[normed.index(max(normed))] == row["doc"]["answer"])
    assert scores(path, task, "choice_norm") == expected


def test_the_raw_answers_are_read_and_each_filter_only_once() -> None:
    """Both filters of the task hold the same documents; what a filter took out of a text is no answer."""
    path = samples("lora", "arithmetic_mini")
    given = rows(path)
    assert [row["filter"] for row in given] == ["strict-match"] * 9 + ["flexible-extract"] * 9
    found = outputs(load(path, arithmetic()))
    assert found == {("arithmetic-mini", row["doc"]["id"], 0): row["resps"][0][0] for row in given}
    assert found["arithmetic-mini", "ari-medium-049", 0] == "141-33=98\n98-7=91\n#### 91"


def test_the_right_answers_by_hand() -> None:
    wrong = {
        "base": {"ari-hard-025"},
        "lora": {i.id for i in arithmetic().goldset.items} - {"ari-easy-062", "ari-easy-064"},
    }
    for side, ids in wrong.items():
        found = scores(samples(side, "arithmetic_mini"), arithmetic(), "number")
        assert {i for i, value in found.items() if not value} == ids


def test_ids_and_questions_join_alike(tmp_path: Path) -> None:
    """The data set of arithmetic has the gold set's ids; without them its questions do."""
    path = samples("base", "arithmetic_mini")
    by_id = load(path, arithmetic())
    assert "found by id (9)" in by_id.summary
    without = [{**row, "doc": {k: v for k, v in row["doc"].items() if k != "id"}} for row in rows(path)]
    by_question = load(lines(tmp_path / path.name, *without), arithmetic())
    assert "found by question (9)" in by_question.summary
    assert outputs(by_question) == outputs(by_id)
    only_prompt = [{**row, "doc": {}} for row in rows(path)]
    assert outputs(load(lines(tmp_path / path.name, *only_prompt), arithmetic())) == outputs(by_id)


def test_positions_join_nothing(tmp_path: Path) -> None:
    """`doc_id` counts from 0 in whatever order and after whatever limit."""
    path = samples("base", "medical_qa")
    given = rows(path)[::-1]
    for number, row in enumerate(given):
        row["doc_id"] = number
    assert outputs(load(lines(tmp_path / path.name, *given), medical())) == outputs(load(path, medical()))


def test_the_name_of_the_file_is_a_hint_and_no_more(tmp_path: Path) -> None:
    """Two tasks ask the same questions: the tool's name of its task decides, and without it both are answered."""
    items = [{"id": i.id, "question": i.question, "answer": list(i.answer)} for i in medical().goldset.items]
    other = asked("medical-again", items)
    path = samples("base", "medical_qa")
    assert {task for task, _, _ in load(path, medical(), other).answers} == {"medical-qa"}
    renamed = tmp_path / "answers.jsonl"
    shutil.copy(path, renamed)
    assert {task for task, _, _ in load(renamed, medical(), other).answers} == {"medical-qa", "medical-again"}


def fewshot() -> tuple[Path, Asked]:
    """A recording with two examples before each question, and a gold set that has the examples' questions as well."""
    path = one("lm-eval/fewshot/*.jsonl")
    questions = sorted(
        {q for row in rows(path) for q in re.findall(r"Q: (.*)", row["arguments"]["gen_args_0"]["arg_0"])}
    )
    return path, asked("arithmetic-mini", [{"id": f"q{n}", "question": q} for n, q in enumerate(questions)])


def test_of_few_shot_examples_the_last_is_asked_and_repeats_are_repeats() -> None:
    path, task = fewshot()
    given = rows(path)
    ids = {item.question: item.id for item in task.goldset.items}
    assert len(ids) > len(given)
    expected = {
        ("arithmetic-mini", ids[row["doc"]["question"]], repeat): text
        for row in given
        for repeat, text in enumerate(row["resps"][0])
    }
    assert len(expected) == 18
    assert outputs(load(path, task)) == expected


def test_few_shot_prompts_suffice_without_the_document(tmp_path: Path) -> None:
    """Each holds the questions of three items, all led in to by `Q:`."""
    path, task = fewshot()
    bare = lines(tmp_path / path.name, *({**row, "doc": {}} for row in rows(path)))
    assert outputs(load(bare, task)) == outputs(load(path, task))


def test_an_answer_is_not_given_to_the_item_of_an_example() -> None:
    """The gold set holds the questions of the examples and none that was asked."""
    path, task = fewshot()
    questions = {row["doc"]["question"] for row in rows(path)}
    shown = [{"id": i.id, "question": i.question} for i in task.goldset.items if i.question not in questions]
    assert shown
    with pytest.raises(InputError, match=r"jsonl:1: 18 of 18 answers belong to no item"):
        load(path, asked("arithmetic-mini", shown))


def test_chat_prompts_are_read_by_their_last_turn(tmp_path: Path) -> None:
    """Chat endpoints get JSON (`JsonChatStr` in lm_eval/models/api_models.py), examples in turns of their own."""
    row = rows(samples("base", "medical_qa"))[0]
    examples = [
        {"role": "user", "content": medical().goldset.items[3].question},
        {"role": "assistant", "content": "大叶性肺炎"},
        {"role": "user", "content": f"{row['doc']['question']}\n请只写出答案，不要解释。"},
    ]
    row["arguments"]["gen_args_0"]["arg_0"] = [json.dumps(examples, ensure_ascii=False)]
    row["doc"] = {}
    assert set(outputs(load(lines(tmp_path / "a.jsonl", row), medical()))) == {("medical-qa", "med-easy-001", 0)}


def test_texts_and_likelihoods_are_not_taken_for_each_other() -> None:
    with pytest.raises(InputError, match=r"jsonl:1: holds the likelihoods of options, but task 'tcm-spoken' .* text"):
        load(samples("base", "tcm_choice"), spoken())
    weighed = asked(
        "medical-qa",
        [{"id": "m", "question": rows(samples("base", "medical_qa"))[0]["doc"]["question"], "choices": ["a", "b"]}],
        answer="loglikelihood",
        scorers=({"choice": {"method": "loglikelihood"}},),
        primary="choice",
    )
    with pytest.raises(InputError, match=r"jsonl:1: holds a generated text, but task 'medical-qa' .* likelihoods"):
        load(samples("base", "medical_qa"), weighed)


def test_the_likelihoods_of_other_texts_are_refused(tmp_path: Path) -> None:
    """Of letters where texts are compared, and of other texts than the item's."""
    renamed = tmp_path / "answers.jsonl"
    shutil.copy(samples("base", "tcm_choice"), renamed)
    with pytest.raises(
        InputError, match=r"jsonl:1: holds the likelihoods of 'A, B, C, D', .* '麻黄, 葛根, 柴胡, 薄荷'"
    ):
        load(renamed, texts())
    row = rows(samples("base", "tcm_choice_text"))[0]
    row["arguments"]["gen_args_3"]["arg_1"] = "甘草"
    with pytest.raises(InputError, match=r"holds the likelihoods of '麻黄, 葛根, 柴胡, 甘草'"):
        load(lines(tmp_path / "b.jsonl", row), texts())


def test_a_text_recording_asked_in_another_order_is_put_right(tmp_path: Path) -> None:
    """A likelihood of a text is that of the text, wherever it stood."""
    path = samples("base", "tcm_choice_text")
    turned = rows(path)
    for row in turned:
        keys = list(row["arguments"])
        row["arguments"] = dict(zip(keys, reversed(row["arguments"].values()), strict=True))
        row["resps"].reverse()
    assert outputs(load(lines(tmp_path / "a.jsonl", *turned), texts())) == outputs(load(path, texts()))


@pytest.mark.parametrize("value", ["nan", "-inf", "inf", "1" * 400])
def test_a_likelihood_that_is_no_number_is_a_failure_not_a_wrong_answer(tmp_path: Path, value: str) -> None:
    """A model that overflows in half precision: lm-eval writes `nan` and takes an option all the same."""
    path = samples("base", "tcm_choice")
    given = rows(path)
    given[2]["resps"][1][0][0] = value
    found = load(lines(tmp_path / path.name, *given), letters(), spoken())
    assert {task for task, _, _ in found.answers} == {"tcm-choice"}
    failed = found.answers.pop(("tcm-choice", letters().goldset.items[2].id, 0))
    assert (failed.finish_reason, failed.output) == ("error", "")
    assert failed.error == "the model gives no finite likelihood to an option"
    whole = outputs(load(path, letters()))
    assert outputs(found) == {key: text for key, text in whole.items() if key in found.answers}
    assert len(found.answers) == 7


def test_letters_that_name_other_options_are_refused(tmp_path: Path) -> None:
    """Somebody's task shuffles the options: its A is another."""
    row = rows(samples("base", "tcm_choice"))[0]
    for argument in row["arguments"].values():
        argument["arg_0"] = argument["arg_0"].replace("A. 麻黄\nB. 葛根", "A. 葛根\nB. 麻黄")
    with pytest.raises(InputError, match=r"jsonl:1: shows option A of item 'tcm-choice-easy-001' as B\. .*shuffling"):
        load(lines(tmp_path / "a.jsonl", row), letters())


def test_the_empty_prompts_of_mutual_information_are_left_out(tmp_path: Path) -> None:
    """`acc_mutual_info` asks every option twice, the second time after nothing (lm_eval/api/task.py)."""
    path = samples("base", "tcm_choice")
    doubled = rows(path)
    for row in doubled:
        for number, letter in enumerate("ABCD", start=4):
            row["arguments"][f"gen_args_{number}"] = {"arg_0": "", "arg_1": letter}
            row["resps"].append([["-1.0", "False"]])
    assert outputs(load(lines(tmp_path / "a.jsonl", *doubled), letters())) == outputs(load(path, letters()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row: row.pop("resps"), "is no line of lm-eval samples ('resps')"),
        (lambda row: row.update(arguments=[1]), "is no line of lm-eval samples"),
        (lambda row: row.update(resps=[]), "holds neither one generated text nor the likelihoods of options"),
        (lambda row: row.update(resps=[[]]), "is no line of lm-eval samples"),
        (lambda row: row.update(resps=[[3]]), "is no line of lm-eval samples"),
        (lambda row: row["arguments"]["gen_args_0"].pop("arg_1"), "holds neither one generated text"),
        (lambda row: row["arguments"]["gen_args_0"].pop("arg_0"), "is no line of lm-eval samples (KeyError('arg_0'))"),
        (lambda row: row.update(doc_id=0), "doc_id 0 stands here and at"),
        (lambda row: row.update(doc_id=[1]), "is no line of lm-eval samples"),
        (lambda row: row.update(resps=[[float("nan")]]), "is no line of lm-eval samples"),
    ],
)
def test_a_line_that_is_none_is_named(tmp_path: Path, change: Any, message: str) -> None:
    first, second = rows(samples("base", "medical_qa"))[:2]
    change(second)
    path = lines(tmp_path / "a.jsonl", first, second)
    with pytest.raises(InputError) as caught:
        load(path, medical())
    assert str(caught.value).startswith(f"{path}:2: ")
    assert message in str(caught.value)


def test_one_text_after_several_prompts_is_refused(tmp_path: Path) -> None:
    """Winogrande's form: the prompts differ, not the options."""
    row = rows(samples("base", "tcm_choice"))[0]
    for number, argument in enumerate(row["arguments"].values()):
        argument.update(arg_0=f"prompt {number}", arg_1="same")
    with pytest.raises(InputError, match="likelihoods of one text after several prompts"):
        load(lines(tmp_path / "a.jsonl", row), letters())


def test_a_run_appended_to_another_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "both.jsonl"
    path.write_bytes(b"".join(samples(side, "medical_qa").read_bytes() for side in SIDES))
    with pytest.raises(InputError, match=r"both\.jsonl:9: doc_id 0 stands here and at .*:1\. Two runs"):
        load(path, medical())


def test_answers_to_questions_of_another_gold_set_are_counted_and_shown(tmp_path: Path) -> None:
    given = rows(samples("base", "medical_qa"))
    for row in given[2:4]:
        text = row["doc"]["question"]
        row["arguments"]["gen_args_0"]["arg_0"] = "今天是星期几？"
        row["doc"] = {"question": f"另一个{text[:4]}？"}
    path = lines(tmp_path / "a.jsonl", *given)
    with pytest.raises(
        InputError, match=r"a\.jsonl:3: 2 of 8 answers belong to no item .*'另一个护士宣教？'.* gold set"
    ):
        load(path, medical())


def test_what_the_file_is_called_does_not_matter_to_the_reader(tmp_path: Path) -> None:
    path = samples("base", "medical_qa")
    copy = tmp_path / "x.log"
    shutil.copy(path, copy)
    assert [r.task for r in read(LmEvalSamples(), path)] == ["medical_qa"] * 8
    assert [r.task for r in read(LmEvalSamples(), copy)] == [None] * 8
    assert outputs(load(copy, medical())) == outputs(load(path, medical()))
