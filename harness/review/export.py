"""A selection of items as CSV. No cell of it can be run as a formula by a spreadsheet."""

from __future__ import annotations

import csv
import io

from harness.report.untrusted import spreadsheet
from harness.review.answers import answers_of
from harness.review.contests import Contest
from harness.review.gold import gold_of
from harness.review.items import Side, item_views
from harness.review.pairs import ItemFilter, Paired
from harness.review.store import ReviewStore

#: Items of one file.
MOST_ROWS = 5_000
#: Characters of one cell; Excel takes no more.
_CELL = 32_000

_COLUMNS = (
    "task", "item_id", "change", "base", "candidate", "base_score", "candidate_score", "question", "gold",
    "base_answer", "candidate_answer", "base_finish", "candidate_finish",
)  # fmt: skip


def selection_csv(store: ReviewStore, contest: Contest, paired: Paired, wanted: ItemFilter) -> bytes:
    """The first `MOST_ROWS` items that pass a filter, as UTF-8 with a byte order mark, which Excel needs.

    Raises:
        InputError: a run cannot be read.
    """
    catalog = store.catalog()
    runs = [catalog.runs[run] for run in (paired.base, paired.candidate)]
    items = store.pairs.page(paired, wanted, offset=0, limit=MOST_ROWS).items
    ids = [item.item_id for item in items]
    base, candidate = (answers_of(store.query, run, paired.task, ids, longest=_CELL) for run in runs)
    record = next((task for task in runs[0].tasks if task.name == paired.task), None)
    gold = gold_of(record, items, store.gold) if record is not None else {}
    sides = Side(contest.base, base), Side(contest.candidate, candidate)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    views = item_views(items, paired.metric, sides[0], sides[1:], kind=wanted.kind, gold=gold, judged={})
    for view in views:
        ours, theirs = view.sides
        cells: list[object] = [
            paired.task, view.item_id, view.tone, ours.name, theirs.name, ours.score, theirs.score,
            view.gold.question if view.gold else view.prompt, " / ".join(view.gold.answer) if view.gold else "",
            *(side.answer.output if side.answer else "" for side in view.sides),
            *(side.answer.finish_reason if side.answer else "" for side in view.sides),
        ]  # fmt: skip
        writer.writerow([spreadsheet(cell) if isinstance(cell, str) else cell for cell in cells])
    return b"\xef\xbb\xbf" + out.getvalue().encode()
