"""inspect-ai: its own logs of the demo's models, read by its own reader.

inspect-ai does not go with the versions in constraints.txt, so `make test` makes a second, small environment and this
file runs again in it (`test_inspect_environment.py`). In the first one only the tests at the end are run.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.engines.recorded.inspect_logs import InspectLog
from harness.errors import InputError
from tests.engines.recorded.made import (
    DATA,
    GOLD,
    Asked,
    arithmetic,
    load,
    medical,
    one,
    outputs,
    read,
    spoken,
)

HERE = importlib.util.find_spec("inspect_ai") is not None
with_inspect = pytest.mark.skipif(not HERE, reason="runs in .venv/inspect, by test_inspect_environment.py")
without_inspect = pytest.mark.skipif(HERE, reason="inspect-ai is installed here")

SIDES = ("base", "lora")
EPOCHS = one("inspect/epochs/*.json")


def log(side: str, task: str) -> Path:
    return one(f"inspect/{side}/*_{task}_*.eval")


def samples(path: Path) -> list[Any]:
    from inspect_ai.log import read_eval_log

    found = read_eval_log(str(path)).samples
    assert found
    return list(found)


def theirs(path: Path, task: Asked, scorer: str) -> dict[str, float]:
    """inspect's own score of every sample, by the id of the item that has its question."""
    ids = {item.question: item.id for item in task.goldset.items}
    return {ids[sample.input]: float(sample.scores[scorer].value == "C") for sample in samples(path)}


@with_inspect
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("name", "made", "scorer"), [("medical-qa", medical, "exact"), ("arithmetic", arithmetic, "match")]
)
def test_scores_are_inspects(side: str, name: str, made: Any, scorer: str) -> None:
    """`exact` is its exact, and `number` its match(numeric=True), on every sample."""
    path, task = log(side, name), made()
    expected = theirs(path, task, scorer)
    assert 0 < sum(expected.values()) < len(expected) == len(task.goldset.items)
    (ours,) = task.task.make_scorers()
    found = {
        item_id: ours.score(task.goldset.by_id[item_id], record.output)[0].value
        for (_, item_id, _), record in load(path, task).answers.items()
    }
    assert found == expected


@with_inspect
def test_ids_join_where_the_data_set_has_them_and_questions_where_inspect_numbers() -> None:
    assert "found by id (8)" in load(log("base", "medical-qa"), medical()).summary
    assert "found by question (9)" in load(log("base", "arithmetic"), arithmetic()).summary


@with_inspect
def test_a_folder_of_logs_is_one_recording() -> None:
    """The tasks are those of the two logs."""
    found = load(DATA / "inspect" / "lora", medical(), arithmetic())
    assert found.summary == "inspect log, 17 answers in 2 files, found by id (8) and question (9)"
    assert outputs(found)["medical-qa", "med-easy-126", 0] == "前置胎盘"
    assert outputs(found)["arithmetic-mini", "ari-medium-049", 0] == "141-33=98\n98-7=91\n#### 91"


@with_inspect
def test_epochs_are_repeats() -> None:
    found = load(EPOCHS, medical())
    expected = {("medical-qa", s.id, s.epoch - 1): s.output.completion for s in samples(EPOCHS)}
    assert len(expected) == 8
    assert outputs(found) == expected
    assert outputs(found)["medical-qa", "med-easy-051", 0] == "50厘米"
    assert outputs(found)["medical-qa", "med-easy-051", 1] == "50厘子"


@with_inspect
def test_tokens_and_times_are_kept() -> None:
    path = log("base", "medical-qa")
    assert [(r.prompt_tokens, r.completion_tokens, r.latency) for r in read(InspectLog(), path)] == [
        (s.output.usage.input_tokens, s.output.usage.output_tokens, s.output.time) for s in samples(path)
    ]


@with_inspect
def test_both_forms_of_a_log_are_read_alike_whatever_they_are_called(tmp_path: Path) -> None:
    """inspect's own reader goes by the name; an `.eval` file without its ending is still an archive."""
    from inspect_ai.log import read_eval_log, write_eval_log

    path = log("base", "medical-qa")
    expected = outputs(load(path, medical()))
    write_eval_log(read_eval_log(str(path)), str(tmp_path / "a.json"), format="json")
    assert outputs(load(tmp_path / "a.json", medical())) == expected
    shutil.copy(path, tmp_path / "answers.log")
    assert outputs(load(tmp_path / "answers.log", medical())) == expected
    shutil.copy(tmp_path / "a.json", tmp_path / "more.log")
    assert outputs(load(tmp_path / "more.log", medical())) == expected


@with_inspect
def test_multiple_choice_is_joined_and_shuffled_choices_are_refused() -> None:
    """`multiple_choice()` shows the options behind letters; the second log is of a data set with shuffled choices."""
    assert len(load(one("inspect/choice/*.eval"), spoken()).answers) == 8
    with pytest.raises(InputError, match=r"sample 1, epoch 1: shows option A of item 'tcm-choice-easy-001' as C\."):
        load(one("inspect/shuffled/*.eval"), spoken())


def changed(path: Path, to: Path, change: Any) -> Path:
    """A log with another content, written by inspect."""
    from inspect_ai.log import read_eval_log, write_eval_log

    found = read_eval_log(str(path))
    change(found)
    write_eval_log(found, str(to))
    return to


