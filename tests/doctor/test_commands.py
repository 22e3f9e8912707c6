"""`harness candidates doctor` on the demo: silent on the healthy adapters and on near-misses, loud on planted faults.

Faults of training are in `test_training_commands.py`; what needs vLLM beside transformers runs late, in
`tests/test_doctor_commands.py`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli import main
from tests.doctor import planting
from tests.doctor.command import BASE, HEALTHY, LORA, ROOT, Doctor, shown

#: Training after vLLM has been in a process is ten times slower, so this fault is planted by a process of its own.
PLANT_NO_EOS = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from harness.gold.goldset import load_goldset
from tests.doctor.planting import plant_no_eos
from tests.doctor.tiny import endless
base, src, dst = map(Path, sys.argv[1:])
pairs = [(item.text, item.answer[0]) for item in load_goldset("general-retention").items[:40]]
plant_no_eos(base, src, dst, endless(base, pairs), steps=15)
"""


@pytest.mark.parametrize("name", ["lora_model_medical", "lora_model_medical_mix"])
def test_the_healthy_demo_passes_every_probe(doctor: Doctor, name: str) -> None:
    found = doctor(BASE.parent / name)
    assert found.status == shown(HEALTHY | {"engine-parity": "skip"})
    assert found.code == 0


def moved_tokens(src: Path, dst: Path) -> Path:
    return planting.plant_moved_tokens(src, dst, BASE)


def no_eos(src: Path, dst: Path) -> Path:
    subprocess.run([sys.executable, "-c", PLANT_NO_EOS, str(BASE), str(src), str(dst)], check=True, cwd=ROOT)
    return dst


@pytest.mark.parametrize(
    ("plant", "probe"),
    [
        (planting.plant_zero_b, "adapter-has-effect"),
        (planting.plant_nan, "adapter-has-effect"),
        (moved_tokens, "base-match"),
        (planting.plant_template, "template-match"),
        (no_eos, "eos-learned"),
    ],
)
def test_a_planted_fault_is_found(
    doctor: Doctor, tmp_path: Path, plant: Callable[[Path, Path], Path], probe: str
) -> None:
    found = doctor(plant(LORA, tmp_path / "faulty"))
    assert found.status[probe] == "failed"
    assert f"harness candidates doctor --explain {probe}" in found.out
    assert found.code == 1


def test_a_base_of_another_shape_is_refused_with_its_layer(doctor: Doctor, tmp_path: Path) -> None:
    found = doctor(planting.plant_wider(LORA, tmp_path / "wider"))
    assert found.code == 2
    assert "does not fit the base" in found.err
    assert "--base PATH" in found.err


@pytest.fixture
def batch_invariance(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, no_vllm: None
) -> Callable[[float, str], tuple[int, str]]:
    """The exit code and what the probe says of the demo LoRA at `factor` times its strength, in a number format."""

    def run(factor: float, dtype: str) -> tuple[int, str]:
        adapter = planting.plant_scaled_b(LORA, tmp_path / "adapter", factor)
        (tmp_path / "harness.yaml").write_text(
            f"engine: {{dtype: {dtype}, name: transformers}}\n"
            f"candidates:\n  base: {{model: {BASE}}}\n  strong: {{base: base, adapter: {adapter}}}\n"
        )
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("COLUMNS", "400")
        code = main(["candidates", "doctor", "strong", "--limit", "24", "--lang", "en", "--store", str(store)])
        out = capsys.readouterr().out
        print(out)
        return code, next(line for line in out.splitlines() if line.split()[:1] == ["batch-invariance"])

    return run


def test_an_adapter_too_strong_for_half_precision_depends_on_the_batch(
    batch_invariance: Callable[[float, str], tuple[int, str]],
) -> None:
    # A wrong lora_alpha, say: every rounding of a matrix product is blown up, and those depend on the batch.
    code, line = batch_invariance(16, "bfloat16")
    assert line.split()[1] == "failed"
    assert code == 1


@pytest.mark.parametrize(("factor", "dtype"), [(1.0, "bfloat16"), (1.25, "bfloat16"), (16, "float32")])
def test_half_precision_or_strength_alone_are_no_batch_fault(
    batch_invariance: Callable[[float, str], tuple[int, str]], factor: float, dtype: str
) -> None:
    assert batch_invariance(factor, dtype)[1].split()[1] == "pass"


def half_effect(src: Path, dst: Path) -> Path:
    return planting.plant_scaled_b(src, dst, 0.5)


def other_name(src: Path, dst: Path) -> Path:
    return planting.plant_base_name(src, dst, "someone/base")


def padding_token(src: Path, dst: Path) -> Path:
    return planting.plant_added_token(src, dst, BASE, "<|pad|>", pad=True)


@pytest.mark.parametrize("plant", [planting.plant_one_zero_b, half_effect, other_name, padding_token])
def test_a_near_miss_does_not_fail(doctor: Doctor, tmp_path: Path, plant: Callable[[Path, Path], Path]) -> None:
    found = doctor(plant(LORA, tmp_path / "near"))
    assert "failed" not in found.status.values()
    assert found.code == 0
