"""A comparison, made now or earlier, as everything that was asked for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from harness.cli.console import open_console
from harness.cli.outputs import Outputs
from harness.report.words import Language, words

if TYPE_CHECKING:
    from harness.report.view import View


def report(view: View, outputs: Outputs, language: Language, json: str) -> None:
    """Write the files, then print the report: on stdout, or on stderr when a file is stdout."""
    texts = words(language)
    outputs.write("--json", json)
    if "--markdown" in outputs.files:
        from harness.report.markdown import render_markdown

        outputs.write("--markdown", render_markdown(view, texts))
    if "--html" in outputs.files:
        from harness.report.html import render_html

        outputs.write("--html", render_html(view, language))
    if "--junit" in outputs.files:
        from harness.report.junit import render_junit

        outputs.write("--junit", render_junit(view, texts))
    from harness.report.terminal import print_report

    print_report(open_console(stderr=outputs.stdout), view, texts)


def complain_of_gaps(view: View) -> None:
    """On stderr: which tasks of which candidates are not complete."""
    from harness.comparison.gate import incomplete

    for compared in view.comparison.comparisons:
        for reason in incomplete(compared.results):
            print(f"incomplete: {compared.candidate}: {reason}", file=sys.stderr)
