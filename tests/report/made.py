"""Comparisons made by hand, with everything a report has to show."""

from __future__ import annotations

from harness.comparison.gate import judge
from harness.comparison.results import (
    CandidateComparison,
    Comparison,
    RunIds,
    Sides,
    SliceResult,
    TaskResult,
)
from harness.doctor.finding import Finding
from harness.gold.item import Item
from harness.report.view import Evidence, View, build_view
from harness.runs.samples import Sample

NONE = Sides()


def result(task: str = "medical-qa", **changes: object) -> TaskResult:
    """A target that improved."""
    values: dict[str, object] = {
        "task": task,
        "role": "target",
        "metric": "exact",
        "primary": True,
        "signature": "exact|v:1",
        "n": 120,
        "unpaired": 0,
        "identical": False,
        "errors": NONE,
        "unextracted": NONE,
        "unscored": NONE,
        "missing": NONE,
        "base": 0.31,
        "candidate": 0.72,
        "delta": 0.41,
        "ci": (0.32, 0.50),
        "p": 0.00001,
        "p_adjusted": 0.00002,
        "margin": 0.02,
        "mde": 0.11,
        "noise": 0.01,
        "verdict": "improved",
        "require": "improve",
        "max_error_rate": 0.01,
    }
    return TaskResult.model_validate({**values, **changes})


def guard(task: str = "general-retention", **changes: object) -> TaskResult:
    """A guard that regressed."""
    values: dict[str, object] = {
        "role": "guard",
        "base": 0.8,
        "candidate": 0.39,
        "delta": -0.41,
        "ci": (-0.5, -0.32),
        "verdict": "regressed",
        "require": "hold",
    }
    return result(task, **{**values, **changes})


def compared(*results: TaskResult, doctor: tuple[Finding, ...] = (), name: str = "lora") -> CandidateComparison:
    return CandidateComparison(
        candidate=name,
        results=results,
        doctor=doctor,
        gate=judge(results, doctor),
        run_ids=RunIds(base="run-base", candidate=f"run-{name}"),
    )


def comparison(*candidates: CandidateComparison, **changes: object) -> Comparison:
    values: dict[str, object] = {
        "suite": "medical",
        "suite_digest": "0" * 64,
        "base": "base",
        "alpha": 0.05,
        "seed": 0,
        "engine": "vllm",
        "engine_version": "1",
        "harness_version": "0",
        "comparisons": candidates,
    }
    return Comparison.model_validate({**values, **changes}).with_id()


def sample(item: Item, output: str, task: str = "general-retention") -> Sample:
    return Sample(task, item.id, item.digest, 0, "", output, "stop", 1, 1, 0.0, "", "key")


def view_of_lost(texts: dict[str, str], *, question: str = "Q?", gold: str = "A") -> View:
    """A guard that lost one item for each of `texts`: item id -> the candidate's answer."""
    items = {name: Item(id=name, question=question, answer=(gold,)) for name in texts}
    evidence = Evidence(
        samples={
            "run-base": [sample(item, "A") for item in items.values()],
            "run-lora": [sample(items[name], text) for name, text in texts.items()],
        },
        items={"general-retention": items},
    )
    return build_view(comparison(compared(result(), guard(lost=tuple(texts)))), evidence)


def plain_view(*results: TaskResult, doctor: tuple[Finding, ...] = ()) -> View:
    return build_view(comparison(compared(*results, doctor=doctor)), Evidence({}, {}))


def tier(value: str, delta: float, *, uninformative: bool = False) -> SliceResult:
    return SliceResult(
        key="difficulty",
        value=value,
        n=40,
        base=0.5,
        candidate=0.5 + delta,
        delta=delta,
        ci=(delta - 0.1, delta + 0.1),
        uninformative=uninformative,
    )
