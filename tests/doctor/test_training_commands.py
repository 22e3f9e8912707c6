"""Faults of training, planted on disk and found by `harness candidates doctor`; near-misses that it leaves alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from harness.candidates.candidate import ModelCandidate
from harness.candidates.fingerprint import fingerprint
from harness.cli import main
from harness.demo import trainset
from harness.gold.goldset import load_goldset
from harness.gold.importers.files import digest_files
from tests.doctor import training_faults
from tests.doctor.command import BASE, LORA, Doctor
from tests.doctor.training_faults import Pairs, write_lines

TRAINING = {"labels-masked", "truncation", "train-leak"}
HEALTHY_LOG = [{"loss": 2.0 / n, "grad_norm": 1.0 / n} for n in range(1, 9)]


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    """Questions and answers that the demo's adapter was trained on."""
    return [(row["instruction"] + row.get("input", ""), row["output"]) for row in trainset.rows("medical", 60)]


@pytest.fixture(scope="module")
def parent() -> str:
    """The digest that training records of the demo's base."""
    return fingerprint(ModelCandidate("base", BASE)).digest


# Healthy


@pytest.mark.parametrize("name", ["lora_model_medical", "lora_model_medical_mix"])
def test_healthy_training_passes_whatever_of_it_is_given(
    doctor: Doctor, pairs: Pairs, parent: str, tmp_path: Path, name: str
) -> None:
    adapter = training_faults.with_lineage(
        BASE.parent / name, tmp_path / name, parent, leaks=[training_faults.leak("medical-qa")]
    )
    training_faults.write_log(adapter / "checkpoint-60", HEALTHY_LOG)
    rows = training_faults.completion_only(BASE, pairs)
    given: list[object] = []
    for path in (
        training_faults.save_to_disk(tmp_path / "saved", rows),
        training_faults.write_parquet(tmp_path / "rows.parquet", rows),
        write_lines(tmp_path / "tokens.jsonl", rows),
        write_lines(tmp_path / "raw.jsonl", list(trainset.rows("medical", 60))),
    ):
        given += ["--train-data", path]
    found = doctor(adapter, *given)
    assert {probe: found.status[probe] for probe in (*TRAINING, "base-match")} == dict.fromkeys(
        (*TRAINING, "base-match"), "pass"
    )
    assert "failed" not in found.status.values()
    assert "warning" not in found.status.values()
    assert found.code == 0
    assert "--explain" not in found.out


def test_without_evidence_the_probes_say_what_would_show_something(doctor: Doctor) -> None:
    found = doctor()
    assert {found.status[probe] for probe in TRAINING} == {"skipped"}
    assert all("--train-data" in found.line[probe] for probe in TRAINING)
    assert found.code == 0


# labels-masked


@pytest.mark.parametrize(
    ("plant", "status", "said"),
    [
        (training_faults.all_masked, "failed", "60 of 60 rows of tokens.jsonl have no label but -100"),
        (lambda base, pairs: training_faults.all_masked(base, pairs, 0.3), "warning", "18 of 60 rows"),
        (training_faults.end_masked, "failed", "the end token is masked in 60 of 60 rows"),
        (training_faults.end_missing, "failed", "the end token is missing in 60 of 60 rows"),
        (
            lambda base, pairs: training_faults.completion_only(base, pairs, end=False),
            "failed",
            "the end token is missing in 60 of 60 rows",
        ),
    ],
)
def test_labels_that_teach_nothing_or_no_end(
    doctor: Doctor, pairs: Pairs, tmp_path: Path, plant: Callable[..., Any], status: str, said: str
) -> None:
    found = doctor(LORA, "--train-data", write_lines(tmp_path / "tokens.jsonl", plant(BASE, pairs)))
    assert found.status["labels-masked"] == status
    assert said in found.line["labels-masked"]
    assert "row 1: masked '" in found.line["labels-masked"]  # decoded
    assert found.code == (1 if status == "failed" else 0)
    assert "labels-masked: what it means: harness candidates doctor --explain labels-masked" in found.out


def test_masked_labels_in_what_the_trainer_saved(doctor: Doctor, pairs: Pairs, tmp_path: Path) -> None:
    saved = training_faults.save_to_disk(tmp_path / "saved", training_faults.all_masked(BASE, pairs))
    assert doctor(LORA, "--train-data", saved).status["labels-masked"] == "failed"


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([{"loss": 0.0, "grad_norm": 0.0}] * 6, "the loss is 0 at all 6 logged steps"),
        ([{"loss": 0.0}] * 6, "the loss is 0 at all 6 logged steps"),
        ([{"loss": 2.1, "grad_norm": 0.0}] * 6, "the gradient is 0 at all 6 logged steps"),
        ([*HEALTHY_LOG[:3], *[{"loss": float("nan"), "grad_norm": float("nan")}] * 3], "from step 4 on"),
        ([*HEALTHY_LOG[:3], *[{"loss": 0.0, "grad_norm": float("nan")}] * 3], "from step 4 on"),
    ],
)
def test_a_loss_that_shows_nothing_was_learned(
    doctor: Doctor, tmp_path: Path, points: list[dict[str, float]], said: str
) -> None:
    found = doctor(training_faults.with_log(LORA, tmp_path / "faulty", points))
    assert found.status["labels-masked"] == "failed"
    assert said in found.line["labels-masked"]
    assert found.code == 1


