"""Multiple choice end to end: likelihoods of options on both engines, against lm-evaluation-harness' definition, and
the two ways of answering kept apart."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.comparison.results import Comparison, compare_runs
from harness.errors import EXIT_INCOMPLETE, EXIT_OK, EXIT_USAGE, InputError
from harness.resources import packaged
from harness.runs.files import RunStore
from harness.runs.samples import Sample
from harness.scorers.likelihoods import OptionLikelihoods, read_likelihoods
from harness.suites.spec import Suite, load_suite
from tests.cli.conftest import Bench, bench

__all__ = ["bench"]  # a fixture

MODELS = Path(harness.__file__).parent / "demo" / "models"
BASE, LORA = str(MODELS / "base"), str(MODELS / "lora_model_medical")
ITEMS = 40
SUITE = """\
name: tcm-cmmlu
tasks:
  - {name: letters, role: target, goldset: cmmlu.jsonl, answer: loglikelihood,
     scorers: [choice: {method: loglikelihood}], primary: choice, margin: 0.1}
  - {name: texts, role: guard, goldset: cmmlu.jsonl, answer: loglikelihood, prompt: "{question}",
     scorers: [choice: {method: loglikelihood, options: text}], primary: choice_norm, margin: 0.1}
  - {name: spoken, role: guard, goldset: cmmlu.jsonl, generation: {max_tokens: 8},
     scorers: [choice], primary: choice, margin: 0.1}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    """Questions of CMMLU on traditional Chinese medicine, and a suite that asks them in three ways."""
    made = tmp_path_factory.mktemp("choices")
    with (shared_data / "cmmlu" / "test" / "traditional_chinese_medicine.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:ITEMS]
    items = [
        {"id": f"q{n}", "question": row["Question"], "choices": [row[c] for c in "ABCD"], "answer": row["Answer"]}
        for n, row in enumerate(rows)
    ]
    (made / "cmmlu.jsonl").write_text("".join(json.dumps(i, ensure_ascii=False) + "\n" for i in items), "utf-8")
    (made / "suite.yaml").write_text(SUITE, encoding="utf-8")
    (made / "qa.txt").write_text("Question: {question}\nAnswer:", encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def compared(folder: Path) -> tuple[Comparison, dict[str, list[Sample]]]:
    """Base and LoRA of the demo on transformers."""
    outcome = harness.compare(
        BASE, LORA, suite="suite.yaml", engine="transformers", folder=folder, store=str(folder / "runs")
    )
    ids = outcome.comparison.comparisons[0].run_ids
    return outcome.comparison, {"base": outcome.samples[ids.base], "lora": outcome.samples[ids.candidate]}


def sums(sample: Sample) -> list[float]:
    found = read_likelihoods(sample.output)
    assert found is not None
    return [option.logprob for option in found.options]


class LmEval:
    """What lm-evaluation-harness computes (0.4.13: `_encode_pair` in lm_eval/api/model.py, `process_results` in
    lm_eval/api/task.py), with transformers and PEFT and nothing of this project."""

    def __init__(self, adapter: str | None) -> None:
        import peft
        from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

        # AutoTokenizer would put Qwen2's own pre-tokenizer in place of the saved one.
        self.tokenizer = PreTrainedTokenizerFast(tokenizer_file=f"{BASE}/tokenizer.json")
        self.tokenizer.chat_template = json.loads(Path(BASE, "tokenizer_config.json").read_text())["chat_template"]
        model: Any = AutoModelForCausalLM.from_pretrained(BASE, dtype="float32")
        self.model = (peft.PeftModel.from_pretrained(model, adapter) if adapter else model).eval()

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def encode_pair(self, context: str, continuation: str) -> tuple[list[int], list[int]]:
        spaces = len(context) - len(context.rstrip())
        if spaces > 0:
            continuation = context[-spaces:] + continuation
            context = context[:-spaces]
        whole, alone = self._ids(context + continuation), self._ids(context)
        return alone, whole[len(alone) :]

    def loglikelihood(self, context: str, continuation: str) -> float:
        import torch

        before, after = self.encode_pair(context, continuation)
        with torch.inference_mode():
            table = torch.log_softmax(self.model(torch.tensor([before + after])).logits[0].float(), dim=-1)
        return sum(float(table[len(before) - 1 + i, token]) for i, token in enumerate(after))


@pytest.mark.parametrize("adapter", [None, LORA], ids=["base", "lora"])
def test_scores_are_acc_and_acc_norm_of_lm_eval(folder: Path, adapter: str | None) -> None:
    """Behind a plain prompt, where lm-eval puts a space before the option."""
    import numpy as np

    suite = load_suite(folder / "suite.yaml")[0].only({"texts"})
    _, found = harness.run(
        adapter or BASE,
        suite=suite,
        engine="transformers",
        prompt="qa.txt",
        base=BASE if adapter else None,
        folder=folder,
        store=str(folder / "runs"),
    )
    (samples,) = found.values()
    reference = LmEval(adapter)
    golds = {item.id: item for item in harness.load_goldset(folder / "cmmlu.jsonl").items}
    assert len(samples) == ITEMS
    agreed = 0
    for sample in samples:
        item = golds[sample.item_id]
        choices, gold = item.choices or (), "ABCD".index(item.answer[0])
        lls = np.array([reference.loglikelihood(f"Question: {item.question}\nAnswer:", f" {c}") for c in choices])
        assert sums(sample) == pytest.approx(list(lls), abs=1e-3)
        acc = float(np.argmax(lls) == gold)
        acc_norm = float(np.argmax(lls / np.array([float(len(c)) for c in choices])) == gold)
        assert sample.scores["choice"].value == acc
        assert sample.scores["choice_norm"].value == acc_norm
        agreed += acc != acc_norm
    assert agreed, "nowhere does length decide: the test shows nothing about it"


def test_behind_a_chat_template_sums_differ_from_lm_evals_by_the_same_number_for_every_option(
    compared: tuple[Comparison, dict[str, list[Sample]]], folder: Path
) -> None:
    """lm-eval counts the template's last line break into every option."""
    reference = LmEval(LORA)
    golds = {item.id: item for item in harness.load_goldset(folder / "cmmlu.jsonl").items}
    for sample in [s for s in compared[1]["lora"] if s.task == "letters"][:10]:
        item = golds[sample.item_id]
        options = "\n".join(f"{letter}. {text}" for letter, text in zip("ABCD", item.choices or (), strict=True))
        turn = {"role": "user", "content": f"{item.question}\n{options}\n请只回答正确选项的字母。"}
        context = reference.tokenizer.apply_chat_template([turn], tokenize=False, add_generation_prompt=True)
        assert context == sample.prompt
        lls = [reference.loglikelihood(context, letter) for letter in "ABCD"]
        apart = [ours - theirs for ours, theirs in zip(sums(sample), lls, strict=True)]
        assert apart == pytest.approx([apart[0]] * 4, abs=1e-3)


@pytest.mark.vllm
@pytest.mark.slow
def test_both_engines_weigh_alike_and_reach_the_same_verdicts(
    compared: tuple[Comparison, dict[str, list[Sample]]], folder: Path
) -> None:
    """vLLM in a process of its own, by the command line."""
    command = [sys.executable, "-m", "harness", "compare", BASE, LORA, "--suite", "suite.yaml", "--engine", "vllm"]
    done = subprocess.run(
        [*command, "--store", "vllm-runs", "--json", "vllm.json"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == EXIT_OK, done.stderr
    theirs = Comparison.model_validate_json((folder / "vllm.json").read_text())
    ids = theirs.comparisons[0].run_ids
    store = RunStore(str(folder / "vllm-runs"))
    for side, run_id in (("base", ids.base), ("lora", ids.candidate)):
        other = {(s.task, s.item_id): s for s in store.read_run(run_id)[1]}
        assert len(other) == 3 * ITEMS
        for sample in compared[1][side]:
            twin = other[(sample.task, sample.item_id)]
            if sample.task == "spoken":
                assert twin.output == sample.output
                continue
            assert sums(twin) == pytest.approx(sums(sample), abs=2e-3)
            assert {m: s.value for m, s in twin.scores.items()} == {m: s.value for m, s in sample.scores.items()}
    mine = compared[0].comparisons[0].results
    assert [(r.task, r.metric, r.verdict, r.delta) for r in theirs.comparisons[0].results] == [
        (r.task, r.metric, r.verdict, r.delta) for r in mine
    ]


def test_a_guard_at_chance_is_uninformative(compared: tuple[Comparison, dict[str, list[Sample]]]) -> None:
    """The demo models know nothing of CMMLU; their texts name no letter at all."""
    (spoken,) = [r for r in compared[0].comparisons[0].results if r.task == "spoken"]
    assert spoken.verdict == "inconclusive"
    assert spoken.note_code == "uninformative_floor"
    assert spoken.note_params["floor"] == 0.25


def test_the_signature_of_every_metric_says_how_it_was_answered(
    compared: tuple[Comparison, dict[str, list[Sample]]],
) -> None:
    signatures = {(r.task, r.metric): r.signature for r in compared[0].comparisons[0].results}
    assert "method:loglikelihood|options:letter" in signatures["letters", "choice"]
    assert "method:loglikelihood|options:text" in signatures["texts", "choice_norm"]
    assert "method:generated" in signatures["spoken", "choice"]


def test_a_second_comparison_and_repeats_start_no_engine(
    folder: Path, compared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.runs import runner

    def started(*_: object) -> None:
        raise AssertionError("an engine was started")

    monkeypatch.setattr(runner, "open_engine", started)
    common: dict[str, Any] = {"engine": "transformers", "folder": folder, "store": str(folder / "runs")}
    outcome = harness.compare(BASE, LORA, suite="suite.yaml", **common)
    assert outcome.comparison.id == compared[0].id
    # Nothing is drawn when options are weighed, so repeats weigh nothing anew.
    weighed_only = load_suite(folder / "suite.yaml")[0].only({"letters", "texts"})
    _, found = harness.run(BASE, suite=weighed_only, repeats=2, **common)
    assert [len(samples) for samples in found.values()] == [4 * ITEMS]


# Two ways of answering, never in one comparison

ROWS = [{"id": f"q{i}", "question": f"第{i}题？", "choices": ["甲", "乙"], "answer": "AB"[i % 2]} for i in range(30)]
LIKELY = "answer: loglikelihood, scorers: [choice: {method: loglikelihood}]"


def weighed(first: float, second: float) -> str:
    return OptionLikelihoods.model_validate(
        {"options": [{"text": "A", "logprob": first, "tokens": 1}, {"text": "B", "logprob": second, "tokens": 1}]}
    ).to_json()


@pytest.fixture
def replays(bench: Bench) -> Bench:
    bench.gold("mc.jsonl", ROWS)
    for name, line in (("spoken", "scorers: [choice]"), ("weighed", LIKELY)):
        bench.write(
            f"{name}.yaml",
            f"name: {name}\ntasks:\n  - {{name: mc, role: guard, goldset: mc.jsonl, {line}, primary: choice}}\n",
        )
    texts = {
        "said": lambda i: "答案是A",
        "likely": lambda i: weighed(-1.0, -2.0),
        "best": lambda i: weighed(-2.0, -1.0),
    }
    for name, output in texts.items():
        rows = [{"item_id": f"q{i}", "output": output(i)} for i in range(30)]
        bench.write(f"{name}.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return bench


@pytest.mark.parametrize(
    ("suite", "base", "candidate", "says"),
    [
        ("weighed", "likely", "said", "said.jsonl:1: holds a generated text, but task 'mc' is answered by the"),
        ("weighed", "said", "likely", "said.jsonl:1: holds a generated text"),
        ("spoken", "said", "likely", "likely.jsonl:1: holds the likelihoods of options, but task 'mc' is answered by"),
    ],
)  # fmt: skip
def test_a_recording_of_the_other_kind_is_refused(
    replays: Bench, suite: str, base: str, candidate: str, says: str
) -> None:
    before = replays.files()
    result = replays.compare(suite=f"{suite}.yaml", base=base, candidate=candidate)
    assert result.code == EXIT_USAGE
    assert says in " ".join(result.err.split())
    assert replays.files() == before, "nothing is written"


def test_a_recording_that_changes_kind_half_way_is_refused_at_that_line(replays: Bench) -> None:
    lines = (replays.folder / "likely.jsonl").read_text().splitlines()
    lines[17] = json.dumps({"item_id": "q17", "output": "B"})
    replays.write("likely.jsonl", "\n".join(lines) + "\n")
    result = replays.compare(suite="weighed.yaml", base="best", candidate="likely")
    assert result.code == EXIT_USAGE
    assert "likely.jsonl:18: holds a generated text" in result.err


def test_recordings_of_the_same_kind_are_compared(replays: Bench) -> None:
    assert replays.compare(suite="weighed.yaml", base="likely", candidate="best").code == EXIT_OK
    assert replays.compare(suite="spoken.yaml", base="said", candidate="said").code == EXIT_OK


@pytest.mark.parametrize(("suite", "name"), [("weighed", "likely"), ("spoken", "said")])
def test_an_error_line_is_of_either_kind(replays: Bench, suite: str, name: str) -> None:
    lines = (replays.folder / f"{name}.jsonl").read_text().splitlines()
    lines[3] = json.dumps({"item_id": "q3", "finish_reason": "error"})
    replays.write(f"{name}.jsonl", "\n".join(lines) + "\n")
    result = replays.compare(suite=f"{suite}.yaml", base=name, candidate=name)
    assert result.code == EXIT_INCOMPLETE, result.err
    assert "1 of 30" in result.err


def test_runs_that_were_scored_in_different_ways_are_not_compared() -> None:
    suite = Suite.model_validate(
        {
            "name": "s",
            "tasks": [{"name": "mc", "role": "guard", "goldset": "g", "scorers": ["choice"], "primary": "choice"}],
        }
    )
    with pytest.raises(InputError, match=r"metric 'choice' of task 'mc'.*method:generated.*method:loglikelihood"):
        compare_runs(
            suite,
            [],
            [],
            again={},
            signatures={"mc": {"choice": "choice|method:generated|v:1"}},
            candidate_signatures={"mc": {"choice": "choice|method:loglikelihood|v:1"}},
            alpha=0.05,
            seed=0,
        )


def test_the_command_line_scores_both_ways(replays: Bench) -> None:
    common = ("--goldset", "mc.jsonl", "--scorer", "choice", "--json", "-")
    spoken = replays("score", "replay:said.jsonl", *common)
    assert json.loads(spoken.out)["score"] == 0.5
    assert "method:generated" in json.loads(spoken.out)["signature"]
    found = replays("score", "replay:best.jsonl", *common, "--option", "method=loglikelihood")
    assert json.loads(found.out)["score"] == 0.5
    assert "method:loglikelihood" in json.loads(found.out)["signature"]
    refused = replays("score", "replay:said.jsonl", *common, "--option", "method=loglikelihood")
    assert refused.code == EXIT_USAGE
    assert "said.jsonl:1" in refused.err


def test_reports_show_the_choice_behind_likelihoods(replays: Bench) -> None:
    result = replays.compare("--html", "page.html", suite="weighed.yaml", base="likely", candidate="best")
    assert "A (A -1.00, B -2.00)" in result.out + (replays.folder / "page.html").read_text()
    assert '"logprob"' not in result.out


def test_the_packaged_choice_questions_can_be_asked_both_ways() -> None:
    from harness.gold.choices import gold_letters

    for item in harness.load_goldset(packaged("goldsets") / "tcm-choice.jsonl").items:
        assert len(gold_letters(item)[0]) == 1
