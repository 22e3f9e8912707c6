"""`harness compare`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import options
from harness.errors import EXIT_INCOMPLETE, EXIT_OK


@options.asks()
def compare(
    base: Annotated[str, typer.Argument(metavar="BASE", help="The model before fine-tuning.")],
    candidate: Annotated[list[str], typer.Argument(metavar="CANDIDATE...", help="What came out of it.")],
    suite: options.SuiteName,
    asking: options.Asking,
    gate: Annotated[bool, typer.Option("--gate", help="Exit 1 when it must not be released, 4 when unsure.")] = False,
    json: options.Json = None,
    markdown: options.Markdown = None,
    html: options.Html = None,
    junit: options.Junit = None,
) -> int:
    """Ask BASE and every CANDIDATE the suite's questions; say what got better and what got worse.

    A candidate is a name in harness.yaml, a folder (a model or an adapter), hf:ORG/NAME, ms:ORG/NAME,
    openai:MODEL@URL (a server), or replay:PATH (outputs recorded elsewhere). Run it again after a crash: only what is
    missing is generated.

    Exit codes: 0 done; 2 wrong input; 3 too many answers failed; with --gate also 1 failed and 4 inconclusive.
    """
    from harness.cli.outputs import Outputs, quiet_stdout

    outputs = Outputs.of(json=json, markdown=markdown, html=html, junit=junit)
    request = asking.request([base, *candidate], suite)
    from harness import api
    from harness.cli.asking import progress
    from harness.cli.reporting import complain_of_gaps, report
    from harness.report.view import Evidence, build_view

    with quiet_stdout(outputs.stdout), progress(asking.language) as shown:
        outcome = api.compare(request, shown)
    items = {loaded.task.name: loaded.goldset.by_id for loaded in outcome.plan.tasks}
    view = build_view(outcome.comparison, Evidence(outcome.samples, items), outcome.store)
    report(view, outputs, asking.language, outcome.comparison.to_json())
    if outcome.incomplete:
        complain_of_gaps(view)
        return EXIT_INCOMPLETE
    return outcome.gate_code if gate else EXIT_OK
