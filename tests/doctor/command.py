"""`harness candidates doctor` on the demo's models, and what it prints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from harness.cli import main
from harness.doctor.finding import Status
from harness.report.words import EN

ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / "harness" / "demo" / "models" / "base"
LORA = BASE.parent / "lora_model_medical_mix"

PROBES = [
    "base-match", "adapter-has-effect", "template-match", "eos-learned", "merge-parity", "labels-masked", "truncation",
    "train-leak", "batch-invariance", "engine-parity",
]  # fmt: skip

_WITHOUT_EVIDENCE = ("merge-parity", "labels-masked", "truncation", "train-leak")

#: What a healthy adapter gets of which nothing is known but its weights: the others have nothing to look at.
HEALTHY: dict[str, Status] = {probe: "skip" if probe in _WITHOUT_EVIDENCE else "pass" for probe in PROBES}


def shown(statuses: dict[str, Status]) -> dict[str, str]:
    """Statuses as the command prints them."""
    return {probe: EN.statuses[status] for probe, status in statuses.items()}


class Result(NamedTuple):
    """What the command ends with, each probe's status as it is shown, and each probe's line."""

    code: int
    status: dict[str, str]
    line: dict[str, str]
    out: str
    err: str


@dataclass(frozen=True)
class Doctor:
    """The command, over one store: copies of one adapter give the same answers, and the base answers once."""

    store: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, adapter: Path = LORA, *options: object) -> Result:
        self.capsys.readouterr()
        code = main(
            ["candidates", "doctor", str(adapter), "--base", str(BASE), "--limit", "24", "--lang", "en",
             "--engine", "transformers", "--store", str(self.store), *map(str, options)]
        )  # fmt: skip
        out, err = self.capsys.readouterr()
        print(out, err)  # shown when a test fails
        lines = {row[0]: line for line in out.splitlines() if len(row := line.split()) > 1 and row[0] in PROBES}
        return Result(code, {probe: line.split()[1] for probe, line in lines.items()}, lines, out, err)
