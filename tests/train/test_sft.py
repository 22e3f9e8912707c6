"""Training for real, on the demo base: what comes out, what is left after a kill, and what goes wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from harness import api
from harness.candidates.candidate import ModelCandidate
from harness.candidates.lineage import read_lineage
from harness.candidates.reference import resolve
from harness.candidates.workspace import load_workspace
from harness.digest import digest_file
from tests.train.conftest import Yard


def test_what_is_trained_is_a_candidate_that_learned(yard: Yard) -> None:
    """Sixty steps: better on the questions it was trained on; its lineage tells how it was made."""
    code, out, err = yard(
        "train", "sft", yard.config(max_steps=60, per_device_train_batch_size=32), "--suite", "medical"
    )
    assert code == 0, err
    lines = (yard.folder / "harness.yaml").read_text(encoding="utf-8").splitlines()
    assert lines[:3] == ["# ours", "candidates:", "  base: # tiny"]
    assert "step      1  loss" in out

    lineage = read_lineage(yard.folder / "candidates" / "mine")
    assert lineage is not None
    assert (lineage.kind, lineage.backend, lineage.method, lineage.parent, lineage.seed) == (
        "sft", "trl", "lora", "base", 3407,
    )  # fmt: skip
    assert lineage.losses[-1].loss < 0.7 * lineage.losses[0].loss
    assert [point.step for point in lineage.losses] == list(range(1, 61))
    assert lineage.data[0].rows == 400
    assert {"torch", "transformers", "trl", "peft", "finetune-harness"} <= lineage.versions.keys()
    assert (lineage.peak_memory, lineage.gpu_hours, lineage.starts) == (None, 0.0, 1)

    candidate = resolve("mine", load_workspace(yard.folder))
    assert isinstance(candidate, ModelCandidate)
    assert candidate.adapter is not None
    assert candidate.adapter.rank == 16
    rows = [json.loads(line) for line in (yard.folder / "medical.jsonl").read_text(encoding="utf-8").splitlines()]
    gold = {row["instruction"]: row["output"] for row in rows}
    yard.write("seen.jsonl", [{"question": asked, "answer": answer} for asked, answer in list(gold.items())[:200]])
    (yard.folder / "seen-suite.yaml").write_text(
        "name: seen\ntasks:\n  - {name: seen, role: target, goldset: seen.jsonl, prompt: '{question}', "
        "generation: {max_tokens: 24}, scorers: [exact], primary: exact, margin: 0.05}\n",
        encoding="utf-8",
    )
    outcome = api.compare(api.Request(references=("base", "mine"), suite="seen-suite.yaml"))
    (result,) = outcome.comparison.comparisons[0].results
    assert result.verdict == "improved"


def run(yard: Yard, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "harness", "train", "sft", *arguments],
        cwd=yard.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def test_a_killed_run_goes_on_with_the_same_losses(yard: Yard) -> None:
    settings = {"max_steps": 24, "save_steps": 5}
    whole = yard.config("whole", **settings)
    cut = yard.config("cut", **settings)
    assert yard("train", "sft", whole)[0] == 0
    process = run(yard, cut)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("step     13 "):
            process.kill()
            break
    process.wait(timeout=60)
    work = yard.folder / "candidates" / "cut.training"
    assert sorted(path.name for path in work.glob("checkpoint-*")) == ["checkpoint-10", "checkpoint-5"]
    assert not (yard.folder / "candidates" / "cut").exists()

    code, _, err = yard("train", "sft", cut)
    assert (code, "--resume goes on with it" in err) == (2, True)
    code, _, err = yard("train", "sft", yard.config("cut", **settings, r=8), "--resume")
    assert (code, "changed since the run was stopped" in err) == (2, True)
    yard.config("cut", **settings)

    # A checkpoint that broke off is passed over.
    broken = work / "checkpoint-15"
    broken.mkdir()
    (broken / "trainer_state.json").write_text('{"global_', encoding="utf-8")
    code, out, err = yard("train", "sft", cut, "--resume")
    assert code == 0, err
    assert "step     11 " in out
    assert "step     10 " not in out
    one, two = (read_lineage(yard.folder / "candidates" / name) for name in ("whole", "cut"))
    assert one is not None
    assert two is not None
    assert two.starts == 2
    assert [(p.step, p.loss) for p in two.losses] == [(p.step, p.loss) for p in one.losses]
    weights = [
        digest_file(yard.folder / "candidates" / name / "adapter_model.safetensors") for name in ("whole", "cut")
    ]
    assert weights[0] == weights[1]
    assert not work.exists()
    code, _, err = yard("train", "sft", yard.config("other"), "--resume")
    assert (code, "there is no stopped run to resume" in err) == (2, True)


def test_another_seed_another_adapter_and_the_same_seed_the_same(yard: Yard) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert yard("train", "sft", yard.config(name, seed=seed))[0] == 0
    a, b, c = (digest_file(yard.folder / "candidates" / name / "adapter_model.safetensors") for name in "abc")
    assert a == b != c


def test_a_candidate_is_replaced_only_when_asked(yard: Yard) -> None:
    config = yard.config()
    weights = yard.folder / "candidates" / "mine" / "adapter_model.safetensors"
    assert yard("train", "sft", config)[0] == 0
    before = digest_file(weights)
    code, _, err = yard("train", "sft", yard.config(seed=1))
    assert (code, "exists already" in err) == (2, True)
    assert digest_file(weights) == before
    assert yard("train", "sft", "mine.yaml", "--replace")[0] == 0
    assert digest_file(weights) != before
    assert sorted(path.name for path in (yard.folder / "candidates").iterdir()) == ["mine"]


def test_a_loss_that_is_no_number_stops_and_says_where(yard: Yard) -> None:
    code, _, err = yard("train", "sft", yard.config(learning_rate=1e30, warmup_steps=0, max_steps=20, save_steps=1))
    assert code == 3
    assert "training has diverged" in err
    assert "at step" in err
    assert "learning_rate" in err
    assert not (yard.folder / "candidates" / "mine").exists()


def test_a_disk_that_is_full_keeps_the_last_whole_checkpoint(yard: Yard) -> None:
    """The limit on file sizes lets small checkpoints through and stops the optimiser's state of a larger rank."""
    config = yard.config(max_steps=6, save_steps=2)
    process = run(yard, config)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("step      3 "):
            process.kill()
            break
    process.wait(timeout=60)
    work = yard.folder / "candidates" / "mine.training"
    assert (work / "checkpoint-2" / "whole").exists()
    command = f'trap "" XFSZ; ulimit -f 100; exec "{sys.executable}" -m harness train sft {config} --resume'
    done = subprocess.run(["bash", "-c", command], cwd=yard.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "could not be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (work / "checkpoint-4" / "whole").exists()
    code, out, err = yard("train", "sft", config, "--resume")
    assert code == 0, err
    assert "step      3 " in out


@pytest.mark.parametrize(
    "method", ["dora", "adalora", "loha", "lokr", "ia3", "prompt-tuning", "prefix-tuning", "p-tuning"]
)
def test_other_methods_train_and_are_asked_through_transformers(yard: Yard, method: str) -> None:
    code, out, err = yard("train", "sft", yard.config(method=method))
    assert code == 0, err
    assert f"vLLM cannot serve {method}" in out
    outcome = api.compare(api.Request(references=("base", "mine"), suite="medical", limit=4))
    assert outcome.comparison.engine == "transformers"
    lineage = read_lineage(yard.folder / "candidates" / "mine")
    assert lineage is not None
    assert lineage.method == method


def test_what_is_trained_with_an_alpaca_prompt_is_asked_with_it(yard: Yard) -> None:
    assert yard("train", "sft", yard.config(prompt="alpaca", packing=False))[0] == 0
    candidate = resolve("mine", load_workspace(yard.folder))
    assert isinstance(candidate, ModelCandidate)
    assert candidate.format().name == "alpaca"


def test_packing_trains(yard: Yard) -> None:
    code, _, err = yard("train", "sft", yard.config(packing=True, max_steps=2))
    assert code == 0, err


def test_unsloth_without_a_gpu_says_what_to_do(yard: Yard) -> None:
    code, _, err = yard("train", "sft", yard.config(backend="unsloth"))
    assert code == 2
    assert "there is no GPU" in err
    assert "backend: trl" in err


def test_another_entry_of_that_name_is_never_overwritten(yard: Yard) -> None:
    """`name: base` must not make the user's base an adapter on itself."""
    before = (yard.folder / "harness.yaml").read_text(encoding="utf-8")
    code, _, err = yard("train", "sft", yard.config("base"), "--replace")
    assert code == 2
    assert "harness.yaml: candidates.base" in err
    assert "another name" in err
    assert (yard.folder / "harness.yaml").read_text(encoding="utf-8") == before
    assert not (yard.folder / "candidates").exists()


def test_a_base_that_nobody_knows_is_named_with_its_place(yard: Yard) -> None:
    code, _, err = yard("train", "sft", yard.config(base="bose"))
    assert code == 2
    assert err.startswith("error: base: unknown candidate 'bose'. Did you mean 'base'?")


def test_base_that_is_no_base(yard: Yard) -> None:
    assert yard("train", "sft", yard.config())[0] == 0
    code, _, err = yard("train", "sft", yard.config("second", base="mine"))
    assert (code, "is an adapter" in err) == (2, True)
    code, _, err = yard("train", "sft", yard.config("third", load_in_4bit=True))
    assert (code, "load_in_4bit needs a GPU" in err) == (2, True)
    assert not (yard.folder / "candidates" / "third").exists()


def test_memory_that_runs_out_is_told_with_what_to_lower(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """The optimiser's step wants more than the card has, once, after a checkpoint: the run goes on from there."""
    import torch

    step, full = torch.optim.AdamW.step, [3]

    def bounded(self: torch.optim.AdamW, *given: object, **named: object) -> object:
        full[0] -= 1
        if full[0] == 0:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.07 GiB.")
        return step(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(torch.optim.AdamW, "step", bounded)
    config = yard.config(max_steps=4, save_steps=2)
    code, _, err = yard("train", "sft", config)
    assert code == 3
    assert "Tried to allocate 9.07 GiB" in err
    assert "per_device_train_batch_size (" in err
    assert "--resume" in err
    assert not (yard.folder / "candidates" / "mine").exists()
    code, out, err = yard("train", "sft", config, "--resume")
    assert code == 0, err
    assert "step      3 " in out
    assert "step      2 " not in out
