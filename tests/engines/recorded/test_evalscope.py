"""EvalScope: predictions and reviews of the demo's models, and what of such files is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.engines.recorded.evalscope import EvalScopePredictions, EvalScopeReviews
from harness.errors import InputError
from harness.scorers.rouge import Rouge
from tests.engines.recorded.made import (
    DATA,
    arithmetic,
    asked,
    lines,
    load,
    medical,
    one,
    outputs,
    read,
    rows,
    spoken,
)

SIDES = ("base", "lora")
REPEATED = one("evalscope/repeated/*.jsonl")


def predictions(side: str, name: str = "general_qa_medical") -> Path:
    return one(f"evalscope/{side}/predictions/{side}/{name}.jsonl")


def reviews(side: str) -> Path:
    return one(f"evalscope/{side}/reviews/{side}/general_qa_medical.jsonl")


def reply(**more: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": "夜盲症"}}], **more}


def content(row: dict[str, Any]) -> str:
    return str(row["model_output"]["choices"][0]["message"]["content"])


@pytest.mark.parametrize("side", SIDES)
def test_rouge_is_evalscopes_rouge(side: str) -> None:
    """Against the one answer that EvalScope was given. It adds 1e-8 to what it divides by."""
    given = rows(reviews(side))
    task = medical()
    task = asked(
        "medical-qa",
        [
            {"id": item.id, "question": item.question, "answer": row["target"]}
            for item, row in zip(task.goldset.items, given, strict=True)
        ],
    )
    found = load(predictions(side), task)
    sums = []
    for item, row in zip(task.goldset.items, given, strict=True):
        record = found.find("medical-qa", item.id, 0)
        assert record is not None
        theirs = row["sample_score"]["score"]["value"]
        ours = {score.metric: score.value for score in Rouge(tokenizer="jieba").score(item, record.output)}
        expected = {"rouge1": "Rouge-1-F", "rouge2": "Rouge-2-F", "rougeL": "Rouge-L-F"}
        assert ours == pytest.approx({metric: theirs[name] for metric, name in expected.items()}, abs=1e-8)
        sums.append(theirs["Rouge-L-F"])
    assert 0 < sum(sums) < 8


@pytest.mark.parametrize("side", SIDES)
def test_reviews_hold_the_same_answers_as_predictions(side: str) -> None:
    found = load(reviews(side), medical())
    assert found.name == "EvalScope reviews"
    assert outputs(found) == outputs(load(predictions(side), medical()))
    assert list(outputs(found).values()) == [content(row) for row in rows(predictions(side))]


@pytest.mark.parametrize("side", SIDES)
def test_a_whole_folder_is_read_without_its_reviews(side: str) -> None:
    """The folder of a run: three data sets, one of them reviewed."""
    found = load(DATA / "evalscope" / side, medical(), arithmetic(), spoken())
    assert found.name == "EvalScope predictions"
    assert found.summary == "EvalScope predictions, 25 answers in 3 files, found by question (25)"
    for task, name in (
        (medical(), "general_qa_medical"),
        (arithmetic(), "general_qa_arithmetic"),
        (spoken(), "general_mcq_tcm"),
    ):
        given = rows(predictions(side, name))
        mine = {item_id: text for (t, item_id, _), text in outputs(found).items() if t == task.task.name}
        assert list(mine.values()) == [content(row) for row in given]
        assert list(mine) == [item.id for item in task.goldset.items]


def test_tokens_times_and_reasons_are_kept() -> None:
    found = {r.prompt: r for r in read(EvalScopePredictions(), predictions("base", "general_mcq_tcm"))}
    for row in rows(predictions("base", "general_mcq_tcm")):
        record = found[row["messages"][0]["content"]]
        made = row["model_output"]
        assert (record.prompt_tokens, record.completion_tokens) == (
            made["usage"]["input_tokens"],
            made["usage"]["output_tokens"],
        )
        assert record.latency == made["time"]
        assert record.finish_reason == ("length" if made["choices"][0]["stop_reason"] == "max_tokens" else "stop")
    assert {record.finish_reason for record in found.values()} == {"length", "stop"}


def test_rows_are_joined_wherever_they_stand(tmp_path: Path) -> None:
    """They stand in the order in which they were finished."""
    path = predictions("base")
    assert outputs(load(lines(tmp_path / path.name, *rows(path)[::-1]), medical())) == outputs(load(path, medical()))


def test_the_positions_that_evalscope_gives_for_ids_join_nothing() -> None:
    """Its multiple-choice rows have `"id": "0"`, `"1"`, …; a gold set whose ids are numbers starts where it likes."""
    path = predictions("base", "general_mcq_tcm")
    assert [row["metadata"]["id"] for row in rows(path)] == [str(n) for n in range(8)]
    turned = [
        {"id": str(number), "question": item.question, "choices": list(item.choices or ()), "answer": item.answer[0]}
        for number, item in enumerate(reversed(spoken().goldset.items))
    ]
    task = asked("tcm", turned, scorers=("choice",), primary="choice")
    found = outputs(load(path, task))
    assert [found["tcm", str(7 - number), 0] for number in range(8)] == [content(row) for row in rows(path)]


def test_repeats_are_the_positions_that_follow() -> None:
    """`repeats: 2` gives 0 and 1 to the first question, 2 and 3 to the second."""
    found = outputs(load(REPEATED, medical()))
    given = rows(REPEATED)
    assert len(found) == len(given) == 16
    for row in given:
        item = medical().goldset.items[row["index"] // 2]
        assert found["medical-qa", item.id, row["index"] % 2] == content(row)
    last = medical().goldset.items[-1].id
    assert (found["medical-qa", last, 0], found["medical-qa", last, 1]) == ("强直性脊柱炎", "7块")


def test_a_run_with_repeats_that_was_stopped_is_read(tmp_path: Path) -> None:
    given = [row for row in rows(REPEATED) if row["index"] not in (1, 6)]
    found = outputs(load(lines(tmp_path / "a.jsonl", *given), medical()))
    whole = outputs(load(REPEATED, medical()))
    ids = [item.id for item in medical().goldset.items]
    assert found == {k: v for k, v in whole.items() if k not in {("medical-qa", ids[0], 1), ("medical-qa", ids[3], 0)}}


def test_several_choices_are_repeats(tmp_path: Path) -> None:
    """`n: 2` asks the endpoint for two answers at once."""
    row = rows(predictions("base"))[0]
    row["model_output"]["choices"].append({"message": {"content": "夜盲症"}, "stop_reason": "stop"})
    found = outputs(load(lines(tmp_path / "a.jsonl", row), medical()))
    assert found == {("medical-qa", "med-easy-001", 0): "坏血病", ("medical-qa", "med-easy-001", 1): "夜盲症"}


def test_what_a_model_thought_is_no_answer(tmp_path: Path) -> None:
    row = rows(predictions("base"))[0]
    row["model_output"]["choices"][0]["message"]["content"] = [
        {"type": "reasoning", "reasoning": "维生素A……"},
        {"type": "text", "text": "夜盲症"},
    ]
    assert list(outputs(load(lines(tmp_path / "a.jsonl", row), medical())).values()) == ["夜盲症"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda made: made.update(error="429 Too Many Requests"), "429 Too Many Requests"),
        (lambda made: made.update(choices=[]), "no output"),
    ],
)
def test_a_failed_answer_is_an_error_not_a_wrong_answer(tmp_path: Path, change: Any, error: str) -> None:
    row = rows(predictions("base"))[0]
    change(row["model_output"])
    (record,) = load(lines(tmp_path / "a.jsonl", row), medical()).answers.values()
    assert (record.finish_reason, record.error, record.output) == ("error", error, "")


def test_letters_that_name_other_options_are_refused(tmp_path: Path) -> None:
    """`shuffle_choices` of EvalScope."""
    first, second = rows(predictions("lora", "general_mcq_tcm"))[:2]
    message = second["messages"][0]
    message["content"] = message["content"].replace("A) 黄连", "A) 黄芪").replace("D) 黄芪", "D) 黄连")
    path = lines(tmp_path / "a.jsonl", first, second)
    with pytest.raises(InputError, match=r"a\.jsonl:2: shows option A of item 'tcm-choice-easy-002' as D"):
        load(path, spoken())


@pytest.mark.parametrize("made", [predictions, reviews])
def test_a_run_appended_to_another_is_refused(tmp_path: Path, made: Any) -> None:
    path = tmp_path / "both.jsonl"
    path.write_bytes(b"".join(made(side).read_bytes() for side in SIDES))
    with pytest.raises(InputError, match=r"both\.jsonl:9: index 0 stands here and at .*both\.jsonl:1\. Two runs"):
        load(path, medical())


@pytest.mark.parametrize(("at", "of"), [(5, 1), (2, 1), (3, 2)])
def test_the_same_question_twice_is_no_repeat_unless_every_question_is_repeated(
    tmp_path: Path, at: int, of: int
) -> None:
    """Also where the two stand side by side, as repeats do: the positions of the others would tell another repeat."""
    given = rows(predictions("base"))
    given[at]["messages"] = given[of]["messages"]
    with pytest.raises(InputError, match=rf"a\.jsonl:{at + 1}: asks what .*a\.jsonl:{of + 1} asks, and is no repeat"):
        load(lines(tmp_path / "a.jsonl", *given), medical())


@pytest.mark.parametrize(
    ("made", "key", "value", "message"),
    [
        (predictions, "index", -1, '"index" must be a whole number'),
        (reviews, "index", "0", '"index" must be a whole number'),
        (predictions, "messages", [], "is no row of EvalScope"),
        (reviews, "messages", [{"role": "system", "content": "x"}], "is no row of EvalScope"),
        (predictions, "model_output", {"choices": [{}]}, "is no prediction of EvalScope"),
        (predictions, "model_output", reply(usage={"input_tokens": 1.5}), "the number of tokens must be"),
        (predictions, "model_output", reply(usage={"output_tokens": "9"}), "the number of tokens must be"),
        (predictions, "model_output", reply(time="1 s"), "the time must be a number of seconds"),
        (reviews, "sample_score", {"score": {}}, "is no review of EvalScope"),
        (reviews, "sample_score", {"score": {"prediction": 3}}, "is no review of EvalScope"),
    ],
)
def test_a_row_that_is_none_is_named(tmp_path: Path, made: Any, key: str, value: Any, message: str) -> None:
    first, second = rows(made("base"))[:2]
    path = lines(tmp_path / "a.jsonl", first, {**second, key: value})
    with pytest.raises(InputError) as caught:
        load(path, medical())
    assert str(caught.value).startswith(f"{path}:2: ")
    assert message in str(caught.value)


def test_two_models_of_one_run_are_two_recordings(tmp_path: Path) -> None:
    """EvalScope keeps every model's predictions under one folder when the time is the same."""
    for side in SIDES:
        shutil.copytree(DATA / "evalscope" / side / "predictions", tmp_path, dirs_exist_ok=True)
    with pytest.raises(InputError, match=r"is answered here and at .* Give the file or the folder of one run of one"):
        load(tmp_path, medical(), arithmetic(), spoken())
    assert len(load(tmp_path / "lora", medical(), arithmetic(), spoken()).answers) == 25


def test_the_reader_of_reviews_needs_no_predictions(tmp_path: Path) -> None:
    shutil.copytree(DATA / "evalscope" / "lora" / "reviews", tmp_path / "reviews")
    found = load(tmp_path, medical())
    assert len(found.answers) == len(read(EvalScopeReviews(), reviews("lora"))) == 8
