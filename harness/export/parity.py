"""Good or drifted: the rule, and what it stands on.

Adapter and export are asked the same suite on the same engine, and paired item by item as any two candidates are, with
the adapter in the place of the base. An export has *drifted* when one of these holds:

1. **The probe merge-parity failed.** Log-probabilities of reference answers differ by more than rounding explains
   (`harness.doctor.merge_parity` states the thresholds and their reason); or questions reach the export as other
   tokens; or it ends its answers otherwise. This is the sharp test: 20 answers are enough.
2. **A task's score moved.** The paired test of its primary metric is significant after Holm's adjustment, and the
   difference is larger than the suite's margin, in either direction: an export is meant to be the same model, and one
   that lost its adapter *improves* on what the fine-tune had forgotten. (Exact McNemar or sign-flip, as
   `harness.comparison.statistics` says.) Within the margin a difference is what the suite's author calls no
   difference.

Else it is *good*, provided that the probe passed: where it could not look, too little was seen to call it anything but
*unproved*. A changed text alone is no drift: greedy decoding takes another way wherever two tokens are nearly equally
likely, which one rounding in bfloat16 decides. Texts that differ are counted, and flips shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.api import Outcome
from harness.candidates.exported import ParityRecord, ParityVerdict, TaskParity
from harness.comparison.results import CandidateComparison, TaskResult
from harness.doctor.finding import Finding
from harness.doctor.merge_parity import MergeParity


def judge(outcome: Outcome, compared: CandidateComparison) -> ParityRecord:
    """The verdict on a comparison of an adapter (as base) with one of its exports."""
    comparison = outcome.comparison
    probe = next((f for f in compared.doctor if f.probe == MergeParity.name), None)
    primary = [result for result in compared.results if result.primary]
    verdict, reasons = decide(primary, probe, comparison.alpha)
    asked = {task.task.name: len(task.items) for task in outcome.plan.tasks}
    return ParityRecord(
        verdict=verdict,
        reasons=tuple(reasons),
        likelihoods=probe.detail if probe else "",
        suite=comparison.suite,
        suite_digest=comparison.suite_digest,
        limit=comparison.limit,
        engine=comparison.engine,
        engine_version=comparison.engine_version,
        comparison=comparison.id,
        tasks=tuple(_task(result, asked[result.task]) for result in primary),
    )


def decide(results: Sequence[TaskResult], probe: Finding | None, alpha: float) -> tuple[ParityVerdict, list[str]]:
    """The rule of this module, and the reasons of anything but "good".

    Args:
        results: of the primary metrics.
        probe: what merge-parity found; None where it had nothing to look at.
    """
    reasons = [probe.detail] if probe is not None and probe.status == "fail" else []
    reasons += [_moved(result) for result in results if _drifted(result, alpha)]
    if reasons:
        return "drifted", reasons
    if probe is None or probe.status != "pass":
        return "unproved", [probe.detail if probe else "no reference answer could be scored under both"]
    return "good", []


def _drifted(result: TaskResult, alpha: float) -> bool:
    """Whether a score moved by more than its margin, and not by chance."""
    if result.delta is None or result.p_adjusted is None:
        return False
    return result.p_adjusted <= alpha and abs(result.delta) > result.margin


def _moved(result: TaskResult) -> str:
    assert result.delta is not None
    return (
        f"{result.task}: {result.metric} moved by {100 * result.delta:+.1f} points, more than the margin of "
        f"{100 * result.margin:.1f} (p = {result.p_adjusted:.2g}; {len(result.lost)} lost, {len(result.gained)} gained "
        f"of {result.n})"
    )


def _task(result: TaskResult, asked: int) -> TaskParity:
    assert result.verdict is not None
    return TaskParity(
        task=result.task,
        metric=result.metric,
        n=result.n,
        adapter=result.base,
        export=result.candidate,
        delta=result.delta,
        ci=result.ci,
        p_adjusted=result.p_adjusted,
        margin=result.margin,
        noise=result.noise,
        verdict=result.verdict,
        same=asked - result.different,
        asked=asked,
        lost=result.lost,
        gained=result.gained,
    )
