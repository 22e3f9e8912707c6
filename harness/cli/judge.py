"""`harness judge`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import options
from harness.errors import EXIT_INCOMPLETE, EXIT_OK


@options.asks(without={"limit", "base_path", "prompt"})
def pairwise(
    comparison: Annotated[str, typer.Argument(metavar="COMPARISON", help="Its id in the store, or its JSON file.")],
    judge: Annotated[
        list[str], typer.Option("--judge", metavar="CANDIDATE", help="Who judges, as for compare; may be given again.")
    ],
    candidate: Annotated[
        str | None, typer.Option("--candidate", metavar="NAME", help="Where the comparison has several.")
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option("--task", metavar="NAME", help="These tasks alone; may be given again.")
    ] = None,
    reference: Annotated[bool, typer.Option(help="Show the judge the gold answer.")] = True,
    *,
    asking: options.Asking,
    json: options.Json = None,
) -> int:
    """Which answers are better? A model judges each pair of a stored comparison, in both orders.

    Where the two orders disagree the pair is a tie; what cannot be read is not counted. Answers that were judged before
    by the same judge in the same words are not judged again.

    Exit codes: 0 done; 2 wrong input; 3 nothing could be read.
    """
    from harness.candidates.reference import resolve
    from harness.candidates.workspace import load_workspace
    from harness.cli.asking import progress
    from harness.cli.console import open_console
    from harness.cli.outputs import Outputs, quiet_stdout
    from harness.judge.asking import Settings
    from harness.judge.judging import judge_comparison
    from harness.report.judged import render_judged
    from harness.report.stored import read_comparison

    asking.check()
    outputs = Outputs.of(json=json)
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
        max_cost=asking.max_cost,
    )
    with quiet_stdout(outputs.stdout), progress(asking.language) as shown:
        found = judge_comparison(
            read_comparison(comparison, settings.store),
            [resolve(name, workspace) for name in judge],
            settings,
            shown,
            candidate=candidate,
            tasks=task or (),
            goldsets={**workspace.goldsets, **options.goldset_copies(asking.goldset)},
            folder=workspace.here,
        )
    outputs.write("--json", found.to_json())
    if not outputs.stdout:
        open_console().print(render_judged(found, asking.language))
    return EXIT_OK if any(one.n > one.identical for one in found.tasks) else EXIT_INCOMPLETE
