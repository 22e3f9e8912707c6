"""A judge held against people, and its results corrected by them.

**Drawn, not picked.** The correction holds for items that were drawn at random from all. A draw says with which seed it
was made, so it is made again here, from the items that were judged, and has to come out the same.

**Agreement** is over the answers that somebody looked at: pairs of equal answers are left out, since nobody was asked.
Several annotators count one by one, because a judge is held against people and not against their compromise.

**Correction** is of mean differences, item by item (`statistics.powered`): people's difference on an item is the mean
of the annotators'. Over several tasks and measures, the side that is preferred is found at alpha divided by their
number (Bonferroni), since an interval of this kind comes without a p value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.errors import InputError
from harness.judge.calibration.readings import Reading, Said, reading_of
from harness.judge.calibration.results import (
    Agreed,
    AgreedOnSlice,
    Agreement,
    CalibratedMeasure,
    CalibratedTask,
    Calibration,
    Corrected,
    PeopleAgreed,
)
from harness.judge.labels.drawing import Draw, DrawnItem, DrawnRow, drawn_ids
from harness.judge.labels.reading import Labels
from harness.judge.results import JudgedGrades, Judging, Preferred
from harness.judge.statistics.agreement import agreement
from harness.judge.statistics.powered import Powered, powered_mean
from harness.judge.statistics.raters import raters_agreement
from harness.runs.files import now


def calibrate(judging: Judging, labels: Labels, *, draws: int, alpha: float) -> Calibration:
    """Hold a judging against people's labels.

    Args:
        draws: how many sheets of this kind were drawn for the comparison.

    Raises:
        InputError: the draw is of other answers, or its items are not those that its seed draws.
    """
    draw = labels.draw
    _check(judging, draw)
    reading = reading_of(judging, draw.measures, draw.labels)
    tasks = list(dict.fromkeys(item.task for item in draw.items))
    level = alpha / (len(tasks) * len(reading.shown))
    return Calibration(
        created=now(),
        judging=judging.id,
        draw=draw.id,
        draws=draws,
        comparison=judging.comparison,
        suite=judging.suite,
        candidate=judging.candidate,
        mode=draw.mode,
        annotators=labels.annotators,
        alpha=alpha,
        tasks=tuple(_task(task, reading, labels, _Levels(alpha, level)) for task in tasks),
        uncalibrated=tuple(task for task in reading.tasks if task not in tasks),
    ).named()


@dataclass(frozen=True)
class _Levels:
    """Two-sided levels: of what is shown, and of what is decided."""

    shown: float
    decided: float


def _check(judging: Judging, draw: Draw) -> None:
    rubric = judging.rubric_digest if isinstance(judging, JudgedGrades) else None
    for what, ours, theirs in (
        ("way of judging", judging.mode, draw.mode),
        ("comparison", judging.comparison, draw.comparison),
        ("candidate", judging.candidate, draw.candidate),
        ("rubric", rubric, draw.rubric_digest),
    ):
        if ours != theirs:
            raise InputError(
                f"the sheet was drawn for another {what} ({theirs}) than was judged ({ours})",
                where=draw.id,
                remedy="Give the judging that the sheet was drawn for, or draw a new sheet: harness judge label.",
            )
    population = {task.task: [item.item_id for item in task.items] for task in judging.tasks}
    for task in dict.fromkeys(item.task for item in draw.items):
        drawn = [item.item_id for item in draw.items if item.task == task]
        again = drawn_ids(task, population.get(task, ()), draw.asked, draw.seed)
        if drawn != again:
            raise InputError(
                f"{task}: the items of the sheet are not those that seed {draw.seed} draws from the judged ones",
                where=draw.id,
                remedy="Items picked by hand, or drawn before the gold set changed, calibrate nothing: judge the "
                "comparison again, or draw a new sheet with `harness judge label`.",
            )


def _task(task: str, reading: Reading, labels: Labels, levels: _Levels) -> CalibratedTask:
    draw = labels.draw
    at = [position for position, row in enumerate(draw.rows) if row.task == task]
    rows = [draw.rows[position] for position in at]
    said = [[one[position] for position in at] for one in labels.said]
    items = {item.item_id: item for item in draw.items if item.task == task}
    of_items = [_by_item(rows, one) for one in said]
    return CalibratedTask(
        task=task,
        measures=tuple(
            CalibratedMeasure(
                name=measure,
                agreement=_agreement(rows, said, measure, reading, labels.annotators, items)
                if measure in reading.measures
                else None,
                corrected=_corrected(task, measure, reading, items, of_items, levels),
            )
            for measure in reading.shown
        ),
    )


def _by_item(rows: Sequence[DrawnRow], said: Sequence[Mapping[str, str]]) -> dict[str, list[Said]]:
    found: dict[str, list[Said]] = {}
    for row, labels in zip(rows, said, strict=True):
        found.setdefault(row.item_id, []).append(Said(row, labels))
    return found


def _agreement(
    rows: Sequence[DrawnRow],
    said: Sequence[Sequence[Mapping[str, str]]],
    measure: str,
    reading: Reading,
    annotators: Sequence[str],
    items: Mapping[str, DrawnItem],
) -> Agreement:
    judge = [reading.judged(row, measure) for row in rows]
    people = [[row.meant(one[measure]) for row, one in zip(rows, column, strict=True)] for column in said]

    def compare(columns: Sequence[Sequence[str]], chosen: Sequence[int]) -> _Compared:
        first = [column[at] for column in columns for at in chosen]
        second = [judge[at] for _ in columns for at in chosen]
        found = agreement(first, second, labels=reading.labels, weights=reading.weights)
        counts = tuple(tuple(int(one) for one in line) for line in found.confusion.counts)
        return _Compared(Agreed(n=found.n, accuracy=found.accuracy, kappa=found.kappa), found.missing, counts)

    everything = range(len(rows))
    whole = compare(people, everything)
    parts: dict[tuple[str, str], list[int]] = {}
    for at, row in enumerate(rows):
        for key, value in items[row.item_id].slices.items():
            parts.setdefault((key, value), []).append(at)
    return Agreement(
        all=whole.agreed,
        unread=whole.unread,
        weights=reading.weights,
        labels=reading.labels,
        confusion=whole.counts,
        by_annotator={
            name: compare([column], everything).agreed for name, column in zip(annotators, people, strict=True)
        },
        by_slice=tuple(
            AgreedOnSlice(slice=key, value=value, **compare(people, chosen).agreed.model_dump())
            for (key, value), chosen in sorted(parts.items())
            if len(chosen) < len(rows)
        ),
        people=_among_people(people, reading) if len(people) > 1 else None,
    )


@dataclass(frozen=True)
class _Compared:
    agreed: Agreed
    unread: int
    counts: tuple[tuple[int, ...], ...]


def _among_people(people: Sequence[Sequence[str]], reading: Reading) -> PeopleAgreed:
    found = raters_agreement(list(zip(*people, strict=True)), reading.labels, weights=reading.weights, level="ordinal")
    return PeopleAgreed(accuracy=found.accuracy, kappa=found.kappa, alpha=found.reliability.alpha)


def _corrected(
    task: str,
    measure: str,
    reading: Reading,
    items: Mapping[str, DrawnItem],
    said: Sequence[Mapping[str, Sequence[Said]]],
    levels: _Levels,
) -> Corrected:
    clusters = reading.items(task)
    drawn = list(items)
    others = [key for key in clusters if key not in items]
    people = [_mean([reading.difference(one.get(key, ()), measure) for one in said]) for key in drawn]
    judge = [reading.judge_difference(task, key, measure) for key in drawn]
    rest = [reading.judge_difference(task, key, measure) for key in others]
    clustered = any(clusters.values())

    def powered(alpha: float) -> Powered:
        found = powered_mean(
            people,
            judge,
            rest,
            clusters=[clusters[key] for key in drawn] if clustered else None,
            unlabelled_clusters=[clusters[key] for key in others] if clustered else None,
            alpha=alpha,
        )
        assert found is not None, "a draw has an item of every task in it"
        return found

    shown, raw, span = powered(levels.shown), reading.raw(task, measure), reading.span
    return Corrected(
        judge=raw.delta,
        judge_ci=raw.ci,
        people=span * shown.people,
        people_ci=_scaled(shown.people_ci.bounds, span),
        estimate=span * shown.estimate,
        ci=_scaled(shown.ci, span),
        preferred=_preferred(powered(levels.decided).ci),
        error=span * shown.judge_error,
        tuning=shown.tuning,
        guarded=shown.guarded,
        labelled=shown.labelled,
        unlabelled=shown.unlabelled,
    )


def _preferred(ci: tuple[float, float]) -> Preferred:
    return "candidate" if ci[0] > 0 else "base" if ci[1] < 0 else "neither"


def _scaled(ci: tuple[float, float], span: float) -> tuple[float, float]:
    return span * ci[0], span * ci[1]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
