"""What Trends shows: the scores of a suite over time, and which of their steps are more than noise.

Only what can be compared is joined: the same questions, scored the same way. A step is news when the paired test says
so, adjusted over the tasks of the run as a verdict is, *and* it is larger than what asking the same model again in
another batching moves.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from harness.comparison.results import Comparison, TaskResult
from harness.comparison.statistics import holm
from harness.errors import InputError
from harness.report.untrusted import visible
from harness.review.catalog import Catalog, StoredComparison
from harness.review.changes import Changes
from harness.review.pairs import Paired
from harness.review.releases import Releases
from harness.runs.files import RunManifest

#: Points of a task that are drawn; the older ones are counted.
MOST = 30
ALPHA = 0.05

#: Why a point is not joined to the one before it.
Break = Literal["suite", "scorer", "goldset", "settings", "unknown"]
#: What a step is. "first": there is nothing before it; "apart": nothing that it can be compared with.
Step = Literal["better", "worse", "noise", "first", "apart"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which items a comparison asked: comparisons of halves and of draws have histories of their own."""

    part: str | None
    limit: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """From the last point that can be compared to this one, as a difference of scores.

    Attributes:
        ci: its interval; None where nothing is known of it.
        p: after Holm over the tasks of the run; None where nothing is known of it.
        rebatched: what batching alone moves a mean of so many items by, at most 19 times in 20; 0 where not measured.
        paired: the interval is that of the same items on both sides; else, where the answers are gone, it is made of
            the two points' intervals against the base, and wide.
    """

    delta: float
    ci: tuple[float, float] | None
    p: float | None
    rebatched: float
    paired: bool

    @property
    def news(self) -> bool:
        """More than noise."""
        return self.p is not None and self.p <= ALPHA and abs(self.delta) > self.rebatched

    @property
    def band(self) -> tuple[float, float]:
        """Differences that would not have been news, about as wide as this one's interval: (low, high)."""
        low, high = (self.delta - self.ci[0], self.ci[1] - self.delta) if self.ci else (0.0, 0.0)
        within = 0.0 if self.news else self.delta
        return min(-max(high, self.rebatched), within), max(low, self.rebatched, within)


@dataclass(frozen=True, slots=True)
class Point:
    """One candidate's run on one task, as the newest comparison with it has it.

    Attributes:
        candidate, base: visible names.
        run: id of the candidate's run.
        released: approved in a release review.
        joined: index of the point that it is joined to.
        why: why it is joined to none, though there are earlier ones.
        engine_changed: the engine or its version is another than at the joined point, in words; else "".
    """

    at: datetime
    comparison: str
    candidate: str
    base: str
    run: str
    result: TaskResult
    engine: str
    released: bool
    joined: int | None = None
    change: Change | None = None
    why: Break | None = None
    engine_changed: str = ""

    @property
    def step(self) -> Step:
        if self.why is not None:
            return "apart"
        if self.change is None:
            return "first"
        return "noise" if not self.change.news else "better" if self.change.delta > 0 else "worse"


@dataclass(frozen=True, slots=True)
class TaskTrend:
    """The history of a task, oldest point first.

    Attributes:
        older: points before those.
    """

    task: str
    role: Literal["target", "guard"]
    metric: str
    points: tuple[Point, ...]
    older: int

    @property
    def last(self) -> Point:
        return self.points[-1]


@dataclass(frozen=True, slots=True)
class _Key:
    """What two points must share to be compared.

    Attributes:
        goldset: digest of the gold set; None where the run is gone.
    """

    suite: str
    signature: str
    goldset: str | None
    settings: tuple[int | None, int, float | None]


def histories(catalog: Catalog, suite: str) -> list[Asked]:
    """The ways in which a suite was asked, the whole of it first, then those asked last."""
    found = dict.fromkeys(_asked(one.comparison) for one in catalog.comparisons if one.suite == suite)
    return sorted(found, key=lambda asked: asked.part is not None or asked.limit is not None)


def candidates(catalog: Catalog, suite: str, asked: Asked) -> list[str]:
    """Names of the candidates that were asked it, as they are stored, the newest first."""
    return list(
        dict.fromkeys(one.candidate for stored in _of(catalog, suite, asked) for one in stored.comparison.comparisons)
    )


def build_trends(
    catalog: Catalog, releases: Releases, changes: Changes, suite: str, asked: Asked, names: Iterable[str]
) -> tuple[TaskTrend, ...]:
    """The history of every task of a suite.

    Args:
        names: of the candidates that are followed, as they are stored.
    """
    wanted = set(names)
    points: dict[str, dict[str, tuple[Point, _Key]]] = {}
    for stored in reversed(_of(catalog, suite, asked)):  # of a run that was compared twice the newest stands
        released = releases.approved(stored.comparison)
        for raw in stored.comparison.comparisons:
            if raw.candidate not in wanted:
                continue
            run = catalog.runs.get(raw.run_ids.candidate)
            for result in raw.results:
                if not result.primary or result.candidate is None:
                    continue
                of_task = points.setdefault(result.task, {})
                earlier = of_task.get(raw.run_ids.candidate)
                point = Point(
                    at=run.created if run else stored.made,
                    comparison=stored.id,
                    candidate=visible(raw.candidate),
                    base=visible(stored.comparison.base),
                    run=raw.run_ids.candidate,
                    result=result,
                    engine=visible(f"{stored.comparison.engine} {stored.comparison.engine_version}".strip()),
                    released=raw.candidate in released or (earlier is not None and earlier[0].released),
                )
                of_task[point.run] = (point, _key(stored.comparison, result, run))
    return _adjusted([_trend(task, list(of_task.values()), catalog, changes) for task, of_task in points.items()])