def test_a_log_that_lies_elsewhere_can_be_given(doctor: Doctor, tmp_path: Path) -> None:
    training_faults.write_log(tmp_path / "outputs" / "checkpoint-60", [{"loss": 0.0}] * 3)
    assert doctor(LORA, "--train-log", tmp_path / "outputs").status["labels-masked"] == "failed"


def test_a_lineage_of_a_run_that_diverged(doctor: Doctor, parent: str, tmp_path: Path) -> None:
    losses = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": "NaN"}, {"step": 3, "loss": "NaN"}]
    found = doctor(training_faults.with_lineage(LORA, tmp_path / "nan", parent, losses=losses))
    assert found.status["labels-masked"] == "failed"
    assert "from step 2 on" in found.line["labels-masked"]


@pytest.mark.parametrize(
    "plant",
    [
        lambda pairs: training_faults.nothing_masked(BASE, pairs),
        lambda pairs: training_faults.all_masked(BASE, pairs, 0.05),  # prompts longer than was allowed
        lambda pairs: training_faults.packed(training_faults.completion_only(BASE, pairs), 64),
        lambda pairs: training_faults.padded(training_faults.completion_only(BASE, pairs), 128, token=2597),
    ],
    ids=["prompts learned too", "a few long prompts", "packed", "padded with the end token"],
)
def test_labels_that_are_nearly_a_fault(
    doctor: Doctor, pairs: Pairs, tmp_path: Path, plant: Callable[[Pairs], Any]
) -> None:
    found = doctor(LORA, "--train-data", write_lines(tmp_path / "tokens.jsonl", plant(pairs)))
    assert found.status["labels-masked"] == "pass"
    assert found.status["truncation"] == "pass"


@pytest.mark.parametrize(
    "points",
    [
        [*HEALTHY_LOG, {"loss": 0.0, "grad_norm": 1e-5}, {"loss": 0.0, "grad_norm": 1e-5}],  # memorised
        [{"loss": 2.0, "grad_norm": float("inf")}, *HEALTHY_LOG],  # float16 finds its scale
        [*HEALTHY_LOG, {"loss": float("nan")}, {"loss": 0.3}],  # one bad batch
    ],
)
def test_a_loss_that_is_nearly_a_fault(doctor: Doctor, tmp_path: Path, points: list[dict[str, float]]) -> None:
    assert doctor(training_faults.with_log(LORA, tmp_path / "near", points)).status["labels-masked"] == "pass"


def test_the_loss_of_reinforcement_learning_may_be_0(doctor: Doctor, tmp_path: Path) -> None:
    points = [{"loss": 0.0, "grad_norm": 0.4, "reward": 0.2, "kl": 0.0}] * 5
    assert doctor(training_faults.with_log(LORA, tmp_path / "grpo", points)).status["labels-masked"] == "skipped"


# truncation


@pytest.mark.parametrize(("longest", "status"), [(36, "failed"), (52, "warning")])
def test_examples_that_were_cut(doctor: Doctor, pairs: Pairs, tmp_path: Path, longest: int, status: str) -> None:
    rows = training_faults.cut(training_faults.completion_only(BASE, pairs), longest)
    found = doctor(LORA, "--train-data", write_lines(tmp_path / "tokens.jsonl", rows))
    assert found.status["truncation"] == status
    assert f"stop at {longest} tokens without an end" in found.line["truncation"]


def test_every_example_cut_is_not_taken_for_packing(doctor: Doctor, pairs: Pairs, tmp_path: Path) -> None:
    rows = training_faults.cut(training_faults.completion_only(BASE, pairs), 20)
    found = doctor(LORA, "--train-data", write_lines(tmp_path / "tokens.jsonl", rows))
    assert found.status["truncation"] == "failed"
    assert found.status["labels-masked"] == "failed"  # nothing but prompts is left


