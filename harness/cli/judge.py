"""`harness judge`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import options
from harness.errors import EXIT_INCOMPLETE, EXIT_OK, InputError


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
    from harness.judge.asking import ask_judges
    from harness.judge.judging import Settings, judged_pairs, questions
    from harness.judge.pairs import pairs_of
    from harness.report.judged import render_judged
    from harness.report.stored import read_comparison
    from harness.runs.files import RunStore

    asking.check()
    outputs = Outputs.of(json=json)
    language = asking.language
    workspace = load_workspace(demo=asking.demo)
    place = asking.store or workspace.store
    found = read_comparison(comparison, place)
    names = [one.candidate for one in found.comparisons]
    if candidate is None and len(names) > 1:
        remedy = f"Name one of {', '.join(names)}."
        raise InputError(f"the comparison has {len(names)} candidates", where="--candidate", remedy=remedy)
    if candidate is not None and candidate not in names:
        raise InputError(f"has no candidate {candidate!r}", where=comparison, remedy=f"It has {', '.join(names)}.")
    compared = next(one for one in found.comparisons if candidate in (None, one.candidate))
    copies = {name: str(workspace.folder / path) for name, path in workspace.content.goldsets.items()}
    pairs = pairs_of(
        compared,
        RunStore(place),
        tasks=task or (),
        overrides={**copies, **options.goldset_copies(asking.goldset)},
        folder=workspace.here,
    )
    judges = [resolve(name, workspace) for name in judge]
    settings = Settings(alpha=asking.alpha, seed=asking.seed, repeats=asking.repeats, reference=reference)
    chosen = workspace.content.engine
    if asking.engine.value != "auto":
        chosen = chosen.model_copy(update={"name": asking.engine.value})
    with quiet_stdout(outputs.stdout), progress(language) as shown:
        said = ask_judges(
            judges,
            questions(pairs, judges, settings),
            settings=chosen,
            store=place,
            progress=shown,
            repeats=asking.repeats,
            temperature=asking.temperature,
            seed=asking.seed,
            fresh=asking.fresh,
            max_cost=asking.max_cost,
        )
    result = judged_pairs(found, compared, pairs, judges, said, settings)
    outputs.write("--json", result.to_json())
    if not outputs.stdout:
        open_console().print(render_judged(result, language))
    return EXIT_OK if any(one.n > one.identical for one in result.tasks) else EXIT_INCOMPLETE