def _adjusted(trends: Sequence[TaskTrend]) -> tuple[TaskTrend, ...]:
    """Holm over the tasks of each run: of many steps that are none, some look like one."""
    by_run: dict[str, list[Change]] = {}
    for trend in trends:
        for point in trend.points:
            if point.change is not None:
                by_run.setdefault(point.run, []).append(point.change)
    adjusted = {run: iter(holm([change.p for change in found])) for run, found in by_run.items()}
    return tuple(
        replace(
            trend,
            points=tuple(
                replace(point, change=replace(point.change, p=next(adjusted[point.run]))) if point.change else point
                for point in trend.points
            ),
        )
        for trend in trends
    )


def _trend(task: str, found: list[tuple[Point, _Key]], catalog: Catalog, changes: Changes) -> TaskTrend:
    found.sort(key=lambda one: one[0].at)
    kept = found[-MOST:]
    points: list[Point] = []
    for number, (point, key) in enumerate(kept):
        before = [index for index in range(number) if not _differs(kept[index][1], key)]
        if before:
            last = points[before[-1]]
            changed = f"{last.engine} → {point.engine}" if last.engine != point.engine else ""
            change = _change(last, point, Paired(last.run, point.run, task, point.result.metric), catalog, changes)
            point = replace(point, joined=before[-1], change=change, engine_changed=changed)
        elif number:
            point = replace(point, why=_differs(kept[number - 1][1], key))
        points.append(point)
    newest = points[-1].result
    return TaskTrend(visible(task), newest.role, visible(newest.metric), tuple(points), len(found) - len(kept))


def _change(earlier: Point, later: Point, paired: Paired, catalog: Catalog, changes: Changes) -> Change:
    noise = max((p.result.noise for p in (earlier, later) if p.result.noise is not None), default=0.0)
    # An item whose score flips moves the sum by one, up or down: over n items the mean moves by sqrt(noise / n).
    rebatched = 1.96 * math.sqrt(noise / max(later.result.n, 1))
    if paired.base in catalog.runs and paired.candidate in catalog.runs:
        try:
            found = changes.between(paired, ALPHA)
        except InputError:  # damaged since it was listed
            found = None
        if found is not None:
            return Change(found.delta, found.ci, found.p, rebatched, paired=True)
    delta = (later.result.candidate or 0.0) - (earlier.result.candidate or 0.0)
    halves = [(p.result.ci[1] - p.result.ci[0]) / 2 for p in (earlier, later) if p.result.ci]
    if len(halves) < 2:
        return Change(delta, None, None, rebatched, paired=False)
    half = math.hypot(*halves)
    p = math.erfc(abs(delta) / (half / 1.96) / math.sqrt(2)) if half else 1.0
    return Change(delta, (delta - half, delta + half), p, rebatched, paired=False)


def _differs(earlier: _Key, later: _Key) -> Break | None:
    """The first reason why two points cannot be compared."""
    if None in (earlier.goldset, later.goldset):
        return "unknown"
    if earlier.goldset != later.goldset:
        return "goldset"
    if earlier.signature != later.signature:
        return "scorer"
    if earlier.settings != later.settings:
        return "settings"
    return "suite" if earlier.suite != later.suite else None


def _key(comparison: Comparison, result: TaskResult, run: RunManifest | None) -> _Key:
    goldset = next((one.goldset_digest for one in run.tasks if one.name == result.task), None) if run else None
    drawn = comparison.limit is not None or comparison.part is not None
    return _Key(
        comparison.suite_digest,
        result.signature,
        goldset,
        (comparison.seed if drawn else None, comparison.repeats, comparison.temperature),
    )


def _asked(comparison: Comparison) -> Asked:
    return Asked(comparison.part, comparison.limit)


def _of(catalog: Catalog, suite: str, asked: Asked) -> Sequence[StoredComparison]:
    return [one for one in catalog.comparisons if one.suite == suite and _asked(one.comparison) == asked]


def summary(trends: Sequence[TaskTrend]) -> Mapping[Step, tuple[TaskTrend, ...]]:
    """The tasks by what their last step is."""
    found: dict[Step, tuple[TaskTrend, ...]] = {}
    for trend in trends:
        found[trend.last.step] = (*found.get(trend.last.step, ()), trend)
    return found
