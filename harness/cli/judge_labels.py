"""`harness judge label|calibrate`: a judge held against people."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.cli.judging import ComparisonName, RubricName, Sides, Tasks, WhichCandidate
from harness.errors import EXIT_OK, InputError

if TYPE_CHECKING:
    from harness.judge.labels.drawing import Draw
    from harness.judge.rubrics import Rubric
    from harness.judge.scales import Scale
    from harness.runs.files import RunStore


class Way(StrEnum):
    """What people are asked; the same as the judge was."""

    pairwise = "pairwise"
    rubric = "rubric"
    reference = "reference"


def label(
    comparison: ComparisonName,
    output: Annotated[str, typer.Option("--output", metavar="FILE", help="The sheet: .xlsx or .jsonl.")],
    mode: Annotated[Way, typer.Option("--mode", help="What people are asked; the same as the judge.")] = Way.pairwise,
    rubric: RubricName = "general",
    items: Annotated[int, typer.Option("--items", help="How many items of each task are drawn.")] = 100,
    candidate: WhichCandidate = None,
    task: Tasks = None,
    reference: Annotated[bool, typer.Option(help="Show people the gold answer.")] = True,
    seed: options.Seed = 0,
    store: options.Store = None,
    demo: options.Demo = False,
    goldset: options.Goldsets = None,
    lang: options.LanguageOption = None,
) -> int:
    """Draw answers at random and write a blind sheet for people to label.

    Nobody who fills it in sees which model wrote what. Give every annotator a copy named after them; `harness judge
    calibrate` reads them back.
    """
    from harness.cli.judging import load_pairs
    from harness.cli.outputs import Outputs
    from harness.cli.stores import store_of
    from harness.judge.labels.drawing import draw
    from harness.judge.labels.sheet import SUFFIXES, sheet_of, write_sheet
    from harness.judge.rubrics import load_rubric
    from harness.judge.scales import ByReference, ByRubric
    from harness.runs.files import RunStore

    path = Path(output)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError("is neither .xlsx nor .jsonl", where=f"--output {output}")
    if path.exists():
        remedy = "It may hold labels: choose another name."
        raise InputError("the file is there already", where=f"--output {output}", remedy=remedy)
    outputs = Outputs.of(output=output)
    place = store_of(store, demo=demo)
    criteria: Rubric | None = load_rubric(rubric) if mode is Way.rubric else None
    scale: Scale | None = ByRubric(criteria) if criteria else ByReference() if mode is Way.reference else None
    pairs = load_pairs(Sides(comparison, candidate, task or ()), place, goldset, demo=demo)
    drawn = draw(pairs, scale, items=items, seed=seed, reference=reference)
    sheet = write_sheet(sheet_of(drawn, pairs, criteria, options.language(lang)), path)
    RunStore(place).write_document("draw", drawn.id, drawn.to_json().encode())
    outputs.write("--output", sheet)
    typer.echo(f"{len(drawn.rows)} rows of {len(drawn.items)} items, draw {drawn.id}, seed {seed}: {output}")
    if identical := sum(item.identical for item in drawn.items):
        typer.echo(f"{identical} of the items have two equal answers.")
    return EXIT_OK


def calibrate(
    judging: Annotated[str, typer.Argument(metavar="JUDGING", help="A judging of the store.")],
    sheets: Annotated[
        list[Path], typer.Argument(metavar="SHEET…", help="Filled-in sheets of one draw, one an annotator.")
    ],
    alpha: options.Alpha = 0.05,
    store: options.Store = None,
    demo: options.Demo = False,
    json: options.Json = None,
    lang: options.LanguageOption = None,
) -> int:
    """How far does the judge agree with people, and what do its results come to when people correct them?

    The sheets are those of `harness judge label`, filled in completely. From then on the judging is shown with the
    correction.
    """
    from harness.cli.console import open_console
    from harness.cli.outputs import Outputs
    from harness.cli.stores import store_of
    from harness.judge.calibration.calibrating import calibrate as held_against
    from harness.judge.labels.reading import read_labels
    from harness.judge.results import read_judging
    from harness.report.judged import render_judging
    from harness.runs.files import RunStore

    if not 0.0 < alpha < 1.0:
        raise InputError(f"must lie between 0 and 1, not {alpha:g}", where="--alpha", remedy="0.05 is usual.")
    outputs = Outputs.of(json=json)
    runs = RunStore(store_of(store, demo=demo))
    found = read_judging(runs.read_document("judging", judging), judging)
    labels = read_labels(sheets, runs)
    calibration = held_against(found, labels, draws=_draws_like(labels.draw, runs), alpha=alpha)
    runs.write_document("calibration", calibration.id, calibration.to_json().encode())
    outputs.write("--json", calibration.to_json())
    if not outputs.stdout:
        open_console().print(render_judging(found, calibration, options.language(lang)))
    return EXIT_OK


def _draws_like(one: Draw, runs: RunStore) -> int:
    """How many sheets of this kind were drawn for the comparison."""
    from harness.judge.labels.drawing import read_draw

    drawn = [read_draw(runs.read_document("draw", name), name) for name in runs.list_documents("draw")]
    kind = (one.mode, one.comparison, one.candidate, one.rubric_digest)
    return sum((other.mode, other.comparison, other.candidate, other.rubric_digest) == kind for other in drawn)
