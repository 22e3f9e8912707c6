"""`harness goldset split`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import EXIT_OK

if TYPE_CHECKING:
    from harness.gold.split import Split
    from harness.gold.split_files import Divisible

Source = Annotated[str, typer.Argument(metavar="SRC", help="A gold set, or a training file of any kind.")]
Gold = Annotated[int, typer.Option("--gold", help="Items for the gold part.", metavar="N")]
GoldOut = Annotated[
    Path | None, typer.Option("--gold-out", help="Gold part [default: NAME-gold.jsonl].", metavar="FILE")
]
TrainOut = Annotated[
    Path | None, typer.Option("--train-out", help="Training part [default: NAME-train.jsonl].", metavar="FILE")
]
By = Annotated[
    str | None,
    typer.Option("--by", help="Labels to balance by [default: topic,difficulty where given].", metavar="KEY,KEY"),
]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", help="Which columns make an item, as in goldset import.", metavar="TARGET=COLUMN"),
]
Seed = Annotated[int, typer.Option("--seed", help="Another seed, another draw.")]
Near = Annotated[float, typer.Option("--near", help="Jaccard index from which on two questions are near duplicates.")]
Replace = Annotated[bool, typer.Option("--replace", help="Overwrite files of these names.")]


def split(
    source: Source,
    gold: Gold,
    gold_out: GoldOut = None,
    train_out: TrainOut = None,
    by: By = None,
    map: Map = None,
    seed: Seed = 0,
    near: Near = 0.7,
    replace: Replace = False,
) -> int:
    """Take a gold part out of a file, in proportion; near duplicates and clusters never end up on both sides.

    Exit codes: 0 both parts and their cards are written; 2 bad input, nothing is written.
    """
    from harness.cli.map_option import parse_map
    from harness.errors import InputError
    from harness.gold.split import split_items
    from harness.gold.split_files import read_divisible, write_parts

    if not 0.5 <= near <= 1.0:
        raise InputError(f"must lie between 0.5 and 1, not {near:g}", where="--near", remedy="0.7 is usual.")
    divided = read_divisible(source, parse_map(map) if map else None)
    keys = [key.strip() for key in by.split(",") if key.strip()] if by is not None else None
    drawn = split_items(divided.items, gold, by=keys, labels=divided.labels, seed=seed, threshold=near)
    gold_path = gold_out or Path(f"{divided.path.stem}-gold.jsonl")
    train_path = train_out or Path(f"{divided.path.stem}-train.jsonl")
    told = (
        f"Drawn by harness goldset split: {gold} asked for, balanced by {', '.join(drawn.by) or 'nothing'}, "
        f"seed {seed}, near duplicates from a Jaccard index of {near:g} on kept together."
    )
    write_parts(divided, drawn, gold_path, train_path, told=told, replace=replace)
    _tell(divided, drawn, gold, gold_path, train_path)
    return EXIT_OK


def _tell(divided: Divisible, drawn: Split, asked: int, gold: Path, train: Path) -> None:
    from harness.cli.tables import print_facts, print_table

    shown = f"{len(drawn.gold):,} items" + (f" ({asked:,} asked for)" if len(drawn.gold) != asked else "")
    kept = f"{len(drawn.clusters):,} clusters of {sum(drawn.clusters):,} items stay whole"
    facts = [
        ("source", f"{divided.path}: {len(divided.items):,} items"),
        ("gold", f"{gold}: {shown}"),
        ("train", f"{train}: {_train_rows(divided, drawn):,} rows"),
        ("together", f"{kept}, the largest {drawn.clusters[0]}" if drawn.clusters else "no two items are alike"),
        ("balanced by", ", ".join(drawn.by) or "nothing: no item has a topic or a difficulty (--by names others)"),
    ]
    if repeated := sum(len(divided.rows[at]) - 1 for at in drawn.gold) if divided.rows else 0:
        facts.append(("in neither", f"{repeated:,} rows that repeat a gold item word for word"))
    if divided.left_out:
        facts.append(("no items", f"{len(divided.left_out):,} rows without question or answer went to the train part"))
    facts += [("warning", warning) for warning in divided.warnings]
    if not drawn.complete:
        facts.append(("warning", "the items are so alike that not every pair could be compared: give them clusters"))
    print_facts(facts)
    if drawn.by and (off := drawn.unbalanced):
        rows = [
            [*part.labels, str(part.items), str(part.wanted), str(part.gold)]
            for part in sorted(off, key=lambda part: (-abs(part.gold - part.wanted), part.labels))[:20]
        ]
        print_facts([("not balanced", f"{len(off)} of {len(drawn.strata)}: too small, or clusters in the way")])
        print_table((*drawn.by, "items", "wanted", "gold"), rows)


def _train_rows(divided: Divisible, drawn: Split) -> int:
    rows = sum(len(divided.rows[at]) for at in drawn.train) if divided.rows else len(drawn.train)
    return rows + len(divided.left_out)
