"""`harness score`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from harness.cli import options
from harness.errors import EXIT_INCOMPLETE, EXIT_OK, InputError, did_you_mean

_TASK = "score"


@options.asks(without={"goldset"})
def score(
    candidate: Annotated[str, typer.Argument(metavar="CANDIDATE", help="As for compare.")],
    goldset: Annotated[str, typer.Option("--goldset", metavar="NAME|FILE", help="A gold set.")],
    scorer: Annotated[str, typer.Option("--scorer", metavar="NAME", help="How answers are scored.")],
    asking: options.Asking,
    option: Annotated[
        list[str] | None, typer.Option("--option", metavar="KEY=VALUE", help="An option of the scorer; repeatable.")
    ] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", metavar="NAME", help="Which of its metrics [default: the first].")
    ] = None,
    json: options.Json = None,
    max_error_rate: Annotated[
        float, typer.Option("--max-error-rate", help="Share of failed answers that is still complete.")
    ] = 0.01,
) -> int:
    """Score one candidate on one gold set, for instance outputs that were recorded elsewhere (replay:PATH).

    Exit codes: 0 done; 2 wrong input; 3 more answers failed than --max-error-rate allows.
    """
    from harness.cli.outputs import Outputs, quiet_stdout

    outputs = Outputs.of(json=json)
    from harness.scorers.base import reads, reads_likelihoods
    from harness.scorers.registry import make_scorer
    from harness.suites.spec import Suite, Task

    spec: dict[str, dict[str, Any]] = {scorer: _values(option)}
    made = make_scorer(spec)
    metrics = made.metrics
    if metric is not None and metric not in metrics:
        raise InputError(f"{scorer} has no metric {metric!r}", where="--metric", remedy=did_you_mean(metric, metrics))
    primary = metric or metrics[0]
    if not 0.0 <= max_error_rate <= 1.0:
        raise InputError(f"must lie between 0 and 1, not {max_error_rate:g}", where="--max-error-rate")
    task = Task(
        name=_TASK,
        role="target",
        goldset=goldset,
        answer="loglikelihood" if reads_likelihoods(reads(made)) else "generate",
        scorers=(spec,),
        primary=primary,
        max_error_rate=max_error_rate,
    )
    request = asking.request([candidate], Suite(name=_TASK, tasks=(task,)))
    from harness import api
    from harness.cli.asking import progress
    from harness.cli.summary import measure, why_unscored
    from harness.cli.tables import print_scores
    from harness.report.untrusted import visible

    with quiet_stdout(outputs.stdout), progress(asking.language) as shown:
        manifests, samples = api.run(request, shown)
    manifest = manifests[0]
    measured = measure(samples[manifest.id], primary, manifest.tasks[0], asking.alpha)
    outputs.write("--json", measured.model_dump_json() + "\n")
    print_scores(manifest, [(task.goldset, primary, measured)], stderr=outputs.stdout)
    for reason in why_unscored(samples[manifest.id], primary):
        typer.echo(visible(f"unscored: {goldset}: {reason}"), err=True)
    if measured.failed > max_error_rate * (measured.n + measured.failed):
        complain(goldset, measured.failed, measured.n + measured.failed)
        return EXIT_INCOMPLETE
    return EXIT_OK


def complain(task: str, failed: int, asked: int) -> None:
    """Say on stderr what is missing."""
    typer.echo(f"incomplete: {task}: {failed} of {asked} answers are missing, failed or could not be scored", err=True)


def _values(given: list[str] | None) -> dict[str, Any]:
    """`--option KEY=VALUE`, the value read as YAML (true, 0.01, text)."""
    import yaml

    found: dict[str, Any] = {}
    for text in given or ():
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise InputError(f"{text!r} is not KEY=VALUE", where="--option")
        try:
            found[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            found[key] = value
    return found
