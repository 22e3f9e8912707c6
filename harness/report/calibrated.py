"""What people's labels make of a judging, on the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from harness.judge.calibration.results import Agreed, Agreement, CalibratedMeasure, Calibration, Corrected
from harness.report.judged_parts import measure_name, plain_table, preference
from harness.report.judged_words import JudgedWords, judged_words
from harness.report.numbers import (
    NONE,
    interval,
    level,
    points,
    rate,
    share,
    signed,
    signed_interval,
)
from harness.report.untrusted import one_line
from harness.report.words import Language


def calibrated_parts(found: Calibration, language: Language) -> list[RenderableType]:
    """The corrected results, then the agreement they stand on."""
    words = judged_words(language)
    items = sum(task.measures[0].corrected.labelled for task in found.tasks)
    who = one_line(", ".join(found.annotators), 200)
    parts: list[RenderableType] = [Text(words.calibrated.format(annotators=who, items=items))]
    if found.draws > 1:
        parts.append(Text(f"! {words.drawn_again.format(draws=found.draws)}"))
    parts += [Text(f"! {words.task_uncalibrated.format(task=task)}") for task in found.uncalibrated]
    parts += [Text(""), Text(words.corrected, style="bold"), _corrected(found, words)]
    parts += [Text(f"  {note}", style="dim") for note in _notes(found, words)]
    parts += [Text(""), Text(words.agreement, style="bold"), _agreements(found, words)]
    for task, one in _measures(found):
        if one.agreement is not None:
            title = f"{words.confusion}: {task}, {measure_name(one.name, words)}"
            parts += [Text(""), Text(title, style="dim"), _confusion(one.agreement)]
    said = words.show.format(calibration=found.id, judging=found.judging, draw=found.draw)
    return [*parts, Text(said, style="dim")]


def _measures(found: Calibration) -> Iterator[tuple[str, CalibratedMeasure]]:
    for task in found.tasks:
        for measure in task.measures:
            yield task.task, measure


def _corrected(found: Calibration, words: JudgedWords) -> RenderableType:
    shown = words.corrected_delta.format(level=level(found.alpha))
    heads = [
        words.preferred, words.task, words.measure, words.judge_alone, words.people_alone, shown, words.tuning,
        words.items,
    ]  # fmt: skip
    return plain_table(
        heads,
        [
            [
                preference(one.corrected.preferred, words),
                task,
                measure_name(one.name, words),
                *_deltas(one.corrected, pairs=found.mode == "pairwise"),
                rate(one.corrected.tuning),
                f"{one.corrected.labelled}/{one.corrected.unlabelled}",
            ]
            for task, one in _measures(found)
        ],
        left=3,
    )


def _deltas(one: Corrected, *, pairs: bool) -> list[str]:
    """Of the judge, of people, of both: in points where pairs were judged, else on the scale."""
    number, between = (points, interval) if pairs else (signed, signed_interval)
    return [
        f"{number(delta)} {between(ci)}".strip()
        for delta, ci in ((one.judge, one.judge_ci), (one.people, one.people_ci), (one.estimate, one.ci))
    ]


def _notes(found: Calibration, words: JudgedWords) -> Iterator[str]:
    for task, one in _measures(found):
        measure = measure_name(one.name, words)
        if one.corrected.guarded:
            yield f"{task}: {words.guarded.format(measure=measure)}"
        if one.agreement is not None and one.agreement.unread:
            yield f"{task}: {words.unread.format(measure=measure, count=one.agreement.unread)}"


def _agreements(found: Calibration, words: JudgedWords) -> RenderableType:
    rows = []
    for task, one in _measures(found):
        if one.agreement is None:
            continue
        name = measure_name(one.name, words)
        rows.append([task, name, words.of_all, *_agreed(one.agreement.all)])
        if len(one.agreement.by_annotator) > 1:
            rows += [
                ["", "", one_line(who, 40), *_agreed(agreed)] for who, agreed in one.agreement.by_annotator.items()
            ]
        if (people := one.agreement.people) is not None:
            rows.append(["", "", words.among_people, "", share(people.accuracy), _kappa(people.kappa)])
        rows += [
            ["", "", one_line(f"{part.slice}={part.value}", 60), *_agreed(part)] for part in one.agreement.by_slice
        ]
    heads = [words.task, words.measure, "", words.n_labels, words.accuracy, words.kappa]
    return plain_table(heads, rows, left=3)


def _agreed(one: Agreed) -> list[str]:
    return [str(one.n), share(one.accuracy), _kappa(one.kappa)]


def _kappa(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}".replace("-", "\u2212")


def _confusion(found: Agreement) -> RenderableType:
    return plain_table(
        ["", *found.labels],
        [[label, *map(str, counts)] for label, counts in zip(found.labels, found.confusion, strict=True)],
        left=1,
    )
