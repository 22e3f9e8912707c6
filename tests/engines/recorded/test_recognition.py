"""Which format a file is, by its content; what a folder holds; and what is said of damaged files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.engines.recorded.recording import READERS, recognise
from harness.engines.recorded.shape import shape_of
from harness.errors import InputError
from tests.engines.recorded.made import DATA, arithmetic, exported, letters, lines, load, medical, one, outputs, rows

REAL = {
    "lm-eval samples": "lm-eval/**/*.jsonl",
    "EvalScope predictions": "evalscope/*/predictions/**/*.jsonl",
    "EvalScope reviews": "evalscope/*/reviews/**/*.jsonl",
    "inspect log": "inspect/*/*.[ej][vs]*",
}
FILES = [(name, path) for name, pattern in REAL.items() for path in sorted(DATA.glob(pattern))]
LM_EVAL = one("lm-eval/base/samples_medical_qa_*.jsonl")
ARITHMETIC = one("lm-eval/base/samples_arithmetic_mini_*.jsonl")


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load(path, medical(), arithmetic())
    return str(caught.value)


def test_there_are_real_recordings_of_every_tool() -> None:
    assert {name for name, _ in FILES} == set(REAL)
    assert len(FILES) >= 20


@pytest.mark.parametrize(("name", "path"), FILES, ids=[f"{n}-{p.parent.name}-{p.stem[:24]}" for n, p in FILES])
def test_a_format_is_told_by_content_not_by_name(tmp_path: Path, name: str, path: Path) -> None:
    disguised = tmp_path / "answers.txt"
    shutil.copy(path, disguised)
    assert [reader.name for reader in READERS if reader.recognises(shape_of(disguised))] == [name]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("item_id and output", {"item_id": "a", "output": "x"}),
        ("exported run", exported("a")),
        ("OpenCompass predictions", {"0": {"origin_prompt": "Which?", "prediction": "x"}}),
    ],
)
def test_the_other_formats_are_told_apart_too(tmp_path: Path, name: str, line: dict[str, Any]) -> None:
    path = lines(tmp_path / "answers.txt", line)
    assert [reader.name for reader in READERS if reader.recognises(shape_of(path))] == [name]
    path.write_text(json.dumps(line, indent=4), encoding="utf-8")
    assert [reader.name for reader in READERS if reader.recognises(shape_of(path))] == [name]


def test_a_line_is_recognised_however_much_stands_before_what_tells(tmp_path: Path) -> None:
    """EvalScope keeps log-probabilities before the messages; pandas writes an empty cell as NaN."""
    row = rows(one("evalscope/base/predictions/**/general_qa_medical.jsonl"))[0]
    row["model_output"]["choices"][0]["logprobs"] = {"content": [{"token": "x", "logprob": -0.5}] * 5000}
    assert recognise(lines(tmp_path / "a.jsonl", row))[0].name == "EvalScope predictions"
    row = rows(LM_EVAL)[0]
    row["doc"]["hint"] = float("nan")
    assert recognise(lines(tmp_path / "b.jsonl", row))[0].name == "lm-eval samples"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            '{"id": "a", "question": "Q?", "answer": "x"}',
            "is no recording of a known format (it holds answer, id, ques",
        ),
        ("[1, 2]", "is no recording of a known format (it does not begin with an object)"),
        ("[\n1,\n2\n]", "is no recording of a known format (it does not begin with an object)"),
        ("item_id,output\na,x\n", ":1: is not valid JSON"),
        ("", "holds no outputs"),
        (" \n\n", "holds no outputs"),
    ],
)
def test_something_else_is_refused_with_the_known_formats(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text(content, encoding="utf-8")
    found = refused(path)
    assert found.startswith(str(path))
    assert message in found
    if "valid JSON" not in message:
        assert "Known: lines of" in found


@pytest.mark.parametrize("keep", [1, 9, 200, -40])
def test_half_a_file_is_named_with_its_line(tmp_path: Path, keep: int) -> None:
    path = tmp_path / LM_EVAL.name
    content = LM_EVAL.read_bytes()
    path.write_bytes(content[:keep])
    line = content[:keep].count(b"\n") + 1
    found = refused(path)
    assert found.startswith((f"{path}:{line}: is not valid JSON", f"{path}:{line}: cannot be read"))
    path.write_bytes(b"\n\n" + content[:keep])
    assert refused(path).startswith(f"{path}:{line + 2}: ")


@pytest.mark.parametrize("line", [1, 3])
def test_another_encoding_is_named_with_its_line(tmp_path: Path, line: int) -> None:
    path = tmp_path / LM_EVAL.name
    given = LM_EVAL.read_text(encoding="utf-8").split("\n")
    path.write_bytes(b"\n".join(x.encode("gb18030" if n == line else "utf-8") for n, x in enumerate(given, start=1)))
    found = refused(path)
    assert found.startswith(f"{path}:{line}: cannot be read as UTF-8")
    assert "iconv" in found


def test_half_an_archive_is_no_wrong_encoding(tmp_path: Path) -> None:
    path = tmp_path / "half.eval"
    path.write_bytes(one("inspect/base/*medical*.eval").read_bytes()[:4000])
    assert refused(path).startswith(f"{path}: is a damaged archive. ")
    lines(tmp_path / "outputs.jsonl", {"item_id": "med-easy-001", "output": "夜盲症"})
    assert refused(tmp_path).startswith(f"{path}: is a damaged archive. ")


def test_the_damage_of_a_file_over_several_lines_is_found_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "half.json"
    path.write_text('{\n  "0": {\n    "origin_prompt": "Which?",\n    "prediction": ', encoding="utf-8")
    assert refused(path).startswith(f"{path}")
    path.write_text('{\n  "note": "x",\n  "more": oops\n}', encoding="utf-8")
    assert refused(path).startswith(f"{path}:3: is not valid JSON")


LINES = {
    "lm-eval text": (rows(LM_EVAL)[0], medical),
    "lm-eval letters": (rows(one("lm-eval/base/samples_tcm_choice_2*.jsonl"))[0], letters),
    "EvalScope prediction": (rows(one("evalscope/base/predictions/**/general_qa_medical.jsonl"))[0], medical),
    "EvalScope review": (rows(one("evalscope/base/reviews/**/*.jsonl"))[0], medical),
    "exported run": (exported("med-easy-001", task="medical-qa"), medical),
    "own form": ({"item_id": "med-easy-001", "output": "x", "finish_reason": "stop", "repeat": 0}, medical),
}
NONSENSE = (None, True, -1, 10**400, float("nan"), "x", "\ud800", [1], {"a": 1})


def spoiled(value: Any) -> Iterator[Any]:
    """`value` with something else in place of each of its parts, one at a time."""
    yield from NONSENSE
    if isinstance(value, dict):
        for key, part in value.items():
            yield from ({**value, key: other} for other in spoiled(part))
    elif isinstance(value, list):
        for at, part in enumerate(value):
            yield from ([*value[:at], other, *value[at + 1 :]] for other in spoiled(part))


@pytest.mark.parametrize("name", LINES)
def test_whatever_stands_wherever_in_a_line_it_is_read_or_refused(tmp_path: Path, name: str) -> None:
    """And what is read can be scored and stored."""
    line, made = LINES[name]
    task = made()
    (scorer,) = task.task.make_scorers()
    path = tmp_path / "a.jsonl"
    read, refusals = 0, list[str]()
    for other in spoiled(line):
        path.write_text(json.dumps(other), encoding="utf-8")
        try:
            found = load(path, task)
        except InputError as error:
            refusals.append(str(error))
            continue
        read += 1
        for (_, item_id, _), record in found.answers.items():
            scorer.score(task.goldset.by_id[item_id], record.output)
            counts = (record.prompt_tokens, record.completion_tokens)
            assert all(type(count) is int and 0 <= count < 1 << 63 for count in counts)
            assert 0 <= float(record.latency) < float("inf")
            assert isinstance(record.error, str)
    assert read
    assert {refusal.startswith(f"{path}:") for refusal in refusals} == {True}


def test_a_damaged_file_is_no_less_damaged_in_a_folder(tmp_path: Path) -> None:
    """It may hold the answers that would otherwise be missing without a word."""
    shutil.copy(LM_EVAL, tmp_path / "good.jsonl")
    bad = tmp_path / "deeper" / "bad.jsonl"
    bad.parent.mkdir()
    bad.write_bytes(LM_EVAL.read_bytes()[:30])
    assert refused(tmp_path).startswith(f"{bad}:1: is not valid JSON")


def test_what_else_a_tool_leaves_in_its_folder_is_no_recording(tmp_path: Path) -> None:
    shutil.copy(LM_EVAL, tmp_path / LM_EVAL.name)
    (tmp_path / "results_2026-11-24T09-02-04.747678.json").write_text('{"results": {}, "configs": {}}')
    spread = json.dumps({"results": {"medical_qa": {"exact_match_stderr,none": float("nan")}}}, indent=2)
    (tmp_path / "results_2026-11-24T09-02-25.696579.json").write_text(spread)  # as lm-eval and pandas write it
    (tmp_path / "list.json").write_text("[\n1\n]")
    (tmp_path / "notes.md").write_text("{ broken")
    found = load(tmp_path, medical())
    assert outputs(found) == outputs(load(LM_EVAL, medical()))
    assert found.notes == ()


def test_files_of_a_folder_that_answer_nothing_of_the_suite_are_left_out_and_noted(tmp_path: Path) -> None:
    for path in (LM_EVAL, ARITHMETIC):
        shutil.copy(path, tmp_path / path.name)
    (tmp_path / "samples_late_2026-11-24T09-02-04.747678.jsonl").write_text("")
    found = load(tmp_path, medical())
    assert len(found.answers) == 8
    assert found.notes == (
        f"left out, since the suite asks nothing of them: {ARITHMETIC.name}",
        "empty: samples_late_2026-11-24T09-02-04.747678.jsonl",
    )
    assert len(load(tmp_path, medical(), arithmetic()).answers) == 17


def test_a_file_given_by_itself_is_never_left_out() -> None:
    with pytest.raises(InputError, match=r"jsonl:1: 9 of 9 answers belong to no item of the suite; .*91个气球"):
        load(ARITHMETIC, medical())


def test_a_folder_of_other_answers_is_refused(tmp_path: Path) -> None:
    shutil.copy(ARITHMETIC, tmp_path / ARITHMETIC.name)
    with pytest.raises(InputError, match="holds no answer to an item of the suite"):
        load(tmp_path, medical())
    with pytest.raises(InputError, match=r"holds no recorded outputs\. Known: "):
        load(DATA / "gold", medical())


def test_several_formats_in_one_folder_are_refused(tmp_path: Path) -> None:
    shutil.copy(LM_EVAL, tmp_path / "a.jsonl")
    lines(tmp_path / "b.jsonl", {"item_id": "med-easy-001", "output": "x"})
    assert "several formats (lm-eval samples, item_id and output). Give the folder or the file of one" in refused(
        tmp_path
    )


def test_two_files_that_name_items_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        lines(tmp_path / f"{name}.jsonl", {"item_id": "med-easy-001", "output": "x"})
    assert "holds 2 files with item_id and output (a.jsonl, b.jsonl, …). Give one of them" in refused(tmp_path)


def test_two_runs_in_one_folder_are_refused(tmp_path: Path) -> None:
    """lm-eval writes the next run beside the last."""
    for side in ("base", "lora"):
        path = one(f"lm-eval/{side}/samples_medical_qa_*.jsonl")
        shutil.copy(path, tmp_path / path.name)
    found = refused(tmp_path)
    assert "item 'med-easy-001' of task 'medical-qa' is answered here and at" in found
    assert found.endswith("Give the file or the folder of one run of one model.")