@pytest.mark.parametrize("form", ["alpaca rows", "text"])
def test_texts_longer_than_training_allowed(doctor: Doctor, pairs: Pairs, tmp_path: Path, form: str) -> None:
    rows: list[dict[str, Any]] = [
        {"instruction": question, "input": "", "output": answer} for question, answer in pairs
    ]
    if form == "text":
        rows = [{"text": f"### Instruction:\n{question}\n\n### Response:\n{answer}"} for question, answer in pairs]
    raw = write_lines(tmp_path / "raw.jsonl", rows)
    found = doctor(LORA, "--train-data", raw, "--max-seq-length", 30)
    assert found.status["truncation"] == "warning"
    assert "of 60 examples in raw.jsonl are longer than 30 tokens" in found.line["truncation"]
    assert doctor(LORA, "--train-data", raw, "--max-seq-length", 256).status["truncation"] == "pass"


def test_examples_that_our_own_training_left_out(doctor: Doctor, parent: str, tmp_path: Path) -> None:
    found = doctor(training_faults.with_lineage(LORA, tmp_path / "many", parent, too_long=100))
    assert found.status["truncation"] == "warning"
    assert "100 of 500 examples were left out" in found.line["truncation"]
    assert (
        doctor(training_faults.with_lineage(LORA, tmp_path / "few", parent, too_long=8)).status["truncation"] == "pass"
    )


def test_two_long_rows_without_an_end_are_chance(doctor: Doctor, pairs: Pairs, tmp_path: Path) -> None:
    rows = training_faults.completion_only(BASE, pairs)
    width = max(len(row["input_ids"]) for row in rows) + 5
    rows += [{name: (values * 9)[:width] for name, values in row.items()} for row in rows[:2]]
    for row in rows[-2:]:
        row["input_ids"][-3:] = row["input_ids"][:1] * 3
    found = doctor(LORA, "--train-data", write_lines(tmp_path / "tokens.jsonl", rows))
    assert found.status["truncation"] == "pass"
    assert "2 of 62 rows" in found.line["truncation"]


# train-leak


@pytest.fixture(scope="module")
def gold() -> list[tuple[str, str]]:
    return [(item.text, item.answer[0]) for item in load_goldset("medical-qa").items[:5]]


@pytest.mark.parametrize("kind", ["alpaca", "sharegpt", "text", "token ids"])
def test_gold_items_in_the_training_data(
    doctor: Doctor, pairs: Pairs, gold: list[tuple[str, str]], tmp_path: Path, kind: str
) -> None:
    together = [*pairs, *gold]
    rows: list[dict[str, Any]] = {
        "alpaca": [{"instruction": q, "input": "", "output": a} for q, a in together],
        "sharegpt": [
            {"conversations": [{"from": "human", "value": q}, {"from": "gpt", "value": a}]} for q, a in together
        ],
        "text": [{"text": f"### Instruction:\n{q}\n\n### Response:\n{a}<|im_end|>"} for q, a in together],
        "token ids": training_faults.completion_only(BASE, together),
    }[kind]
    found = doctor(LORA, "--train-data", write_lines(tmp_path / "train.jsonl", rows))
    assert found.status["train-leak"] == "failed"
    assert "5 of the 364 items of 'medical-qa' stand in the training data word for word" in found.line["train-leak"]
    assert "train.jsonl, row 61" in found.line["train-leak"]
    assert found.code == 1


def test_a_question_of_the_same_mould_is_no_leak(
    doctor: Doctor, pairs: Pairs, gold: list[tuple[str, str]], tmp_path: Path
) -> None:
    assert "维生素A" in gold[0][0]
    near = [(gold[0][0].replace("维生素A", "维生素K"), "出血倾向")]
    rows = [{"instruction": q, "input": "", "output": a} for q, a in [*pairs, *near]]
    assert doctor(LORA, "--train-data", write_lines(tmp_path / "train.jsonl", rows)).status["train-leak"] == "pass"


def test_what_was_allowed_once_is_told_for_ever(doctor: Doctor, parent: str, tmp_path: Path) -> None:
    leaked = training_faults.with_lineage(
        LORA, tmp_path / "leaked", parent, leaks=[training_faults.leak("medical-qa", verbatim=12)]
    )
    found = doctor(leaked)
    assert found.status["train-leak"] == "failed"
    assert "trained on 12 of the 364 items of 'medical-qa'" in found.line["train-leak"]
    near = training_faults.leak("medical-qa", near=3)
    elsewhere = training_faults.leak("another-set", verbatim=12)
    for name, record in (("near", near), ("elsewhere", elsewhere)):
        adapter = training_faults.with_lineage(LORA, tmp_path / name, parent, leaks=[record])
        assert doctor(adapter).status["train-leak"] == "warning"


