"""Engine parity with a real vLLM, in a file that runs last: training in a process that had vLLM in it is slow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doctor import planting
from tests.doctor.command import HEALTHY
from tests.doctor.conftest import Clinic


@pytest.mark.vllm
def test_vllm_and_transformers_agree_on_a_healthy_adapter(clinic: Clinic, good: Path) -> None:
    found = clinic.fully(good)
    assert {name: f.status for name, f in found.items()} == HEALTHY, found
    starts = clinic.starts.count
    assert clinic.fully(good) == found
    assert clinic.starts.count == starts


@pytest.mark.vllm
def test_vllm_and_transformers_disagree_where_the_config_leaves_layers_out(
    clinic: Clinic, good: Path, tmp_path: Path
) -> None:
    """vLLM applies every tensor in the file; PEFT those of `target_modules` only."""
    found = clinic.fully(planting.plant_target_modules(good, tmp_path / "fewer", ["q_proj", "v_proj"]))
    assert found["engine-parity"].status == "fail", found
    assert found["adapter-has-effect"].status == "warn"
