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
    from harness.judge.labels.reading import Labels
    from harness.judge.results import Judging
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
    output: Annotated[
        str | None,
        typer.Option("--output", metavar="FILE", help="The sheet, .xlsx or .jsonl; none: label in the dashboard."),
    ] = None,
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
    """Draw answers at random for people to label: on a blind sheet, or in the dashboard (page Label).

    Nobody who labels sees which model wrote what. Give every annotator a copy of the sheet named after them; `harness
    judge calibrate` reads them back, and what was labelled in the dashboard.
    """
    from harness.cli.judging import load_pairs
    from harness.cli.outputs import Outputs
    from harness.cli.stores import store_of
    from harness.judge.labels.drawing import draw
    from harness.judge.labels.sheet import SUFFIXES, sheet_of, write_sheet
    from harness.judge.rubrics import load_rubric
    from harness.judge.scales import ByReference, ByRubric
    from harness.runs.files import RunStore

    path = None if output is None else Path(output)
    if path is not None and path.suffix.lower() not in SUFFIXES:
        raise InputError("is neither .xlsx nor .jsonl", where=f"--output {output}")
    if path is not None and path.exists():
        remedy = "It may hold labels: choose another name."
        raise InputError("the file is there already", where=f"--output {output}", remedy=remedy)
    outputs = Outputs.of(output=output)
    place = store_of(store, demo=demo)
    criteria: Rubric | None = load_rubric(rubric) if mode is Way.rubric else None
    scale: Scale | None = ByRubric(criteria) if criteria else ByReference() if mode is Way.reference else None
    pairs = load_pairs(Sides(comparison, candidate, task or ()), place, goldset, demo=demo)
    drawn = draw(pairs, scale, items=items, seed=seed, reference=reference)
    sheet = None if path is None else write_sheet(sheet_of(drawn, pairs, criteria, options.language(lang)), path)
    RunStore(place).write_document("draw", drawn.id, drawn.to_json().encode())
    if sheet is not None:
        outputs.write("--output", sheet)
    to_do = output or "label it with harness dashboard"
    typer.echo(f"{len(drawn.rows)} rows of {len(drawn.items)} items, draw {drawn.id}, seed {seed}: {to_do}")
    if identical := sum(item.identical for item in drawn.items):
        typer.echo(f"{identical} of the items have two equal answers.")
    return EXIT_OK


def calibrate(
    judging: Annotated[str, typer.Argument(metavar="JUDGING", help="A judging of the store.")],
    sheets: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[SHEET…]", help="Filled-in sheets, one an annotator; none: the dashboard's labels."),
    ] = None,
    draw: Annotated[
        str | None, typer.Option("--draw", metavar="ID", help="Whose labels of the dashboard, where there are several.")
    ] = None,
    alpha: options.Alpha = 0.05,
    store: options.Store = None,
    demo: options.Demo = False,
    json: options.Json = None,
    lang: options.LanguageOption = None,
) -> int:
    """How far does the judge agree with people, and what do its results come to when people correct them?

    The sheets are those of `harness judge label`, filled in completely; without any, what was labelled in the
    dashboard counts, of everybody who has labelled every row. From then on the judging is shown with the correction.
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
    if sheets and draw is not None:
        raise InputError(
            "sheets say themselves of which draw they are", where="--draw", remedy="Leave one of them out."
        )
    outputs = Outputs.of(json=json)
    runs = RunStore(store_of(store, demo=demo))
    found = read_judging(runs.read_document("judging", judging), judging)
    labels = read_labels(sheets, runs) if sheets else _of_the_dashboard(found, runs, draw)
    calibration = held_against(found, labels, draws=_draws_like(labels.draw, runs), alpha=alpha)
    runs.write_document("calibration", calibration.id, calibration.to_json().encode())
    outputs.write("--json", calibration.to_json())
    if not outputs.stdout:
        open_console().print(render_judging(found, calibration, options.language(lang)))
    return EXIT_OK


def _of_the_dashboard(judging: Judging, runs: RunStore, wanted: str | None) -> Labels:
    """The labels of a draw that were given in the dashboard; tells whose are not complete."""
    from harness.judge.labels.book import LabelBook
    from harness.judge.labels.drawing import read_draw
    from harness.report.untrusted import visible

    drawn = [read_draw(runs.read_document("draw", name), name) for name in runs.list_documents("draw")]
    rubric = getattr(judging, "rubric_digest", None)
    kind = (judging.mode, judging.comparison, judging.candidate, rubric)
    books = [LabelBook(runs, one) for one in drawn if _kind(one) == kind and wanted in (None, one.id)]
    begun = [book for book in books if book.sheets()]
    if len(begun) > 1:
        remedy = f"Name one of {', '.join(book.draw.id for book in begun)}."
        raise InputError(f"{len(begun)} draws of this comparison were labelled", where="--draw", remedy=remedy)
    if not begun:
        raise InputError(
            "nobody has labelled a draw for this judging",
            where=wanted or judging.id,
            remedy="Give filled-in sheets, or label in the dashboard: harness judge label, then harness dashboard.",
        )
    (book,) = begun
    labels = book.labels()
    for sheet in book.sheets():
        if not book.complete(sheet):
            said = f"{len(sheet.said)} of {len(book.draw.rows)} rows"
            typer.echo(visible(f"left out: {sheet.annotator}: {said} are labelled"), err=True)
    return labels


def _draws_like(one: Draw, runs: RunStore) -> int:
    """How many sheets of this kind were drawn for the comparison."""
    from harness.judge.labels.drawing import read_draw

    drawn = [read_draw(runs.read_document("draw", name), name) for name in runs.list_documents("draw")]
    return sum(_kind(other) == _kind(one) for other in drawn)


def _kind(one: Draw) -> tuple[str, str, str, str | None]:
    return one.mode, one.comparison, one.candidate, one.rubric_digest
