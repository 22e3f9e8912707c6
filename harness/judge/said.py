"""What judges wrote, in their own words: kept beside a judging, so that people can read why.

A judging holds what the words came to. The words themselves lie in the completion store under keys that only the
judge's own model can work out again; a reader of the store has `said.parquet`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from harness.judge.asking import JudgeOutputs
from harness.judge.pairs import Pairs

FILE_NAME = "said.parquet"


@dataclass(frozen=True, slots=True)
class Saying:
    """One text of one judge.

    Attributes:
        side: of a pair, whose answer was shown first; of a grade, whose answer was graded.
        judge: position among the judging's judges.
        text: "" where the judge failed.
    """

    task: str
    item_id: str
    side: str
    judge: int
    repeat: int
    text: str


def sayings(pairs: Pairs, said: JudgeOutputs) -> Iterator[Saying]:
    """Everything the judges wrote; questions are called `position of the pair:side`."""
    for judge, texts in enumerate(said.texts):
        for key, repeats in texts.items():
            number, _, side = key.partition(":")
            pair = pairs.pairs[int(number)]
            for repeat, text in enumerate(repeats):
                yield Saying(pair.task, pair.item.id, side, judge, repeat, text)


def said_parquet(pairs: Pairs, said: JudgeOutputs) -> bytes:
    """The file: one row a text, with the columns of `Saying`."""
    import pyarrow.parquet as pq

    from harness.runs.parquet import table_of

    rows = list(sayings(pairs, said))
    texts = {name: [getattr(row, name) for row in rows] for name in ("task", "item_id", "side", "text")}
    numbers = {name: [getattr(row, name) for row in rows] for name in ("judge", "repeat")}
    out = io.BytesIO()
    pq.write_table(table_of(texts, numbers), out, compression="zstd")
    return out.getvalue()
