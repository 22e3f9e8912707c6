"""The commands, put together."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from harness import __version__
from harness.cli import (
    bench,
    candidates,
    compare,
    dashboard,
    doctor,
    estimate,
    export,
    gate,
    goldset,
    goldset_check,
    goldset_import,
    goldset_split,
    judge,
    judge_attack,
    judge_labels,
    review,
    run,
    runs,
    score,
    serve,
    suites,
    train,
    train_sweep,
)


class Escaped(BaseException):
    """Carries an exception past typer, which would turn Ctrl-C or a closed pipe into an exit of its own."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


class _Commands(TyperGroup):
    """Lists the commands in the order given here, and lets no exception be handled on the way to `main`."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, EOFError, OSError) as error:
            raise Escaped(error) from error

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)


def _group(help_text: str) -> typer.Typer:
    return typer.Typer(
        cls=_Commands,
        help=help_text,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"harness {__version__}")
        raise typer.Exit


app = _group("Is the fine-tuned model better than its base, where did it get worse, and how sure is that?")


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error (also after a command; HARNESS_DEBUG=1).")
    ] = False,
) -> None:
    """Options of every command; `main` reads `--debug` wherever it stands."""


app.command("compare")(compare.compare)
app.command("run")(run.run)
app.command("score")(score.score)
app.command("gate")(gate.gate)
app.command("review")(review.review)

_runs = _group("Runs and comparisons in the store.")
_runs.command("list")(runs.list_)
_runs.command("show")(runs.show)
_runs.command("export")(runs.export)
_runs.command("prune")(runs.prune)
app.add_typer(_runs, name="runs")

_candidates = _group("The names in harness.yaml, and what stands behind a reference.")
_candidates.command("list")(candidates.list_)
_candidates.command("show")(candidates.show)
_candidates.command("doctor")(candidates.doctor)
app.add_typer(_candidates, name="candidates")

_goldset = _group("Gold sets: questions with their accepted answers.")
_goldset.command("list")(goldset.list_)
_goldset.command("show")(goldset.show)
_goldset.command("import")(goldset_import.import_)
_goldset.command("check")(goldset_check.check)
_goldset.command("split")(goldset_split.split)
app.add_typer(_goldset, name="goldset")

_suites = _group("Suites: the tasks that are asked together.")
_suites.command("list")(suites.list_)
_suites.command("show")(suites.show)
app.add_typer(_suites, name="suites")

_train = _group("Make candidates whose lineage is known.")
_train.command("sft")(train.sft)
_train.command("vision")(train.vision)
_train.command("grpo")(train.grpo)
_train.command("sweep")(train_sweep.sweep)
app.add_typer(_train, name="train")

_judge = _group("Answers judged by a model, in a way that can be defended.")
_judge.command("pairwise")(judge.pairwise)
_judge.command("rubric")(judge.rubric)
_judge.command("reference")(judge.reference)
_judge.command("show")(judge.show)
_judge.command("label")(judge_labels.label)
_judge.command("calibrate")(judge_labels.calibrate)
_judge.command("attack")(judge_attack.attack)
app.add_typer(_judge, name="judge")

_bench = _group("How fast, and at what price in quality?")
_bench.command("serving")(bench.serving)
app.add_typer(_bench, name="bench")

app.command("estimate")(estimate.estimate)
app.command("export")(export.export)
app.command("serve")(serve.serve)
app.command("dashboard")(dashboard.dashboard)
app.command("doctor")(doctor.doctor)
