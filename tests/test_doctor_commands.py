"""`harness candidates doctor` with both engines: they agree on a healthy adapter and not on a faulty one.

Runs late and marked `vllm`: engine-parity opens vLLM beside transformers. All else about the command is tested in
`tests/doctor/`, with one engine.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doctor import planting
from tests.doctor.command import HEALTHY, LORA, Doctor, shown

pytestmark = [pytest.mark.vllm, pytest.mark.slow]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def doctor(store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Doctor:
    monkeypatch.setenv("COLUMNS", "1200")
    return Doctor(store, capsys)


def test_the_healthy_demo_passes_every_probe(doctor: Doctor) -> None:
    found = doctor()
    assert found.status == shown(HEALTHY)
    assert found.code == 0


def test_engines_that_apply_different_layers(doctor: Doctor, tmp_path: Path) -> None:
    found = doctor(planting.plant_target_modules(LORA, tmp_path / "fewer", ["q_proj"]))
    assert found.status["engine-parity"] == "failed"
    assert found.code == 1


def test_half_the_effect_is_the_same_in_both_engines(doctor: Doctor, tmp_path: Path) -> None:
    found = doctor(planting.plant_scaled_b(LORA, tmp_path / "half", 0.5))
    assert found.status["engine-parity"] == "pass"
    assert found.code == 0
