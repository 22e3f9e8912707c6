"""How well each deployment answers: an ordinary comparison against the first, with its store, pairing and verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness import api
from harness.bench.results import TaskQuality
from harness.comparison.pairing import Side
from harness.comparison.results import TaskResult
from harness.comparison.statistics import score_interval
from harness.runs.plan import LoadedTask
from harness.runs.progress import Progress
from harness.runs.samples import Sample


@dataclass(frozen=True)
class Quality:
    """What the suite says.

    Attributes:
        comparison: its id; None for one deployment alone, which is compared with nobody.
        by_deployment: tasks of each deployment, in their order.
        incomplete: more answers failed than a task allows.
    """

    comparison: str | None
    by_deployment: tuple[tuple[TaskQuality, ...], ...]
    incomplete: bool


def measure_quality(request: api.Request, tasks: Sequence[LoadedTask], progress: Progress) -> Quality:
    """Ask every deployment the suite.

    Raises:
        HarnessError: as `api.compare`; what was answered is kept for the next time.
    """
    if len(request.references) == 1:
        manifests, samples = api.run(request, progress)
        (answers,) = (samples[manifest.id] for manifest in manifests)
        found = _tasks(tasks, answers, {}, request.alpha)
        return Quality(None, (found,), manifests[0].status != "complete")
    outcome = api.compare(request, progress)
    compared = outcome.comparison.comparisons
    first = outcome.samples[compared[0].run_ids.base]
    others = tuple(
        _tasks(tasks, outcome.samples[one.run_ids.candidate], {r.task: r for r in one.results if r.primary},
               request.alpha)
        for one in compared
    )  # fmt: skip
    return Quality(outcome.comparison.id, (_tasks(tasks, first, {}, request.alpha), *others), outcome.incomplete)


def _tasks(
    tasks: Sequence[LoadedTask], samples: Sequence[Sample], results: Mapping[str, TaskResult], alpha: float
) -> tuple[TaskQuality, ...]:
    return tuple(
        _task(loaded, [one for one in samples if one.task == loaded.task.name], results.get(loaded.task.name), alpha)
        for loaded in tasks
    )


def _task(loaded: LoadedTask, samples: Sequence[Sample], result: TaskResult | None, alpha: float) -> TaskQuality:
    """The primary metric of one deployment, over the items that it answered; the difference is over paired items."""
    task = loaded.task
    sides = [Side((sample,)) for sample in samples]
    scored = [(side.value(task.primary), sample.cluster) for side, sample in zip(sides, samples, strict=True)
              if side.answered]  # fmt: skip
    values = [value for value, _ in scored if value is not None]
    clusters = [cluster for value, cluster in scored if value is not None]
    found = score_interval(values, clusters if any(one is not None for one in clusters) else None, alpha=alpha)
    return TaskQuality(
        task=task.name,
        role=task.role,
        metric=task.primary,
        n=len(values),
        score=sum(values) / len(values) if values else None,
        ci=(found.low, found.high) if found else None,
        errors=sum(not side.answered for side in sides),
        delta=result.delta if result else None,
        delta_ci=result.ci if result else None,
        p_adjusted=result.p_adjusted if result else None,
        verdict=result.verdict if result else None,
    )
