"""`harness gate`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import options


def gate(
    comparison: Annotated[str, typer.Argument(metavar="COMPARISON", help="Its id in the store, or its JSON file.")],
    json: options.Json = None,
    markdown: options.Markdown = None,
    html: options.Html = None,
    junit: options.Junit = None,
    store: options.Store = None,
    demo: options.Demo = False,
    goldset: options.Goldsets = None,
    lang: options.LanguageOption = None,
) -> int:
    """May it be released? Shows a stored comparison and exits with the gate's code.

    Exit codes: 0 passed; 1 failed; 2 wrong input; 3 too many answers failed; 4 inconclusive.
    """
    from harness.cli.outputs import Outputs

    outputs = Outputs.of(json=json, markdown=markdown, html=html, junit=junit)
    from harness.cli.reporting import complain_of_gaps, report
    from harness.cli.stores import open_stored

    found, view = open_stored(comparison, store, demo=demo, goldset=goldset)
    report(view, outputs, options.language(lang), found.to_json())
    complain_of_gaps(view)
    return view.code