@with_inspect
@pytest.mark.parametrize("form", ["eval", "json"])
def test_failed_and_cut_answers_are_told_from_wrong_ones(tmp_path: Path, form: str) -> None:
    from inspect_ai.log import EvalError
    from inspect_ai.model import ModelOutput

    def spoil(found: Any) -> None:
        first, second, third, *_ = found.samples
        first.error = EvalError(message="ConnectionError()", traceback="…", traceback_ansi="…")
        second.output = ModelOutput.from_content("base", "鹅口疮、鹅口疮、", stop_reason="max_tokens")
        third.output = ModelOutput()

    found = load(changed(log("base", "medical-qa"), tmp_path / f"a.{form}", spoil), medical())
    ids = [item.id for item in medical().goldset.items]
    first, second, third, fourth = (found.find("medical-qa", i, 0) for i in ids[:4])
    assert first is not None
    assert second is not None
    assert third is not None
    assert fourth is not None
    assert (first.finish_reason, first.error, first.output) == ("error", "ConnectionError()", "")
    assert (second.finish_reason, second.output) == ("length", "鹅口疮、鹅口疮、")
    assert (third.finish_reason, third.error) == ("error", "no output")
    assert (fourth.finish_reason, fourth.output) == ("stop", "大叶性肺炎")


@with_inspect
@pytest.mark.parametrize("form", ["eval", "json"])
def test_an_evaluation_that_was_stopped_gives_what_was_answered(tmp_path: Path, form: str) -> None:
    def stop(found: Any) -> None:
        found.status = "cancelled"
        del found.samples[5:]

    found = load(changed(log("base", "medical-qa"), tmp_path / f"a.{form}", stop), medical())
    assert len(found.answers) == 5


@with_inspect
def test_a_long_json_log_is_read_in_seconds(tmp_path: Path) -> None:
    """It is one value: reading it anew for every sample would take minutes."""

    def repeat(found: Any) -> None:
        found.eval.config.epochs = 100
        found.samples = [
            sample.model_copy(update={"epoch": epoch}) for epoch in range(1, 101) for sample in found.samples
        ]

    path = changed(log("base", "medical-qa"), tmp_path / "a.json", repeat)
    since = time.process_time()
    assert len(load(path, medical()).answers) == 800
    assert time.process_time() - since < 20


@with_inspect
@pytest.mark.parametrize("form", ["eval", "json"])
def test_a_damaged_log_is_an_error_of_one_line(tmp_path: Path, form: str) -> None:
    """The header is whole and a sample is not, in whatever way inspect's reader fails at it."""
    import zipfile

    whole = log("base", "medical-qa")
    path = tmp_path / f"a.{form}"
    if form == "eval":
        with zipfile.ZipFile(whole) as archive:
            header = next(i for i in archive.infolist() if i.filename.startswith("samples/"))
        content = bytearray(whole.read_bytes())
        at = header.header_offset + 30 + len(header.filename.encode())
        content[at : at + 200] = bytes(200)
        path.write_bytes(bytes(content))
    else:
        path.write_bytes(EPOCHS.read_bytes()[:-2000])
    with pytest.raises(InputError) as caught:
        load(path, medical())
    assert str(caught.value).startswith(f"{path}: cannot be read by inspect-ai (")
    assert "inspect log dump" in str(caught.value)
    assert "\n" not in str(caught.value)


@with_inspect
def test_an_error_without_a_message_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TimeoutError

    monkeypatch.setattr("inspect_ai.log.read_eval_log_samples", fail)
    with pytest.raises(InputError, match=r"cannot be read by inspect-ai \(TimeoutError: \)"):
        load(EPOCHS, medical())


SUITE = """\
name: recorded
tasks:
  - {name: medical-qa, role: target, goldset: medical-qa.jsonl, scorers: [exact], primary: exact, margin: 0.1}
  - {name: arithmetic, role: guard, goldset: arithmetic-mini.jsonl, scorers: [number], primary: number, margin: 0.1}
"""


@with_inspect
def test_logs_of_base_and_lora_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the command line; both means are inspect's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    for path in GOLD.glob("*.jsonl"):
        shutil.copy(path, tmp_path)
    for side in SIDES:
        shutil.copytree(DATA / "inspect" / side, tmp_path / side)
    Path("suite.yaml").write_text(SUITE)
    assert main(["compare", "replay:base", "replay:lora", "--suite", "suite.yaml", "--json", "out.json"]) == 0
    (compared,) = json.loads(Path("out.json").read_text())["comparisons"]
    found = {r["task"]: (r["n"], r["base"], r["candidate"]) for r in compared["results"]}
    means = [
        [sum(scores.values()) / len(scores) for side in SIDES for scores in [theirs(log(side, name), task, scorer)]]
        for name, task, scorer in (("medical-qa", medical(), "exact"), ("arithmetic", arithmetic(), "match"))
    ]
    assert found == {
        "medical-qa": (8, *map(pytest.approx, means[0])),
        "arithmetic": (9, *map(pytest.approx, means[1])),
    }


@without_inspect
@pytest.mark.parametrize("path", [log("base", "medical-qa"), EPOCHS], ids=["eval", "json"])
def test_without_inspect_the_error_says_what_to_install(path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(path, medical())
    assert str(caught.value).startswith(f"{path}: is a log of inspect-ai, which reads it and is not installed here")
    assert "pip install inspect-ai" in str(caught.value)
