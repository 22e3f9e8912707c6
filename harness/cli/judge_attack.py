"""`harness judge attack`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import options
from harness.cli.judging import ComparisonName, Judges, Sides, Structured, Tasks, WhichCandidate
from harness.errors import EXIT_INCOMPLETE, EXIT_OK


@options.asks(without={"limit", "base_path", "prompt"})
def attack(
    comparison: ComparisonName,
    judge: Judges,
    items: Annotated[int, typer.Option("--items", help="How many pairs are drawn at random.")] = 50,
    candidate: WhichCandidate = None,
    task: Tasks = None,
    reference: Annotated[bool, typer.Option(help="Show the judge the gold answer.")] = True,
    structured: Structured = True,
    *,
    asking: options.Asking,
    json: options.Json = None,
) -> int:
    """How many verdicts does an answer turn around by talking to the judge?

    Pairs are judged as `judge pairwise` does; then each losing answer is judged again with instructions, fake verdicts,
    fake turns and other attacks added to it, and once with a harmless sentence for comparison.

    Exit codes: 0 done; 2 wrong input; 3 no pair was decided, so nothing could be attacked.
    """
    from harness.cli.asking import progress
    from harness.cli.console import open_console
    from harness.cli.judging import load
    from harness.cli.outputs import Outputs, quiet_stdout
    from harness.judge.robustness import attack_judges
    from harness.report.attacked import render_robustness

    outputs = Outputs.of(json=json)
    loaded = load(Sides(comparison, candidate, task or ()), judge, asking, reference=reference, structured=structured)
    with quiet_stdout(outputs.stdout), progress(asking.language) as shown:
        found = attack_judges(loaded.pairs, loaded.judges, loaded.settings, shown, items=items)
    outputs.write("--json", found.to_json())
    if not outputs.stdout:
        open_console().print(render_robustness(found, asking.language))
    return EXIT_OK if found.decided else EXIT_INCOMPLETE
