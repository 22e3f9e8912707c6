"""`harness goldset list|show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.errors import EXIT_OK

if TYPE_CHECKING:
    from pathlib import Path

    from harness.gold.card import Card

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
            rows.append([name, "", "", "", f"broken: {error}"])
            continue
        if card is None:
            rows.append([name, "", "here", "", "has no card"])
        else:
            rows.append([name, str(card.items or ""), _where(path, card), ", ".join(card.languages), card.purpose])
    print_table(("gold set", "items", "items are", "languages", "purpose"), rows, cell=160)
    return EXIT_OK


def _card_facts(card: Card) -> list[tuple[str, str]]:
    facts = [("purpose", card.purpose), ("authorship", card.authorship), ("licence", card.licence)]
    return facts + ([("notes", card.notes)] if card.notes else [])


def _where(path: Path, card: Card) -> str:
    """Where the items of a listed set are; `path` is the set's file, or its card where the items are not stored."""
    if path.suffix == ".jsonl":
        return "here"
    return "on a hub" if card.source is not None else "not here: needs a copy"


def show(
    name: Name,
    count: Annotated[int, typer.Option("--count", metavar="N", help="Items shown.", min=0)] = 3,
    goldset: options.Goldsets = None,
) -> int:
    """The card of a gold set and its first items; the card alone where the items are not on this machine."""
    from harness.cli.tables import print_facts, print_table
    from harness.gold.card import Card
    from harness.gold.choices import listed
    from harness.gold.goldset import list_goldsets, load_goldset
    from harness.gold.sources import NotHere
    from harness.report.check_terminal import topic_table
    from harness.report.check_words import CHECK_EN
    from harness.validation import read_yaml

    try:
        found = load_goldset(name, overrides=options.goldset_copies(goldset))
    except NotHere as error:
        path = list_goldsets().get(name)
        if path is None:
            raise
        card = read_yaml(path, Card)
        facts = [("gold set", name), ("file", str(path)), ("items", f"not here ({card.items or 'number unknown'})")]
        print_facts([*facts, *_card_facts(card), ("to do", str(error))])
        return EXIT_OK
    facts = [("gold set", found.name), ("file", str(found.path)), ("items", str(len(found.items)))]
    facts.append(("digest", found.digest))
    if found.card is not None:
        facts += _card_facts(found.card)
    print_facts([*facts, *(("warning", warning) for warning in found.warnings)])
    columns, rows = topic_table(found.counts(), CHECK_EN)
    print_table(columns, rows)
    if count:
        items = [[item.id, f"{item.text} {listed(item)}", " / ".join(item.answer)] for item in found.items[:count]]
        print_table(("id", "question", "answer"), items, cell=200)
    return EXIT_OK
