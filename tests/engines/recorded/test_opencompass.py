"""OpenCompass. Its files are made here as `GenInferencerOutputHandler` and `ChatOutputHandler` of
opencompass/openicl/icl_inferencer/icl_base_inferencer.py write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import InputError
from tests.engines.recorded.made import load, medical, outputs, spoken

ITEMS = medical().goldset.items


def turns(text: str) -> list[dict[str, str]]:
    return [{"role": "SYSTEM", "prompt": "你是医生。"}, {"role": "HUMAN", "prompt": text}]


def written(path: Path, results: dict[str, Any]) -> Path:
    """`dump_results_dict`."""
    path.write_text(json.dumps(results, indent=4, ensure_ascii=False), encoding="utf-8")
    return path


def generated(number: int, text: str, **more: Any) -> dict[str, Any]:
    return {"origin_prompt": turns(f"{ITEMS[number].question}\n请只写出答案。"), "prediction": text, **more}


def test_answers_are_joined_by_the_question_in_the_prompt(tmp_path: Path) -> None:
    """The keys are positions; a base model's prompt is a text, a chat model's has turns."""
    results = {"0": generated(3, "大叶性肺炎", gold="大叶性肺炎"), "1": generated(0, "夜盲症")}
    results["2"] = {"origin_prompt": f"问题：{ITEMS[6].question}\n答案：", "prediction": "妇科"}
    expected = {
        ("medical-qa", "med-easy-076", 0): "大叶性肺炎",
        ("medical-qa", "med-easy-001", 0): "夜盲症",
        ("medical-qa", "med-easy-151", 0): "妇科",
    }
    found = load(written(tmp_path / "medical.json", results), medical())
    assert outputs(found) == expected
    assert found.summary == "OpenCompass predictions, 3 answers in 1 file, found by question (3)"
    path = tmp_path / "one-line.json"
    path.write_text(json.dumps(results, ensure_ascii=False), encoding="utf-8")
    assert outputs(load(path, medical())) == expected


def test_the_parts_of_a_data_set_are_one_recording(tmp_path: Path) -> None:
    """A size partitioner writes `_0.json`, `_1.json`, …, each with keys from 0."""
    for part in range(2):
        written(tmp_path / f"medical_{part}.json", {"0": generated(part, f"answer {part}")})
    assert set(outputs(load(tmp_path, medical())).values()) == {"answer 0", "answer 1"}


def test_several_predictions_are_repeats(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", {"0": {**generated(0, ""), "prediction": ["夜盲症", "坏血病"]}})
    assert outputs(load(path, medical())) == {
        ("medical-qa", "med-easy-001", 0): "夜盲症",
        ("medical-qa", "med-easy-001", 1): "坏血病",
    }


def test_letters_that_name_other_options_are_refused(tmp_path: Path) -> None:
    prompt = "下列哪味药属于辛凉解表药？\nA. 薄荷\nB. 荆芥\nC. 桂枝\nD. 防风\n答案："
    path = written(tmp_path / "a.json", {"0": {"origin_prompt": prompt, "prediction": "A"}})
    with pytest.raises(InputError, match=r"a\.json: 0: shows option A of item 'tcm-choice-easy-003' as B"):
        load(path, spoken())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"origin_prompt": "Q", "prediction": 3}, "is no prediction of OpenCompass"),
        ({"origin_prompt": "Q", "prediction": []}, "is no prediction of OpenCompass"),
        ({"prediction": "x"}, "is no prediction of OpenCompass"),
        ({"origin_prompt": [[{"role": "HUMAN", "prompt": "a"}]], "prediction": ["x"]}, "is no prediction of OpenComp"),
        ({"origin_prompt": [{"role": "BOT", "prompt": "a"}], "prediction": "x"}, "is no prediction of OpenCompass"),
        ("x", "is no prediction of OpenCompass"),
        (
            {"origin_prompt": "Q", "label: A": {"PPL": 1.5}, "label: B": {"PPL": 2.5}, "prediction": "A"},
            "was chosen by perplexity, not generated",
        ),
    ],
)
def test_an_answer_that_is_none_is_named_by_its_key(tmp_path: Path, row: Any, message: str) -> None:
    path = written(tmp_path / "a.json", {"0": generated(0, "夜盲症"), "1": row})
    with pytest.raises(InputError) as caught:
        load(path, medical())
    assert str(caught.value).startswith(f"{path}: 1: {message}")
    assert "predictions/" in str(caught.value)


def test_half_a_file_and_a_key_twice_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", {str(n): generated(n, "x") for n in range(4)})
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole[: whole.index('"2"') + 60], encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.json: is not valid JSON after 2 answers"):
        load(path, medical())
    path.write_text(whole.replace('"3"', '"1"'), encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.json: 1: stands twice"):
        load(path, medical())
