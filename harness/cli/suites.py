"""`harness suites list|show`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.errors import EXIT_OK, InputError


def list_() -> int:
    """Suites that can be named."""
    from harness.cli.tables import print_table
    from harness.suites.spec import list_suites, load_suite

    rows = []
    for name, path in list_suites().items():
        try:
            suite, _ = load_suite(path)
        except InputError as error:
            rows.append([name, "", f"broken: {error}"])
            continue
        rows.append([name, ", ".join(f"{t.name} ({t.role})" for t in suite.tasks), suite.description])
    print_table(("suite", "tasks", "what it asks"), rows, cell=200)
    return EXIT_OK


def show(name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A suite.")]) -> int:
    """The tasks of a suite."""
    from harness.cli.tables import print_facts, print_table
    from harness.suites.spec import load_suite

    suite, _ = load_suite(name)
    print_facts([("suite", suite.name), ("about", suite.description), ("digest", suite.digest)])
    print_table(
        ("task", "role", "must", "gold set", "primary", "margin", "slices"),
        [
            [
                t.name,
                f"{t.role}, optional" if t.optional else t.role,
                t.must,
                t.goldset,
                t.primary,
                f"{100 * t.margin:g} points",
                ", ".join(t.slices),
            ]
            for t in suite.tasks
        ],
    )
    return EXIT_OK
