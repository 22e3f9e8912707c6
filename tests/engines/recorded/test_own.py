"""The project's own form (`{"item_id": …, "output": …}`) and what `harness runs export` writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import EXIT_USAGE, MISSING, InputError
from harness.scorers.likelihoods import OptionLikelihood, OptionLikelihoods
from tests.engines.recorded.made import Asked, asked, exported, letters, lines, load, outputs, spoken


def task(*ids: str, name: str = "qa") -> Asked:
    return asked(name, [{"id": i, "question": f"Which is {i}?"} for i in ids])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"item_id": "b", "output": ', "not valid JSON"),
        ("[1]", "must be a JSON object"),
        ({"output": "x"}, '"item_id" must be a text'),
        ({"item_id": True, "output": "x"}, '"item_id" must be a text'),
        ({"item_id": "b"}, '"output" must be a text'),
        ({"item_id": "b", "output": 3}, '"output" must be a text'),
        ({"item_id": "b", "output": "x", "repeat": -1}, '"repeat" must be'),
        ({"item_id": "b", "output": "x", "repeat": True}, '"repeat" must be'),
        ({"item_id": "b", "output": "x", "task": 1}, '"task" must be a text'),
        ({"item_id": "b", "output": "x", "finish_reason": "stopped"}, "Did you mean 'stop'"),
        ({"item_id": "b", "output": "x", "finish_reason": ["stop"]}, "unknown finish_reason"),
        ({"item_id": "b", "outputs": "x"}, "Did you mean 'output'"),
        ({"item_id": "a", "output": "again"}, "item 'a' is answered here and at {path}:1"),
        ('{"item_id": "b", "output": "x", "repeat": ' + "9" * 5000 + "}", "not valid JSON"),
    ],
)
def test_a_broken_line_is_named_with_its_file_and_number(tmp_path: Path, line: Any, message: str) -> None:
    path = lines(tmp_path / "outputs.jsonl", {"item_id": "a", "output": "x"}, line)
    with pytest.raises(InputError) as caught:
        load(path, task("a", "b"))
    assert str(caught.value).startswith(f"{path}:2: ")
    assert message.format(path=path) in str(caught.value)
    assert caught.value.exit_code == EXIT_USAGE


def test_a_missing_file_and_a_wrong_encoding_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load(tmp_path / "none.jsonl", task("a"))
    path = tmp_path / "gbk.jsonl"
    path.write_bytes('{"item_id": "a", "output": "退热"}'.encode("gbk"))
    with pytest.raises(InputError, match=r"gbk\.jsonl:1: cannot be read as UTF-8.*iconv -f GB18030"):
        load(path, task("a"))


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "outputs.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + '{"item_id": "a", "output": "退热"}\n'.encode())
    assert outputs(load(path, task("a"))) == {(None, "a", 0): "退热"}


def test_unknown_ids_are_refused_with_the_nearest_name(tmp_path: Path) -> None:
    names = ("aspirin-1", "asprin-2", "zzz")
    path = lines(tmp_path / "outputs.jsonl", *({"item_id": i, "output": "x"} for i in names))
    with pytest.raises(
        InputError, match=r"jsonl:2: unknown item id 'asprin-2' \(2 such lines\)\. Did you mean 'aspirin-2'"
    ):
        load(path, task("aspirin-1", "aspirin-2"))
    assert len(load(path, task(*names)).answers) == 3


def test_an_id_is_unknown_in_the_wrong_task_and_so_is_a_task(tmp_path: Path) -> None:
    known = (task("a", name="medical-qa"), task("m", name="maths"))
    path = lines(tmp_path / "outputs.jsonl", {"item_id": "m", "output": "x", "task": "medical-qa"})
    with pytest.raises(InputError, match="unknown item id 'm' in task 'medical-qa'"):
        load(path, *known)
    lines(path, {"item_id": "a", "output": "x", "task": "medical_qa"})
    with pytest.raises(InputError, match=r"unknown task 'medical_qa'\. Did you mean 'medical-qa'"):
        load(path, *known)
    lines(path, {"item_id": "a", "output": "x"})
    assert load(path, *known).find("medical-qa", "a", 0) is not None


def test_the_same_item_twice_is_told_apart_by_task_or_repeat(tmp_path: Path) -> None:
    path = lines(tmp_path / "outputs.jsonl", *[{"item_id": "a", "output": "x", "task": "qa", "repeat": 2}] * 2)
    with pytest.raises(
        InputError, match=r"jsonl:2: item 'a' of task 'qa', repeat 2 is answered here and at .*jsonl:1\..*\"repeat\""
    ):
        load(path, task("a"))


def test_a_text_where_likelihoods_are_compared_is_refused_and_so_is_the_reverse(tmp_path: Path) -> None:
    weighed = OptionLikelihoods(
        options=tuple(OptionLikelihood(text=x, logprob=-float(n), tokens=1) for n, x in enumerate("ABCD"))
    ).to_json()
    item = "tcm-choice-easy-001"
    path = lines(tmp_path / "outputs.jsonl", {"item_id": item, "output": "A"})
    with pytest.raises(InputError, match=r"jsonl:1: holds a generated text, but task 'tcm-choice' .* likelihoods"):
        load(path, letters())
    assert load(path, spoken()).find("tcm-spoken", item, 0) is not None
    lines(path, {"item_id": item, "output": weighed})
    with pytest.raises(InputError, match=r"jsonl:1: holds the likelihoods of options, but task 'tcm-spoken' .* text"):
        load(path, spoken())
    assert load(path, letters()).find("tcm-choice", item, 0) is not None


def test_a_recording_without_any_output_is_refused(tmp_path: Path) -> None:
    for content in ("", "\n\n"):
        path = tmp_path / "empty.jsonl"
        path.write_text(content)
        with pytest.raises(InputError, match=r"empty\.jsonl: holds no outputs\. Known: .*lm-eval samples"):
            load(path, task("a"))


def test_an_exported_run_keeps_counts_errors_and_gaps(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "run.jsonl",
        exported("a", finish_reason="length"),
        exported("b", output="", finish_reason="error", error="out of memory"),
        exported("c", output="", finish_reason="error", error=MISSING),
    )
    found = load(path, task("a", "b", "c"))
    assert found.name == "exported run"
    a, b = found.find("qa", "a", 0), found.find("qa", "b", 0)
    assert a is not None
    assert b is not None
    assert (a.output, a.finish_reason, a.prompt_tokens, a.completion_tokens, a.latency) == ("x", "length", 5, 3, 0.5)
    assert (b.finish_reason, b.error) == ("error", "out of memory")
    assert found.find("qa", "c", 0) is None


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("prompt_tokens", "5", "the number of tokens must be a whole number from 0"),
        ("completion_tokens", -1, "the number of tokens must be a whole number from 0"),
        ("completion_tokens", float("nan"), "the number of tokens must be a whole number from 0"),
        ("latency", float("inf"), "the time must be a number of seconds from 0"),
        ("latency", [1], "the time must be a number of seconds from 0"),
        ("error", {"code": 429}, '"error" must be a text'),
    ],
)
def test_a_count_that_is_none_is_named_with_its_line(tmp_path: Path, key: str, value: Any, message: str) -> None:
    path = lines(tmp_path / "run.jsonl", exported("a"), exported("b", **{key: value}))
    with pytest.raises(InputError) as caught:
        load(path, task("a", "b"))
    assert str(caught.value).startswith(f"{path}:2: {message}")
