"""`harness goldset check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.errors import EXIT_GATE_FAILED, EXIT_OK, InputError

if TYPE_CHECKING:
    from harness.gold.checks.finding import Severity

Against = Annotated[
    list[str] | None,
    typer.Option("--against", help="Training data to look for the items in; may be given again.", metavar="FILE"),
]
Near = Annotated[float, typer.Option("--near", help="Jaccard index from which on two questions are near duplicates.")]
Strict = Annotated[bool, typer.Option("--strict", help="Warnings make the exit code 1 too.")]
Html = Annotated[str | None, typer.Option("--html", help="Write a page with every pair side by side.", metavar="FILE")]


def check(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A gold set.")],
    against: Against = None,
    near: Near = 0.7,
    strict: Strict = False,
    goldset: options.Goldsets = None,
    json: options.Json = None,
    html: Html = None,
    lang: options.LanguageOption = None,
) -> int:
    """Look for what makes a gold set mislead: duplicates, contradictions, placeholders, leaks, habits, too few items.

    Exit codes: 0 nothing worse than warnings; 1 errors (with --strict: warnings too); 2 a file is broken.
    """
    from harness.cli.console import open_console
    from harness.cli.outputs import Outputs
    from harness.gold.checks import check_goldset
    from harness.gold.checks.training import TrainingLeaks
    from harness.gold.goldset import load_goldset
    from harness.report.check_terminal import print_check
    from harness.report.check_words import check_words
    from harness.report.worth import with_worth

    if not 0.5 <= near <= 1.0:
        raise InputError(f"must lie between 0.5 and 1, not {near:g}", where="--near", remedy="0.7 is usual.")
    language = options.language(lang)
    outputs = Outputs.of(json=json, html=html)
    found = load_goldset(name, overrides=options.goldset_copies(goldset))
    also = [TrainingLeaks(against)] if against else []
    report = with_worth(check_goldset(found, also=also, threshold=near))
    if json is not None:
        outputs.write("--json", report.model_dump_json(indent=1) + "\n")
    if html is not None:
        from harness.report.check_html import render_check

        outputs.write("--html", render_check(report, language))
    print_check(open_console(stderr=outputs.stdout), report, check_words(language))
    bad: tuple[Severity, ...] = ("error", "warning") if strict else ("error",)
    return EXIT_GATE_FAILED if any(report.tally()[severity] for severity in bad) else EXIT_OK
