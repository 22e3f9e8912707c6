"""Whatever is wrong with the input: exit code 2, one line (what, where, what to do) and nothing half-written."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.cli.conftest import Bench, Result, share


def refused(bench: Bench, result: Result, before: set[str], *parts: str) -> None:
    """The one line holds `parts`, and no file was made."""
    lines = [line for line in result.err.splitlines() if line.strip()]
    assert result.code == 2
    assert result.out == ""
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    for part in parts:
        assert part in lines[0]
    assert bench.files() == before


def test_unknown_candidate_names_the_nearest(bench: Bench) -> None:
    bench.write("harness.yaml", "candidates:\n  lora_model_medical:\n    replay: candidate.jsonl\n")
    before = bench.files()
    result = bench("compare", "replay:base.jsonl", "lora_model_medcal", "--suite", "suite.yaml", "--json", "out.json")
    refused(bench, result, before, "lora_model_medcal", "Did you mean 'lora_model_medical'?")


def test_unknown_candidate_without_a_workspace_says_what_could_be_given(bench: Bench) -> None:
    before = bench.files()
    refused(bench, bench("compare", "base", "x", "--suite", "suite.yaml"), before, "no harness.yaml", "--demo")


def test_unknown_suite_names_the_nearest(bench: Bench) -> None:
    before = bench.files()
    refused(bench, bench.compare(suite="medicl"), before, "'medicl'", "Did you mean 'medical'?")


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ('{"id": "x", "question": "Q?"}', ("facts.jsonl:2", "'answer'", "missing")),
        ('{"id": "f0", "question": "Q?", "answer": "A"}', ("facts.jsonl:2", "'f0'", "line 1", "unique")),
        ('{"id": "x", "question": ', ("facts.jsonl:2", "not valid JSON", "one JSON object a line")),
        ('{"id": "x", "qestion": "Q?", "answer": "A"}', ("facts.jsonl:2", "'qestion'", "'question'")),
        ('{"id": "x", "question": "Q?", "answer": " "}', ("facts.jsonl:2", "'answer' is empty")),
    ],
    ids=["missing field", "duplicate id", "broken line", "misspelt key", "empty answer"],
)
def test_a_broken_gold_set_line_is_named_by_its_number(bench: Bench, line: str, parts: tuple[str, ...]) -> None:
    bench.write("facts.jsonl", '{"id": "f0", "question": "Q?", "answer": "A"}\n' + line + "\n")
    before = bench.files()
    refused(bench, bench.compare(), before, *parts)


def test_an_empty_gold_set_is_refused(bench: Bench) -> None:
    bench.write("facts.jsonl", "\n")
    before = bench.files()
    refused(bench, bench.compare(), before, "facts.jsonl", "no items", "One JSON object a line")


def test_a_gold_set_in_gbk_is_refused_with_the_command_that_converts_it(bench: Bench) -> None:
    bench.write("facts.jsonl", '{"id": "f0", "question": "头痛怎么办？", "answer": "休息"}\n'.encode("gb18030"))
    before = bench.files()
    refused(bench, bench.compare(), before, "facts.jsonl:1", "not UTF-8", "iconv")


def test_recorded_outputs_of_unknown_items_are_refused(bench: Bench) -> None:
    bench.write("candidate.jsonl", '{"item_id": "f0", "output": "a"}\n{"item_id": "nobody", "output": "a"}\n')
    before = bench.files()
    refused(bench, bench.compare(), before, "candidate.jsonl:2", "'nobody'")


def test_a_recording_that_does_not_exist_is_refused(bench: Bench) -> None:
    before = bench.files()
    refused(bench, bench.compare(candidate="nowhere"), before, "nowhere.jsonl")


def test_a_name_that_is_an_entry_and_a_folder_is_refused(bench: Bench) -> None:
    bench.write("harness.yaml", "candidates:\n  lora:\n    replay: candidate.jsonl\n")
    bench.write("lora/adapter_config.json", "{}")
    before = bench.files()
    result = bench("compare", "replay:base.jsonl", "lora", "--suite", "suite.yaml")
    refused(bench, result, before, "'lora'", "harness.yaml", "./lora")


def test_a_misspelt_key_in_the_workspace_names_file_key_and_nearest(bench: Bench) -> None:
    bench.write("harness.yaml", "candidates:\n  lora:\n    replay: candidate.jsonl\n    promt: alpaca\n")
    before = bench.files()
    refused(bench, bench.compare(), before, "harness.yaml", "candidates.lora.promt", "'prompt'")


def test_a_misspelt_key_in_a_suite_names_file_key_and_nearest(bench: Bench) -> None:
    suite = (bench.folder / "suite.yaml").read_text().replace("    margin: 0.1\n", "    margn: 0.1\n", 1)
    bench.write("suite.yaml", suite)
    before = bench.files()
    refused(bench, bench.compare(), before, "suite.yaml", "margn", "'margin'")


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (("--limit", "0"), ("--limit", "at least 1")),
        (("--limit", "-3"), ("--limit", "at least 1")),
        (("--limit", "ten"), ("--limit", "integer")),
        (("--alpha", "0"), ("--alpha", "between 0 and 1")),
        (("--repeats", "0"), ("--repeats", "at least 1")),
        (("--temperature", "-1"), ("--temperature", "must be 0 or above")),
        (("--engine", "vlm"), ("--engine", "vlm")),
        (("--goldset", "facts"), ("--goldset", "NAME=PATH")),
        (("--goldset", "facts=nowhere.jsonl"), ("--goldset facts", "nowhere.jsonl")),
        (("--goldset", "fcts.jsonl=facts.jsonl"), ("--goldset", "fcts.jsonl", "Did you mean 'facts.jsonl'")),
        (("--lang", "fr"), ("--lang", "fr")),
        (("--suit", "x"), ("--suit",)),
        (("--json", "nowhere/out.json"), ("--json nowhere/out.json", "does not exist")),
        (("--html", "."), ("--html .", "folder")),
        (("--json", "o", "--html", "o"), ("'o'", "--json")),
        (("--json", "/proc/out.json"), ("--json /proc/out.json", "cannot be written")),
    ],
    ids=lambda value: " ".join(value) if value[0].startswith("--") else "",
)
def test_a_wrong_option_is_found_before_anything_starts(
    bench: Bench, options: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    before = bench.files()
    refused(bench, bench.compare(*options), before, *parts)


def test_a_missing_suite_option_is_one_line(bench: Bench) -> None:
    before = bench.files()
    refused(bench, bench("compare", "a", "b"), before, "--suite", "harness compare --help")


def test_an_unknown_command_is_one_line(bench: Bench) -> None:
    before = bench.files()
    refused(bench, bench("compere"), before, "compere")


@pytest.mark.parametrize("store", ["suite.yaml/store", "/proc/store"])
def test_a_store_that_cannot_be_written_is_found_before_anything_starts(bench: Bench, store: str) -> None:
    before = bench.files()
    result = bench.compare("--store", store, "--json", "out.json")
    refused(bench, result, before, store, "cannot be written", "--store")


def base_model(folder: Path, width: int = 8) -> Path:
    """A model directory whose header alone matters here."""
    folder.mkdir()
    (folder / "config.json").write_text('{"max_position_embeddings": 64}')
    layer = "model.layers.0.self_attn.q_proj.weight"
    save_file({layer: np.zeros((width, width), np.float32)}, folder / "model.safetensors")
    return folder


def adapter(folder: Path, width: int = 8) -> Path:
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"r": 2, "base_model_name_or_path": "elsewhere/base"}))
    stem = "base_model.model.model.layers.0.self_attn.q_proj"
    weights = {
        f"{stem}.lora_A.weight": np.zeros((2, width), np.float32),
        f"{stem}.lora_B.weight": np.zeros((width, 2), np.float32),
    }
    save_file(weights, folder / "adapter_model.safetensors")
    return folder


def compare_models(bench: Bench) -> Result:
    return bench("compare", "./model", "./lora", "--suite", "suite.yaml")


def test_an_adapter_without_weights_is_refused(bench: Bench) -> None:
    base_model(bench.folder / "model")
    adapter(bench.folder / "lora")
    (bench.folder / "lora/adapter_model.safetensors").unlink()
    before = bench.files()
    refused(bench, compare_models(bench), before, "lora", "no adapter_model.safetensors", "before it saved")


@pytest.mark.parametrize("keep", [4, 40, -10])
def test_truncated_weights_are_refused(bench: Bench, keep: int) -> None:
    base_model(bench.folder / "model")
    weights = adapter(bench.folder / "lora") / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    before = bench.files()
    refused(bench, compare_models(bench), before, "lora/adapter_model.safetensors", "Copy the file again")


def test_weights_with_a_header_that_is_no_json_are_refused(bench: Bench) -> None:
    base_model(bench.folder / "model")
    weights = adapter(bench.folder / "lora") / "adapter_model.safetensors"
    weights.write_bytes(struct.pack("<Q", 4) + b"oops")
    before = bench.files()
    refused(bench, compare_models(bench), before, "lora/adapter_model.safetensors", "broken header")


def test_an_adapter_of_another_base_is_refused(bench: Bench) -> None:
    base_model(bench.folder / "model", width=16)
    adapter(bench.folder / "lora", width=8)
    before = bench.files()
    refused(bench, compare_models(bench), before, "does not fit", "'elsewhere/base'", "--base PATH")


def test_pickle_weights_are_refused(bench: Bench) -> None:
    base_model(bench.folder / "model")
    lora = adapter(bench.folder / "lora")
    (lora / "adapter_model.safetensors").rename(lora / "adapter_model.bin")
    before = bench.files()
    refused(bench, compare_models(bench), before, "pickle", "adapter_model.bin", "safe_serialization=True")


def test_an_adapter_whose_base_is_nowhere_asks_for_it(bench: Bench) -> None:
    adapter(bench.folder / "lora")
    before = bench.files()
    result = bench("compare", "replay:base.jsonl", "./lora", "--suite", "suite.yaml")
    refused(bench, result, before, "'elsewhere/base'", "--base PATH")


def test_control_characters_in_a_name_do_not_reach_the_terminal(bench: Bench) -> None:
    result = bench("compare", "replay:base.jsonl", "x\x1b[2Jy\u202e", "--suite", "suite.yaml")
    assert result.code == 2
    assert "\x1b" not in result.err
    assert "\u202e" not in result.err


def test_missing_recorded_answers_are_counted_and_beyond_tolerance_exit_3(bench: Bench) -> None:
    lines = (bench.folder / "candidate.jsonl").read_text().splitlines()
    bench.write("candidate.jsonl", "\n".join(lines[4:]))
    result = bench.compare("--json", "out.json")
    assert result.code == 3
    assert "incomplete: replay:candidate.jsonl: facts: 4 of 40" in result.err
    (found,) = json.loads((bench.folder / "out.json").read_text())["comparisons"]
    facts = next(r for r in found["results"] if r["task"] == "facts")
    assert facts["missing"] == {"base": 0, "candidate": 4}
    assert facts["n"] == 36


def test_missing_answers_within_tolerance_are_only_counted(bench: Bench) -> None:
    suite = (bench.folder / "suite.yaml").read_text().replace("margin: 0.1", "margin: 0.1\n    max_error_rate: 0.2")
    bench.write("suite.yaml", suite)
    lines = (bench.folder / "candidate.jsonl").read_text().splitlines()
    bench.write("candidate.jsonl", "\n".join(lines[4:]))
    result = bench.compare()
    assert result.code == 0
    assert "missing answers: 0 base, 4 candidate" in result.out


def test_a_recording_of_the_same_item_twice_is_refused(bench: Bench) -> None:
    bench.record("base", share(3), share(9))
    line = '{"item_id": "f0", "output": "a"}\n'
    bench.write("candidate.jsonl", line + line)
    before = bench.files()
    refused(bench, bench.compare(), before, "candidate.jsonl:2", "'f0'", "candidate.jsonl:1.")


def test_a_file_that_cannot_be_opened_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "gold.jsonl")

    monkeypatch.setattr("harness.api.compare", refuse)
    before = bench.files()
    refused(bench, bench.compare(), before, "gold.jsonl: Permission denied")
