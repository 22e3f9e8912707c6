"""`harness judge pairwise|rubric|reference|show`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.cli.judging import ComparisonName, Judges, RubricName, Sides, Structured, Tasks, WhichCandidate
from harness.errors import EXIT_INCOMPLETE, EXIT_OK

if TYPE_CHECKING:
    from harness.judge.results import Judging
    from harness.judge.scales import Scale
    from harness.report.words import Language
    from harness.runs.files import RunStore


@dataclass(frozen=True)
class _Told:
    """What a judge is told beside the answers: the gold answer, and the form of its verdict."""

    reference: bool
    structured: bool


_ASKS = options.asks(without={"limit", "base_path", "prompt"})
Reference = Annotated[bool, typer.Option(help="Show the judge the gold answer.")]


@_ASKS
def pairwise(
    comparison: ComparisonName,
    judge: Judges,
    candidate: WhichCandidate = None,
    task: Tasks = None,
    reference: Reference = True,
    structured: Structured = True,
    *,
    asking: options.Asking,
    json: options.Json = None,
) -> int:
    """Which answers are better? A model judges each pair of a stored comparison, in both orders.

    Where the two orders disagree the pair is a tie; what cannot be read is not counted. Answers that were judged before
    by the same judge in the same words are not judged again.

    Exit codes: 0 done; 2 wrong input; 3 nothing could be read.
    """
    return _judge(Sides(comparison, candidate, task or ()), judge, None, asking, json, _Told(reference, structured))


@_ASKS
def rubric(
    comparison: ComparisonName,
    judge: Judges,
    rubric: RubricName = "general",
    candidate: WhichCandidate = None,
    task: Tasks = None,
    reference: Reference = True,
    structured: Structured = True,
    *,
    asking: options.Asking,
    json: options.Json = None,
) -> int:
    """How good is each answer? A model scores every answer of a stored comparison from 1 to 5 on each criterion.

    Exit codes: 0 done; 2 wrong input; 3 nothing could be read.
    """
    from harness.judge.rubrics import load_rubric
    from harness.judge.scales import ByRubric

    scale = ByRubric(load_rubric(rubric))
    return _judge(Sides(comparison, candidate, task or ()), judge, scale, asking, json, _Told(reference, structured))


@_ASKS
def reference(
    comparison: ComparisonName,
    judge: Judges,
    candidate: WhichCandidate = None,
    task: Tasks = None,
    structured: Structured = True,
    *,
    asking: options.Asking,
    json: options.Json = None,
) -> int:
    """Is each answer consistent with the gold answer? A model grades it correct, partly or wrong.

    Exit codes: 0 done; 2 wrong input; 3 nothing could be read.
    """
    from harness.judge.scales import ByReference

    return _judge(Sides(comparison, candidate, task or ()), judge, ByReference(), asking, json, _Told(True, structured))


def _judge(
    sides: Sides,
    judges: list[str],
    scale: Scale | None,
    asking: options.Asking,
    json: str | None,
    told: _Told,
) -> int:
    from harness.cli.asking import progress
    from harness.cli.judging import load
    from harness.cli.outputs import Outputs, quiet_stdout
    from harness.judge.grading import grade_answers
    from harness.judge.judging import judge_pairs
    from harness.judge.said import FILE_NAME, said_parquet
    from harness.runs.files import RunStore

    outputs = Outputs.of(json=json)
    loaded = load(sides, judges, asking, reference=told.reference, structured=told.structured)
    found: Judging
    with quiet_stdout(outputs.stdout), progress(asking.language) as shown:
        if scale is None:
            found, said = judge_pairs(loaded.pairs, loaded.judges, loaded.settings, shown)
        else:
            found, said = grade_answers(loaded.pairs, scale, loaded.judges, loaded.settings, shown)
    store = RunStore(loaded.settings.store)
    words = {FILE_NAME: said_parquet(loaded.pairs, said)}
    store.write_document("judging", found.id, found.to_json().encode(), words)
    outputs.write("--json", found.to_json())
    if not outputs.stdout:
        _print(found, store, asking.language)
    return EXIT_OK if any(one.n > one.identical for one in found.tasks) else EXIT_INCOMPLETE


def show(
    judging: Annotated[str, typer.Argument(metavar="JUDGING", help="A judging of the store.")],
    store: options.Store = None,
    demo: options.Demo = False,
    json: options.Json = None,
    lang: options.LanguageOption = None,
) -> int:
    """Show a judging again, corrected by people where it was calibrated."""
    from harness.cli.outputs import Outputs
    from harness.cli.stores import store_of
    from harness.judge.results import read_judging
    from harness.runs.files import RunStore

    outputs = Outputs.of(json=json)
    runs = RunStore(store_of(store, demo=demo))
    found = read_judging(runs.read_document("judging", judging), judging)
    outputs.write("--json", found.to_json())
    if not outputs.stdout:
        _print(found, runs, options.language(lang))
    return EXIT_OK


def _print(found: Judging, store: RunStore, language: Language) -> None:
    from harness.cli.console import open_console
    from harness.judge.calibration.results import calibrations_of
    from harness.report.judged import render_judging

    calibrations = calibrations_of(found.id, store)
    open_console().print(render_judging(found, calibrations[0] if calibrations else None, language))
