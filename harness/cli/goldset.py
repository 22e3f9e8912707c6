"""`harness goldset list|show|check`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import options
from harness.errors import EXIT_OK

Name = Annotated[str, typer.Argument(metavar="NAME|FILE", help="A gold set.")]


def list_() -> int:
    """Gold sets that can be named."""
    from harness.cli.tables import print_table
    from harness.errors import InputError
    from harness.gold.card import Card
    from harness.gold.goldset import list_goldsets
    from harness.validation import read_yaml

    rows = []
    for name, path in list_goldsets().items():
        card_path = path.with_suffix(".yaml")
        try:
            card = read_yaml(card_path, Card) if card_path.is_file() else None
        except InputError as error:
            rows.append([name, "", "", f"broken: {error}"])
            continue
        if card is None:
            rows.append([name, "", "", "has no card"])
        else:
            rows.append([name, str(card.items or ""), ", ".join(card.languages), card.purpose])
    print_table(("gold set", "items", "languages", "purpose"), rows, cell=160)
    return EXIT_OK


def show(
    name: Name,
    count: Annotated[int, typer.Option("--count", metavar="N", help="Items shown.", min=0)] = 3,
    goldset: options.Goldsets = None,
) -> int:
    """The card of a gold set and its first items."""
    from harness.cli.goldset_check import topic_table
    from harness.cli.tables import print_facts, print_table
    from harness.gold.goldset import load_goldset

    found = load_goldset(name, overrides=options.goldset_copies(goldset))
    facts = [("gold set", found.name), ("file", str(found.path)), ("items", str(len(found.items)))]
    facts.append(("digest", found.digest))
    if found.card is not None:
        card = found.card
        facts += [("purpose", card.purpose), ("authorship", card.authorship), ("licence", card.licence)]
        facts += [("notes", card.notes)] if card.notes else []
    print_facts([*facts, *(("warning", warning) for warning in found.warnings)])
    columns, rows = topic_table(found)
    print_table(columns, rows)
    if count:
        items = [[item.id, item.text, " / ".join(item.answer)] for item in found.items[:count]]
        print_table(("id", "question", "answer"), items, cell=200)
    return EXIT_OK


def check(name: Name, goldset: options.Goldsets = None, json: options.Json = None) -> int:
    """Look for what makes a gold set mislead: duplicates, trivial or leaked answers, too few items.

    Exit codes: 0 read (what was found is printed); 2 the file is broken.
    """
    from harness.cli.goldset_check import check_goldset, topic_table
    from harness.cli.outputs import Outputs
    from harness.cli.tables import print_facts, print_table
    from harness.gold.goldset import load_goldset

    outputs = Outputs.of(json=json)
    found = load_goldset(name, overrides=options.goldset_copies(goldset))
    report = check_goldset(found)
    outputs.write("--json", report.model_dump_json(indent=1) + "\n")
    to_stderr = outputs.stdout
    print_facts([("gold set", found.name), ("items", str(report.items)), ("digest", report.digest)], stderr=to_stderr)
    columns, rows = topic_table(found)
    print_table(columns, rows, stderr=to_stderr)
    print_facts(
        [(f"! {problem.kind}", problem.detail) for problem in report.problems] or [("ok", "nothing was found")],
        stderr=to_stderr,
    )
    print_table(
        ("if the sides disagree on", "these items show a difference of"),
        [
            [f"{w.discordance:.0%} of the items", "none" if w.smallest is None else f"{100 * w.smallest:.1f} points"]
            for w in report.worth
        ],
        stderr=to_stderr,
    )
    return EXIT_OK
