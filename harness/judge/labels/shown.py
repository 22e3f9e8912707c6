"""What an annotator sees of a stored draw: its rows with their texts, and how to label them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.comparison.results import Comparison
from harness.errors import InputError
from harness.gold.item import Item
from harness.judge.labels.drawing import Draw, read_draw
from harness.judge.labels.sheet import Sheet, sheet_of
from harness.judge.pairs import pairs_of
from harness.judge.rubrics import load_rubric
from harness.runs.files import RunStore


@dataclass(frozen=True)
class ShownRows:
    """What stands on the sheet of a draw.

    Attributes:
        items: the item of each row, for what no sheet can hold: its pictures.
    """

    sheet: Sheet
    items: tuple[Item, ...]


def open_draw(store: RunStore, draw_id: str) -> Draw:
    """A draw of the store.

    Raises:
        InputError: there is none, or it was changed.
    """
    return read_draw(store.read_document("draw", draw_id), draw_id)


def shown_rows(
    draw: Draw,
    comparison: Comparison,
    store: RunStore,
    *,
    overrides: Mapping[str, str],
    folder: Path | None,
    language: str,
) -> ShownRows:
    """The rows of a draw; only the answers that were drawn are read.

    Args:
        comparison: whose answers were drawn.
        overrides: gold set name -> local copy.
        folder: where gold sets and rubrics are looked up.

    Raises:
        InputError: a run, a question or the rubric is gone, or has changed since.
    """
    rubric = load_rubric(draw.rubric, folder=folder) if draw.rubric is not None else None
    if rubric is not None and rubric.digest != draw.rubric_digest:
        raise InputError(
            f"the rubric {draw.rubric!r} has changed since", where=draw.id, remedy="Draw again with the new one."
        )
    pairs = pairs_of(
        comparison,
        store,
        candidate=draw.candidate,
        tasks=tuple(dict.fromkeys(item.task for item in draw.items)),
        items={row.item_id for row in draw.rows},
        overrides=overrides,
        folder=folder,
    )
    known = {(pair.task, pair.item.id): pair.item for pair in pairs.pairs}
    gone = [row for row in draw.rows if (row.task, row.item_id) not in known]
    if gone:
        raise InputError(
            f"{len(gone)} of {len(draw.rows)} rows cannot be shown: their questions have changed or are gone",
            where=f"{draw.id}: {gone[0].task}: item {gone[0].item_id!r}",
            remedy="Give the gold set that was asked: --goldset NAME=PATH.",
        )
    items = tuple(known[row.task, row.item_id] for row in draw.rows)
    return ShownRows(sheet_of(draw, pairs, rubric, language), items)
