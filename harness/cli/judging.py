"""What the commands of `harness judge` that ask a judge have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from harness.candidates.candidate import Candidate
    from harness.cli.options import Asking
    from harness.judge.asking import Settings
    from harness.judge.pairs import Pairs

ComparisonName = Annotated[str, typer.Argument(metavar="COMPARISON", help="Its id in the store, or its JSON file.")]
Judges = Annotated[
    list[str], typer.Option("--judge", metavar="CANDIDATE", help="Who judges, as for compare; may be given again.")
]
WhichCandidate = Annotated[
    str | None, typer.Option("--candidate", metavar="NAME", help="Where the comparison has several.")
]
Tasks = Annotated[
    list[str] | None, typer.Option("--task", metavar="NAME", help="These tasks alone; may be given again.")
]
Structured = Annotated[
    bool, typer.Option(help="Hold the judge to JSON where its engine or server can; else its words are read.")
]
RubricName = Annotated[
    str, typer.Option("--rubric", metavar="NAME|FILE", help="medical, general, one in ./rubrics, or a YAML file.")
]


@dataclass(frozen=True)
class Sides:
    """Which answers of which comparison."""

    comparison: str
    candidate: str | None
    tasks: Sequence[str]


@dataclass(frozen=True)
class Judged:
    """Everything that judging starts from."""

    pairs: Pairs
    judges: tuple[Candidate, ...]
    settings: Settings


def load(sides: Sides, judges: Sequence[str], asking: Asking, *, reference: bool, structured: bool) -> Judged:
    """The answers, the judges and how they are asked.

    Raises:
        InputError: an option out of its range, an unknown judge, comparison, candidate or task.
    """
    from harness.candidates.reference import resolve
    from harness.candidates.workspace import load_workspace
    from harness.judge.asking import Settings

    asking.check()
    workspace = load_workspace(demo=asking.demo)
    settings = Settings(
        store=asking.store or workspace.store,
        engine=workspace.engine(asking.engine.value),
        alpha=asking.alpha,
        seed=asking.seed,
        repeats=asking.repeats,
        temperature=asking.temperature,
        reference=reference,
        fresh=asking.fresh,
        structured=structured,
        max_cost=asking.max_cost,
    )
    pairs = load_pairs(sides, settings.store, asking.goldset, demo=asking.demo)
    return Judged(pairs, tuple(resolve(name, workspace) for name in judges), settings)


def load_pairs(sides: Sides, store: str, goldset: list[str] | None, *, demo: bool) -> Pairs:
    """The answers of a stored comparison.

    Raises:
        InputError: an unknown comparison, candidate or task, or texts that are gone.
    """
    from harness.candidates.workspace import load_workspace
    from harness.cli.options import goldset_copies
    from harness.judge.pairs import pairs_of
    from harness.report.stored import read_comparison
    from harness.runs.files import RunStore

    workspace = load_workspace(demo=demo)
    return pairs_of(
        read_comparison(sides.comparison, store),
        RunStore(store),
        candidate=sides.candidate,
        tasks=sides.tasks,
        overrides={**workspace.goldsets, **goldset_copies(goldset)},
        folder=workspace.here,
    )
