"""What is healthy, or nearly so, must pass: a doctor that cries wolf is switched off."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.candidates.candidate import ReplayCandidate
from tests.doctor import planting, tiny
from tests.doctor.conftest import Clinic

STATIC = {"base-match", "adapter-has-effect", "template-match"}
CHEAP = STATIC | {"eos-learned"}


def test_a_trained_adapter_passes_everything_a_comparison_shows(clinic: Clinic, good: Path) -> None:
    found = clinic.after(good)
    assert {name: f.status for name, f in found.items()} == dict.fromkeys(CHEAP, "pass"), found


def test_files_alone_are_looked_at_before_an_engine_starts(clinic: Clinic, good: Path) -> None:
    found = clinic.before(good)
    assert {name: f.status for name, f in found.items()} == dict.fromkeys(STATIC, "pass"), found
    assert clinic.starts.count == 0


def test_the_same_comparison_again_starts_no_engine(clinic: Clinic, good: Path) -> None:
    first = clinic.after(good)
    assert clinic.starts.count == 1
    assert clinic.after(good) == first
    assert clinic.starts.count == 1


def test_the_base_itself_passes_what_applies_to_it(clinic: Clinic, base: Path) -> None:
    found = clinic.after(base)
    assert {f.status for f in found.values()} == {"pass"}
    assert "adapter-has-effect" not in found


def test_recorded_outputs_get_no_findings_that_they_cannot_support(clinic: Clinic, tmp_path: Path) -> None:
    file = tmp_path / "outputs.jsonl"
    file.write_text("\n".join(f'{{"item_id": "facts-{n}", "output": "red fox"}}' for n in range(24)))
    plan = clinic.plan(ReplayCandidate("recorded", file))
    assert clinic.before(ReplayCandidate("recorded", file)) == {}
    assert clinic.after(ReplayCandidate("recorded", file)) == {}
    assert plan.candidates[1].prompt_format == "recorded"


@pytest.mark.parametrize("factor", [1e-2, 1e-3])
def test_a_tiny_effect_is_an_effect(clinic: Clinic, good: Path, tmp_path: Path, factor: float) -> None:
    found = clinic.after(planting.plant_scaled_b(good, tmp_path / "faint", factor))
    assert found["adapter-has-effect"].status == "pass", found


def test_one_untrained_layer_among_many_is_ordinary(clinic: Clinic, good: Path, tmp_path: Path) -> None:
    found = clinic.before(planting.plant_one_zero_b(good, tmp_path / "one"))
    assert found["adapter-has-effect"].status == "pass"
    assert "13 of 14" in found["adapter-has-effect"].detail


def test_bfloat16_weights_are_read_right(clinic: Clinic, good: Path, tmp_path: Path) -> None:
    found = clinic.before(planting.plant_bfloat16(good, tmp_path / "half"))
    assert found["adapter-has-effect"].status == "pass"
    zero = planting.plant_zero_b(tmp_path / "half", tmp_path / "zero")
    assert clinic.before(zero)["adapter-has-effect"].status == "fail"


def test_a_template_that_renders_the_same_is_the_same(clinic: Clinic, good: Path, tmp_path: Path) -> None:
    spaced = tiny.CHAT.replace("{% for", "{%-  for").replace("%}{%", "%}{#- kept apart -#}{%")
    assert spaced != tiny.CHAT
    found = clinic.after(planting.plant_template(good, tmp_path / "spaced", spaced))
    assert found["template-match"].status == "pass", found


def test_another_name_of_the_base_is_a_warning_only(clinic: Clinic, good: Path, tmp_path: Path) -> None:
    found = clinic.before(planting.plant_base_name(good, tmp_path / "named", "someone/else-7B"))
    assert found["base-match"].status == "warn"
    assert "someone/else-7B" in found["base-match"].detail


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-7B-Instruct"),
        ("Qwen2.5-7B-Instruct", "/root/course/Qwen/Qwen2___5-7B-Instruct"),
        ("models--Qwen--Qwen2.5-7B/snapshots/0123abcd", "Qwen/Qwen2.5-7B"),
    ],
)
def test_names_of_the_same_base_are_known(clinic: Clinic, good: Path, tmp_path: Path, folder: str, name: str) -> None:
    place = tmp_path / "hub" / folder
    place.parent.mkdir(parents=True)
    os.symlink(clinic.base, place)
    adapter = planting.plant_base_name(good, tmp_path / "named", name)
    assert clinic.before(adapter, model=place)["base-match"].status == "pass"


def test_a_padding_token_of_its_own_is_harmless(clinic: Clinic, good: Path, base: Path, tmp_path: Path) -> None:
    found = clinic.before(planting.plant_added_token(good, tmp_path / "pad", base, "<|my_pad|>", pad=True))
    assert {f.status for f in found.values()} == {"pass"}, found


def test_a_few_more_answers_cut_than_the_bases_are_no_fault(clinic: Clinic, good: Path) -> None:
    plan = clinic.plan(good)
    runner, answers = clinic.answered(plan)
    from dataclasses import replace

    from harness.doctor.eos_learned import EosLearned
    from harness.doctor.probe import Run, Subject

    longer = [replace(s, finish_reason="length") if n % 10 == 0 else s for n, s in enumerate(answers.samples[1])]
    changed = replace(answers, samples={**answers.samples, 1: longer})
    assert EosLearned().ask(Subject(plan, 1), Run(runner, changed)).status == "pass"


def test_a_merged_model_gets_what_applies_to_it(clinic: Clinic, good: Path, base: Path, tmp_path: Path) -> None:
    import shutil

    import peft
    from transformers import AutoModelForCausalLM

    merged = tmp_path / "merged"
    shutil.copytree(base, merged)
    peft.PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), good).merge_and_unload().save_pretrained(
        merged
    )
    found = clinic.after(merged)
    assert {name: f.status for name, f in found.items()} == dict.fromkeys(CHEAP - {"adapter-has-effect"}, "pass"), found


def test_probes_of_files_import_nothing_heavy(base: Path, good: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from harness.candidates.adapter import AdapterFolder\n"
        "from harness.doctor.examination import examine_before\n"
        "from harness.doctor.weights import AdapterWeights\n"
        f"assert not AdapterWeights(AdapterFolder.open(Path({str(good)!r}))).dead()\n"
        "heavy = {'torch', 'transformers', 'peft', 'vllm', 'scipy', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
