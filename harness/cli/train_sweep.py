"""`harness train sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from harness.cli import options
from harness.errors import EXIT_INCOMPLETE, EXIT_OK, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.candidates.workspace import Workspace
    from harness.report.sweep import Sweep
    from harness.train.prepare import Prepared
    from harness.train.sweep import Point

T = TypeVar("T")

Mixes = Annotated[
    str | None, typer.Option("--mix", help="Shares of the config's sources, in their order.", metavar="1:0,1:1,…")
]
Ranks = Annotated[str | None, typer.Option("--r", help="Ranks; alpha keeps its ratio.", metavar="8,16,…")]
Rates = Annotated[str | None, typer.Option("--lr", help="Learning rates.", metavar="1e-4,2e-4,…")]
Plot = Annotated[
    Path | None, typer.Option("--plot", help="Draw gain against retention (.svg, .png, .pdf).", metavar="FILE")
]


def sweep(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.yaml", help="What all points have in common.")],
    suite: options.SuiteName,
    mix: Mixes = None,
    r: Ranks = None,
    lr: Rates = None,
    limit: options.Limit = None,
    engine: options.EngineOption = options.Engine.auto,
    goldset: options.Goldsets = None,
    json: options.Json = None,
    plot: Plot = None,
) -> int:
    """Train every combination, ask them all on one engine, and show gain against what was forgotten.

    Run it again after a crash: what is trained already, from the very same config and data, is not trained again.

    Exit codes: 0 done; 2 bad input, nothing is trained; 3 a training broke off, or too many answers failed.
    """
    from harness import api
    from harness.candidates.workspace import load_workspace
    from harness.cli.asking import progress
    from harness.cli.outputs import Outputs, quiet_stdout
    from harness.report.sweep import build_sweep, check_drawable, draw
    from harness.train.config import SftConfig, load_config
    from harness.train.prepare import prepare
    from harness.train.sweep import grid

    outputs = Outputs.of(json=json, plot=str(plot) if plot else None)
    if plot is not None:
        check_drawable(plot)
    copies = options.goldset_copies(goldset)
    workspace = load_workspace()
    points = grid(
        load_config(config, SftConfig), mixes=_texts(mix), ranks=_each(r, int, "--r"), rates=_each(lr, float, "--lr")
    )
    folder = config.resolve().parent
    prepared = [  # every fault shows before the first hour of training
        prepare(point.config, workspace, folder=folder, suite=suite, goldsets=copies) for point in points
    ]
    with quiet_stdout(outputs.stdout):
        for point, one in zip(points, prepared, strict=True):
            _train(point, one, workspace, copies)
        request = api.Request(
            references=(points[0].config.base, *(point.config.name for point in points)),
            suite=suite,
            limit=limit,
            engine=engine.value,
            goldsets=copies,
        )
        with progress(options.language(None)) as shown:
            outcome = api.compare(request, shown)
    found = build_sweep(outcome.comparison, {point.config.name: point.settings for point in points})
    if json is not None:
        outputs.write("--json", found.model_dump_json(indent=1, by_alias=True) + "\n")
    if plot is not None:
        draw(found, plot)
    _tell(found, ":".join(points[0].config.data), stderr=outputs.stdout)
    return EXIT_INCOMPLETE if outcome.incomplete else EXIT_OK


def _train(point: Point, prepared: Prepared, workspace: Workspace, copies: dict[str, str]) -> None:
    from harness.cli.train import register_trained
    from harness.cli.train_shown import Printer
    from harness.selection.producing import produce
    from harness.train.training import already_trained, stopped

    name = point.config.name
    typer.echo(f"== {name}: {prepared.plan.sentence}", err=True)
    lineage = already_trained(prepared)
    if lineage is None:
        lineage = produce(prepared, workspace, Printer(plan=False), goldsets=copies, resume=stopped(prepared))
    else:
        typer.echo(f"{name} is trained already ({lineage.finished})", err=True)
    register_trained(prepared, workspace)


def _tell(found: Sweep, sources: str, *, stderr: bool) -> None:
    from harness.cli.tables import print_facts, print_table
    from harness.report.numbers import interval, points

    rows = []
    for point in found.points:
        cells = [*point.settings.values()]
        for measured in (point.target, *point.guards):
            cells += [f"{points(measured.delta)} {interval(measured.ci)}", measured.verdict or ""]
        rows.append([*cells, "front" if point.front else ""])
    first = found.points[0]
    heads = [sources if name == "mix" else name for name in first.settings]
    for measured in (first.target, *first.guards):
        heads += [measured.task, ""]
    print_table((*heads, "Pareto"), rows, stderr=stderr)
    print_facts(
        [
            ("front", "no other point gains more on the target and loses less on its worst guard"),
            ("comparison", f"{found.comparison}, base {found.base}, suite {found.suite}"),
        ],
        stderr=stderr,
    )


def _texts(given: str | None) -> list[str]:
    return [part.strip() for part in given.split(",") if part.strip()] if given else []


def _each(given: str | None, kind: Callable[[str], T], option: str) -> list[T]:
    try:
        return [kind(text) for text in _texts(given)]
    except ValueError as error:
        raise InputError(f"is no list of numbers ({error})", where=option) from None
