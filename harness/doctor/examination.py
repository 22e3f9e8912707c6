"""The doctor's rounds: which probes look at a candidate, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.doctor.adapter_has_effect import AdapterHasEffect
from harness.doctor.base_match import BaseMatch
from harness.doctor.batch_invariance import BatchInvariance
from harness.doctor.engine_parity import EngineParity
from harness.doctor.eos_learned import EosLearned
from harness.doctor.finding import Finding
from harness.doctor.labels_masked import LabelsMasked
from harness.doctor.merge_parity import MergeParity
from harness.doctor.probe import OtherEngine, Probe, Run, Subject, worst
from harness.doctor.template_match import TemplateMatch
from harness.doctor.train_leak import TrainLeak
from harness.doctor.training_evidence import TrainingFiles
from harness.doctor.truncation import Truncation
from harness.errors import HarnessError
from harness.runs.plan import Plan
from harness.runs.runner import Answers, Runner

#: In every comparison: files, the answers at hand, and a few log-probabilities that are stored.
CHEAP: tuple[Probe, ...] = (
    BaseMatch(),
    AdapterHasEffect(),
    TemplateMatch(),
    EosLearned(),
    MergeParity(),
    LabelsMasked(),
    Truncation(),
    TrainLeak(),
)

#: On request only: many answers one at a time, and a second engine (last, because it takes the first one's place).
THOROUGH: tuple[Probe, ...] = (*CHEAP, BatchInvariance(), EngineParity())


def examine_before(plan: Plan, index: int) -> list[Finding]:
    """What the files of a candidate say, before any engine is started: one finding for each probe that has something
    to look at."""
    subject = Subject(plan, index)
    findings = [_careful(probe.name, lambda p=probe: p.read(subject)) for probe in CHEAP]  # type: ignore[misc]
    return [finding for finding in findings if finding.status != "skip"]


def examine_after(plan: Plan, runner: Runner, answers: Answers, index: int) -> list[Finding]:
    """What a comparison shows: files, answers and a few log-probabilities together.

    Log-probabilities come through the store: the same comparison again starts no engine. Probes that do not apply to
    the candidate are left out.
    """
    findings = _examine(CHEAP, Subject(plan, index), Run(runner, answers))
    return [finding for finding in findings if finding.status != "skip"]


def examine_fully(
    plan: Plan,
    runner: Runner,
    answers: Answers,
    index: int,
    *,
    files: TrainingFiles | None = None,
    open_other_engine: OtherEngine | None = None,
) -> list[Finding]:
    """All probes on one candidate; those that do not apply say why (`skip`).

    The plan has the candidate's base, bare, as candidate 0. The engine of the run is closed on the way.

    Args:
        files: what is given of the candidate's training, besides what lies in its folder.
        open_other_engine: opens what engine-parity compares with, and gives its name and something with `logprobs`;
            default: vLLM where transformers answered, and the other way round.
    """
    return _examine(THOROUGH, Subject(plan, index, files or TrainingFiles()), Run(runner, answers, open_other_engine))


def _examine(probes: Sequence[Probe], subject: Subject, run: Run) -> list[Finding]:
    found = []
    for probe in probes:
        halves = [
            _careful(probe.name, lambda p=probe: p.read(subject)),  # type: ignore[misc]
            _careful(probe.name, lambda p=probe: p.ask(subject, run)),  # type: ignore[misc]
        ]
        found.append(worst(probe.name, halves))
    return found


def _careful(probe: str, look: Callable[[], Finding]) -> Finding:
    """A probe that cannot look must not cost the user the answers that are there already."""
    try:
        return look()
    except HarnessError as error:
        return Finding(probe=probe, status="warn", detail=f"could not look: {error}")
