"""`harness run`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import options
from harness.errors import EXIT_INCOMPLETE, EXIT_OK


@options.asks()
def run(
    candidate: Annotated[list[str], typer.Argument(metavar="CANDIDATE...", help="As for compare.")],
    suite: options.SuiteName,
    asking: options.Asking,
    json: options.Json = None,
) -> int:
    """Ask candidates a suite without comparing them; a later compare reuses the answers.

    Exit codes: 0 done; 2 wrong input; 3 too many answers failed.
    """
    from harness.cli.outputs import Outputs, quiet_stdout

    outputs = Outputs.of(json=json)
    request = asking.request(candidate, suite)
    from harness import api
    from harness.cli.asking import progress
    from harness.cli.summary import RunScores, measure_run, why_unscored
    from harness.cli.tables import print_scores
    from harness.report.untrusted import visible

    with quiet_stdout(outputs.stdout), progress(asking.language) as shown:
        manifests, samples = api.run(request, shown)
    scores = [measure_run(manifest, samples[manifest.id], asking.alpha) for manifest in manifests]
    outputs.write("--json", RunScores(runs=tuple(scores)).model_dump_json(by_alias=True, indent=1) + "\n")
    code = EXIT_OK
    for manifest, scored in zip(manifests, scores, strict=True):
        print_scores(
            manifest,
            [(t.task, metric, m) for t in scored.tasks for metric, m in t.metrics.items()],
            stderr=outputs.stdout,
        )
        for task in manifest.tasks:
            own = [sample for sample in samples[manifest.id] if sample.task == task.name]
            for reason in why_unscored(own, task.primary):
                typer.echo(visible(f"unscored: {manifest.candidate.name}: {task.name}: {reason}"), err=True)
            if manifest.status == "incomplete" and (failed := task.errors + task.missing + task.unscored):
                lost = f"{failed} of {task.n} answers are missing, failed or could not be scored"
                typer.echo(visible(f"incomplete: {manifest.candidate.name}: {task.name}: {lost}"), err=True)
        if manifest.status == "incomplete":
            code = EXIT_INCOMPLETE
    return code
