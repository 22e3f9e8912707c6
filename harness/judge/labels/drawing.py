"""Which items people label: drawn at random by a seed that is written down, so that anybody can draw them again.

A judge is corrected by what people say of *all* items, and a sample that somebody chose says that of none: hard items,
or those on which the judge looked wrong, make any judge look as bad as one likes. Who labels sees neither names nor the
order of the gold set: rows are shuffled, and which answer stands first is tossed for each pair.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.digest import digest_json
from harness.errors import InputError
from harness.judge.pairs import ORDERS, Pair, Pairs, check_gold
from harness.judge.results import Mode
from harness.judge.scales import ByRubric, Scale

#: What a pairwise label is a label of.
PREFERENCE = "preference"
PAIR_LABELS = ("A", "B", "tie")
#: What they mean, from one side to the other.
PREFERRED = ("base", "tie", "candidate")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class DrawnItem(_Model):
    """One item that was drawn.

    Attributes:
        identical: both answers are the same; of a pair nobody needs to say anything then.
        slices: what agreement is broken down by.
    """

    task: str
    item_id: str
    identical: bool
    slices: dict[str, str]


class DrawnRow(_Model):
    """One row of the sheet.

    Attributes:
        shown: whose answer it is ("both" where they are the same); of a pair, whose answer is A.
    """

    task: str
    item_id: str
    shown: Literal["base", "candidate", "both"]

    def meant(self, label: str) -> str:
        """A label of this row in the terms of `Draw.meanings`."""
        if label not in ("A", "B"):
            return label
        other = "base" if self.shown == "candidate" else "candidate"
        return self.shown if label == "A" else other


class Draw(_Model):
    """Which items and answers people were given, and which way round.

    Attributes:
        asked: how many items a task were to be drawn.
        measures: what a row is labelled on.
        labels: every label, from the worst to the best where they have an order.
        rows: in the order of the sheet.
    """

    schema_version: Literal[1] = Field(1, alias="schema")
    id: str = ""
    mode: Mode
    comparison: str
    suite: str
    candidate: str
    asked: int
    seed: int
    reference: bool
    rubric: str | None
    rubric_digest: str | None
    measures: tuple[str, ...]
    labels: tuple[str, ...]
    items: tuple[DrawnItem, ...]
    rows: tuple[DrawnRow, ...]

    @property
    def key(self) -> str:
        """What the rows of its sheet begin with."""
        return self.id.rpartition("-")[2]

    def row_name(self, position: int) -> str:
        return f"{self.key}-{position + 1:04d}"

    @property
    def meanings(self) -> tuple[str, ...]:
        """`labels` in terms that do not depend on what was shown first."""
        return PREFERRED if self.mode == "pairwise" else self.labels

    def to_json(self) -> str:
        return self.model_dump_json(by_alias=True, indent=1) + "\n"

    def named(self) -> Draw:
        """With its id, which ends in a digest of everything else."""
        content: dict[str, Any] = self.model_dump(mode="json", exclude={"id"})
        return self.model_copy(update={"id": f"{self.suite}-{self.mode}-{digest_json(content)[:12]}"})


def draw(pairs: Pairs, scale: Scale | None, *, items: int, seed: int, reference: bool) -> Draw:
    """Draw items of each task at random.

    Args:
        scale: what each answer is graded on; None: pairs.
        items: at most so many a task.
        reference: people are shown the gold answer.

    Raises:
        InputError: fewer than two items were asked for, or as `check_gold`.
    """
    if items < 2:
        raise InputError(f"must be at least 2, not {items}", where="--items", remedy="100 is a good start.")
    mode: Mode = "pairwise" if scale is None else scale.mode
    if mode == "reference":
        check_gold(pairs)
    drawn: list[DrawnItem] = []
    rows: list[DrawnRow] = []
    coins = random.Random(f"rows:{mode}:{seed}")
    for task, members in pairs.by_task().items():
        by_id = {pair.item.id: pair for _, pair in members}
        for item_id in drawn_ids(task, list(by_id), items, seed):
            pair = by_id[item_id]
            drawn.append(DrawnItem(task=task, item_id=item_id, identical=pair.identical, slices=_slices(pair)))
            rows += _rows(pair, pairwise=scale is None, coins=coins)
    coins.shuffle(rows)
    rubric = scale.rubric if isinstance(scale, ByRubric) else None
    return Draw(
        mode=mode,
        comparison=pairs.comparison,
        suite=pairs.suite,
        candidate=pairs.candidate,
        asked=items,
        seed=seed,
        reference=mode == "reference" or (reference and pairs.with_gold > 0),
        rubric=rubric.name if rubric else None,
        rubric_digest=rubric.digest if rubric else None,
        measures=(PREFERENCE,) if scale is None else scale.measures,
        labels=PAIR_LABELS if scale is None else scale.labels,
        items=tuple(drawn),
        rows=tuple(rows),
    ).named()


def drawn_ids(task: str, population: Sequence[str], items: int, seed: int) -> list[str]:
    """The items that this seed draws, whatever the order of the population, on any machine."""
    chance = random.Random(f"items:{task}:{seed}")
    return chance.sample(sorted(population), min(items, len(population)))


def read_draw(data: bytes, where: str) -> Draw:
    """A stored draw.

    Raises:
        InputError: it is none, or was changed.
    """
    try:
        found = Draw.model_validate_json(data)
    except ValidationError:
        raise InputError("is not a draw of this tool", where=where) from None
    if found.named().id != found.id:
        raise InputError(
            "was changed after it was drawn: its id is no longer that of its content",
            where=where,
            remedy="Draw again: harness judge label.",
        )
    return found


def _rows(pair: Pair, *, pairwise: bool, coins: random.Random) -> list[DrawnRow]:
    if not pairwise:
        sides = ("both",) if pair.identical else ORDERS
        return [DrawnRow(task=pair.task, item_id=pair.item.id, shown=side) for side in sides]
    first = coins.choice(ORDERS)  # tossed for every pair, so that one that needs no row shifts no other
    return [] if pair.identical else [DrawnRow(task=pair.task, item_id=pair.item.id, shown=first)]


def _slices(pair: Pair) -> dict[str, str]:
    return {"language": pair.item.language, **pair.slices}
