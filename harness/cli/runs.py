"""`harness runs list|show|export|prune`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.errors import EXIT_OK, InputError, did_you_mean

if TYPE_CHECKING:
    from harness.runs.files import RunManifest, RunStore


class Format(StrEnum):
    """How samples are exported."""

    jsonl = "jsonl"
    csv = "csv"


Name = Annotated[str, typer.Argument(metavar="ID", help="A run or a comparison of the store.")]


def list_(store: options.Store = None, demo: options.Demo = False) -> int:
    """Comparisons and runs in the store, newest runs first."""
    from pydantic import ValidationError

    from harness.cli.stores import store_of
    from harness.cli.tables import print_table
    from harness.report.stored import read_comparison
    from harness.runs.files import RunStore

    place = store_of(store, demo=demo)
    runs = RunStore(place)
    rows = []
    for name in runs.list_documents("comparison"):
        try:
            comparison = read_comparison(name, place)
        except (InputError, ValidationError):
            rows.append([name, "", "cannot be read"])
            continue
        for compared in comparison.comparisons:
            verdicts = ", ".join(f"{r.task}: {r.verdict}" for r in compared.results if r.primary)
            rows.append([name, f"{comparison.base} → {compared.candidate}", verdicts])
    if rows:
        print_table(("comparison", "base → candidate", "verdicts"), rows)
    manifests = runs.manifests()
    if manifests:
        print_table(
            ("run", "made", "candidate", "suite", "answers", "status"),
            [
                [
                    m.id,
                    f"{m.created:%Y-%m-%d %H:%M}",
                    m.candidate.name,
                    m.suite,
                    str(sum(t.n for t in m.tasks)),
                    m.status,
                ]
                for m in manifests
            ],
        )
    if not rows and not manifests:
        typer.echo(f"The store {place} is empty.")
    return EXIT_OK


def show(
    name: Name,
    store: options.Store = None,
    demo: options.Demo = False,
    alpha: options.Alpha = 0.05,
    lang: options.LanguageOption = None,
) -> int:
    """Show a comparison as compare did, or the scores of a run."""
    from harness.cli.outputs import Outputs
    from harness.cli.reporting import report
    from harness.cli.stores import open_stored, store_of
    from harness.cli.summary import measure_run
    from harness.cli.tables import print_scores
    from harness.runs.files import RunStore

    place = store_of(store, demo=demo)
    runs = RunStore(place)
    comparisons, known = runs.list_documents("comparison"), runs.list_runs()
    if name in comparisons:
        comparison, view = open_stored(name, place, demo=demo)
        report(view, Outputs({}), options.language(lang), comparison.to_json())
        return EXIT_OK
    if name not in known:
        raise InputError(f"{name!r} is not in the store {place}", remedy=did_you_mean(name, [*comparisons, *known]))
    manifest, samples = runs.read_run(name)
    scores = measure_run(manifest, samples, alpha)
    print_scores(manifest, [(t.task, metric, m) for t in scores.tasks for metric, m in t.metrics.items()])
    return EXIT_OK


def export(
    name: Annotated[str, typer.Argument(metavar="RUN", help="A run of the store.")],
    output: Annotated[str, typer.Option("--output", metavar="FILE|-", help="Where to.")] = "-",
    form: Annotated[Format, typer.Option("--format", help="One JSON object a line, or CSV.")] = Format.jsonl,
    store: options.Store = None,
    demo: options.Demo = False,
) -> int:
    """Write a run's answers and scores, one line each; `item_id`, `task` and `output` are what replay: reads."""
    from harness.cli.outputs import Outputs
    from harness.cli.sample_files import to_csv, to_jsonl
    from harness.cli.stores import store_of
    from harness.runs.files import RunStore

    outputs = Outputs.of(output=output)
    _, samples = RunStore(store_of(store, demo=demo)).read_run(name)
    outputs.write("--output", to_csv(samples) if form is Format.csv else to_jsonl(samples))
    return EXIT_OK


def prune(
    older_than: Annotated[int, typer.Option("--older-than", metavar="DAYS", help="Age of what may go.", min=0)],
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; without this it is only listed.")] = False,
    store: options.Store = None,
    demo: options.Demo = False,
) -> int:
    """Remove old comparisons, and old runs that no remaining comparison names. Stored answers stay.

    A comparison that somebody signed off stays, with its runs.
    """
    from harness.cli.stores import store_of
    from harness.runs.files import RunStore

    runs = RunStore(store_of(store, demo=demo))
    doomed = _old(runs, older_than)
    for path in doomed:
        if yes:
            runs.delete(path)
        typer.echo(f"{'removed' if yes else 'would remove'} {path}")
    if not doomed:
        typer.echo("Nothing is that old.")
    elif not yes:
        typer.echo("Nothing was removed: say --yes.")
    return EXIT_OK


def _old(runs: RunStore, days: int) -> list[str]:
    """Paths in the store of what is older than `days`; a comparison is as old as its newest run."""
    from datetime import UTC, datetime, timedelta

    from harness.release.signoffs import is_signed
    from harness.report.stored import read_comparison

    limit = datetime.now(UTC) - timedelta(days=days)
    manifests: dict[str, RunManifest] = {manifest.id: manifest for manifest in runs.manifests()}
    doomed, kept = [], set()
    for name in runs.list_documents("comparison"):
        try:
            comparison = read_comparison(name, runs.url)
        except InputError:
            continue
        named = {i for c in comparison.comparisons for i in (c.run_ids.base, c.run_ids.candidate)}
        ages = [manifests[i].created for i in named if i in manifests]
        if ages and max(ages) <= limit and not is_signed(runs, name):
            doomed.append(f"comparisons/{name}")
        else:
            kept |= named
    return doomed + [name for name, m in manifests.items() if m.created <= limit and name not in kept]
