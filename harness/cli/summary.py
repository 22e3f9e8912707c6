"""The scores of one candidate alone: what `run` and `score` print, and their JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from harness.comparison.pairing import Side
from harness.comparison.repeats_alone import OverRepeatsAlone, over_repeats_alone
from harness.comparison.statistics import score_interval
from harness.runs.files import RunManifest, TaskRecord
from harness.runs.samples import Sample


class MetricScore(BaseModel):
    """One metric over one gold set; the fields of `harness score --json`.

    Attributes:
        n: items that were answered and scored: the denominator of `score`.
        errors: items whose answer failed; `missing`: items without a recorded answer.
        per_item: mean over repeats, of the items that were scored.
        over_repeats: what several sampled answers to each item say beyond their mean; absent where there are none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int
    score: float | None
    ci: tuple[float, float] | None
    unscored: int
    errors: int
    missing: int
    signature: str
    per_item: dict[str, float]
    over_repeats: OverRepeatsAlone | None = None

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = handler(self)
        if self.over_repeats is None:
            found.pop("over_repeats", None)
        return found

    @property
    def failed(self) -> int:
        return self.unscored + self.errors + self.missing


def measure(samples: Sequence[Sample], metric: str, task: TaskRecord, alpha: float) -> MetricScore:
    """The mean of a metric with its interval; failures are counted apart, never averaged."""
    groups: dict[str, list[Sample]] = {}
    for sample in sorted(samples, key=lambda s: s.repeat):  # stable: items stay in their order
        groups.setdefault(sample.item_id, []).append(sample)
    sides = {item: Side(tuple(group)) for item, group in groups.items()}
    values = {item: side.value(metric) if side.answered else None for item, side in sides.items()}
    scored = {item: value for item, value in values.items() if value is not None}
    clusters = [groups[item][0].cluster for item in scored]
    found = score_interval(
        list(scored.values()), clusters if any(c is not None for c in clusters) else None, alpha=alpha
    )
    return MetricScore(
        n=len(scored),
        score=sum(scored.values()) / len(scored) if scored else None,
        ci=(found.low, found.high) if found and scored else None,
        unscored=sum(side.unscored(metric) for side in sides.values()),
        errors=sum(not side.answered and not side.missing for side in sides.values()),
        missing=sum(side.missing for side in sides.values()),
        signature=task.signatures[metric],
        per_item=scored,
        over_repeats=over_repeats_alone(
            [sides[item] for item in scored],
            metric,
            binary=task.binary.get(metric, False),
            votes=metric in task.votes,
            alpha=alpha,
        ),
    )


class TaskScores(BaseModel):
    """One task of a run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    role: Literal["target", "guard"]
    primary: str
    metrics: dict[str, MetricScore]


class RunScore(BaseModel):
    """One run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str
    candidate: str
    suite: str
    status: Literal["complete", "incomplete"]
    tasks: tuple[TaskScores, ...]


class RunScores(BaseModel):
    """`harness run --json`."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema")
    runs: tuple[RunScore, ...]


def why_unscored(samples: Sequence[Sample], metric: str, most: int = 3) -> list[str]:
    """Why answers could not be scored, the commonest reasons first: `2 answers: KeyError: 'x' (first: item-7)`."""
    unscored = [(sample, score) for sample in samples if (score := sample.scores.get(metric)) and score.value is None]
    first: dict[str, str] = {}
    for sample, score in unscored:
        first.setdefault(score.note, sample.item_id)
    counted = Counter(score.note for _, score in unscored).most_common()
    lines = [
        f"{count} answer{'s' * (count != 1)}: {note[:300] or 'no reason given'} (first: {first[note]})"
        for note, count in counted[:most]
    ]
    return [*lines, f"and {len(counted) - most} other reasons"] if len(counted) > most else lines


def measure_run(manifest: RunManifest, samples: Sequence[Sample], alpha: float) -> RunScore:
    """Every metric of every task of a run."""
    tasks = []
    for task in manifest.tasks:
        own = [sample for sample in samples if sample.task == task.name]
        ordered = sorted(task.signatures, key=lambda metric: metric != task.primary)
        metrics = {metric: measure(own, metric, task, alpha) for metric in ordered}
        tasks.append(TaskScores(task=task.name, role=task.role, primary=task.primary, metrics=metrics))
    return RunScore(
        run_id=manifest.id,
        candidate=manifest.candidate.name,
        suite=manifest.suite,
        status=manifest.status,
        tasks=tuple(tasks),
    )
