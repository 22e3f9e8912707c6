"""GPTQ and AWQ checkpoints answer, with LoRAs on top, on vLLM (in a process of its own: see test_vllm.py)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.resources import demo_workspace
from tests.engines.packed import write_packed

SCRIPT = """
import json
import sys
from pathlib import Path

import harness

found = {}
for folder in sys.argv[1:]:
    outcome = harness.compare(
        "base", "lora_model_medical_mix", suite="medical", limit=150, engine="vllm",
        folder=Path(folder), store=folder + "/runs",
    )
    results = outcome.comparison.comparisons[0].results
    found[folder] = {r.task: [r.verdict, r.base, r.candidate] for r in results if r.primary}
print(json.dumps(found))
"""


@pytest.mark.vllm
@pytest.mark.slow
def test_gptq_and_awq_checkpoints_keep_what_the_models_know(tmp_path: Path) -> None:
    models = demo_workspace()[1] / "harness" / "demo" / "models"
    for method in ("gptq", "awq"):
        folder = tmp_path / method
        write_packed(models / "base", folder / "model", method)
        (folder / "harness.yaml").write_text(
            "candidates:\n"
            "  base: {model: model}\n"
            f"  lora_model_medical_mix: {{base: base, adapter: {models / 'lora_model_medical_mix'}}}\n"
        )
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *(str(tmp_path / method) for method in ("gptq", "awq"))],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for found in json.loads(done.stdout.splitlines()[-1]).values():
        verdict, base, tuned = found["medical-qa"]
        assert verdict == "improved"
        assert tuned - base > 0.15  # the full-precision models gain 0.29
        # Weights that were unpacked wrongly answer nothing right: the base must still calculate.
        assert found["arithmetic-mini"][1] > 0.4