def test_a_comparison_reads_the_record_and_blocks_the_gate(
    doctor: Doctor, store: Path, parent: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leaked = training_faults.with_lineage(
        LORA, tmp_path / "leaked", parent, leaks=[training_faults.leak("medical-qa", verbatim=12)]
    )
    report = tmp_path / "out.json"
    code = main(
        ["compare", str(BASE), str(leaked), "--suite", "medical", "--limit", "24", "--engine", "transformers",
         "--store", str(store), "--lang", "en", "--gate", "--json", str(report)]
    )  # fmt: skip
    (comparison,) = json.loads(report.read_text())["comparisons"]
    found = {finding["probe"]: finding for finding in comparison["doctor"]}
    assert found["train-leak"]["status"] == "fail"
    assert {found[probe]["status"] for probe in ("labels-masked", "truncation")} == {"pass"}
    assert code == 1
    assert "harness candidates doctor --explain train-leak" in " ".join(capsys.readouterr().out.split())
    junit = tmp_path / "gate.xml"
    assert main(["gate", str(report), "--store", str(store), "--junit", str(junit), "--lang", "en"]) == 1
    probes = ET.parse(junit).findall(".//testcase[@name='train-leak']/failure")
    assert len(probes) == 1, "the gate of what is stored blocks it too, and CI shows the probe"


def test_the_files_that_a_lineage_names_are_read_again(
    doctor: Doctor, parent: str, gold: list[tuple[str, str]], tmp_path: Path
) -> None:
    data = write_lines(tmp_path / "train.jsonl", [{"question": q, "answer": a} for q, a in gold])
    record = {"name": "all", "path": "train.jsonl", "digest": digest_files([data], tmp_path), "rows": 5}
    record |= {"available": 5, "taken": 5, "dropped": {}}
    (tmp_path / "candidates").mkdir()
    adapter = training_faults.with_lineage(LORA, tmp_path / "candidates" / "mine", parent, data=[record])
    assert doctor(adapter).status["train-leak"] == "failed"
    data.write_text(data.read_text() + "\n", encoding="utf-8")
    changed = doctor(adapter)
    assert changed.status["train-leak"] == "skipped"
    assert "train.jsonl has changed since" in changed.line["train-leak"]
    data.unlink()
    assert "train.jsonl is no longer here" in doctor(adapter).line["train-leak"]


# base-match, by lineage


def test_another_model_of_the_same_shape_and_name(doctor: Doctor, parent: str, tmp_path: Path) -> None:
    wrong = doctor(training_faults.with_lineage(LORA, tmp_path / "wrong", "0" * 64))
    assert wrong.status["base-match"] == "warning"
    assert "trained on other weights than these" in wrong.line["base-match"]
    assert doctor(training_faults.with_lineage(LORA, tmp_path / "right", parent)).status["base-match"] == "pass"


# The command


def test_every_probe_has_a_page_in_both_languages(doctor: Doctor, capsys: pytest.CaptureFixture[str]) -> None:
    from harness.doctor.examination import THOROUGH

    for probe in THOROUGH:
        for language, (seen, why, do) in {
            "en": ("## What it saw", "## Why it matters", "## What to do"),
            "zh": ("## 看到了什么", "## 为什么要紧", "## 怎么办"),
        }.items():
            assert main(["candidates", "doctor", "--explain", probe.name, "--lang", language]) == 0
            text = capsys.readouterr().out
            assert text.startswith(f"# {probe.name}")
            assert text.index(seen) < text.index(why) < text.index(do)
            assert len(text.splitlines()) <= 40, "one screen"


def test_a_probe_that_is_not_there_and_nobody_to_examine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["candidates", "doctor", "--explain", "eos-learnt"]) == 2
    assert "Did you mean 'eos-learned'" in capsys.readouterr().err
    assert main(["candidates", "doctor"]) == 2
    assert "CANDIDATE" in capsys.readouterr().err


def test_what_is_given_and_not_there_is_refused_before_anything_starts(doctor: Doctor, tmp_path: Path) -> None:
    for options, place in (
        (("--train-data", tmp_path / "nowhere.jsonl"), "nowhere.jsonl"),
        (("--train-log", tmp_path), str(tmp_path)),
        (("--max-seq-length", 0), "--max-seq-length"),
        ((LORA.parent / "lora_model_medical", "--max-seq-length", 9), "--train-data"),
    ):
        found = doctor(LORA, *options)
        assert found.code == 2
        assert place in found.err


def test_a_damaged_row_costs_only_its_probes(doctor: Doctor, pairs: Pairs, tmp_path: Path) -> None:
    rows = training_faults.completion_only(BASE, pairs)
    rows[3]["labels"] = rows[3]["labels"][1:]
    found = doctor(LORA, "--train-data", write_lines(tmp_path / "tokens.jsonl", rows))
    assert found.status["labels-masked"] == "warning"
    assert "tokens.jsonl, row 4" in found.line["labels-masked"]
    assert found.status["adapter-has-effect"] == "pass"
