"""EvalScope: `outputs/<time>/predictions/<model>/<data set>_<subset>.jsonl`, and the reviews made of them.

Written by `ModelResult` and `ReviewResult` of evalscope/api/evaluator/cache.py (1.14). `index` is the position of a
sample, and a repeated sample (`repeats`) takes the positions that follow: index // repeats is the question and
index % repeats the repeat (`reindex` in evalscope/api/dataset/dataset.py). Rows stand in the order in which they were
finished.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.digest import digest_json
from harness.engines.base import FinishReason
from harness.engines.recorded.dataset import id_of, text_of
from harness.engines.recorded.jsonl import json_objects
from harness.engines.recorded.record import Record
from harness.engines.recorded.shape import Shape
from harness.errors import InputError

_REMEDY = "Give a file from the folder predictions/ of an EvalScope run (1.0 or later)."

#: Where tools of this family (EvalScope, inspect) say that an answer was cut; every other reason is an end.
CUT = frozenset({"max_tokens", "model_length", "length"})


class EvalScopePredictions:
    """Answers as the model gave them, with counts of tokens and times."""

    name = "EvalScope predictions"
    names_items = False

    def recognises(self, shape: Shape) -> bool:
        """True for rows with a position, turns and the model's output."""
        return {"index", "messages", "model_output"} <= shape.keys

    def read(self, path: Path) -> Iterator[Record]:
        """See `Reader.read`. The file is read twice: how often a sample was repeated shows in the whole of it."""
        repeats = _repeats(path)
        for where, row in json_objects(path, remedy=_REMEDY):
            try:
                yield from _predicted(row, row["index"] % repeats, where)
            except _WRONG as error:
                raise InputError(f"is no prediction of EvalScope ({error!r})", where=where, remedy=_REMEDY) from None


class EvalScopeReviews:
    """Predictions with their scores; only the answers are used."""

    name = "EvalScope reviews"
    names_items = False

    def recognises(self, shape: Shape) -> bool:
        """True for rows with a position, turns and a score."""
        return {"index", "messages", "sample_score"} <= shape.keys

    def read(self, path: Path) -> Iterator[Record]:
        """See `Reader.read`."""
        repeats = _repeats(path)
        for where, row in json_objects(path, remedy=_REMEDY):
            try:
                score = row["sample_score"]
                output, known = score["score"]["prediction"], score.get("sample_metadata")
                if not isinstance(output, str):
                    raise TypeError("prediction")
                yield Record(
                    where, output, id_of(known), path.stem, row["index"] % repeats, prompt=_asked(row["messages"])
                )
            except _WRONG as error:
                raise InputError(f"is no review of EvalScope ({error!r})", where=where, remedy=_REMEDY) from None


_WRONG = (KeyError, IndexError, TypeError, ValueError, AttributeError, StopIteration)


def _predicted(row: Mapping[str, Any], repeat: int, where: str) -> list[Record]:
    common: dict[str, Any] = {
        "item_id": id_of(row.get("metadata")),
        "task": Path(where.rpartition(":")[0]).stem,
        "prompt": _asked(row["messages"]),
    }
    made = row["model_output"]
    error = (made or {}).get("error") or ("" if made and made["choices"] else "no output")
    if error:
        return [Record(where, "", repeat=repeat, finish_reason="error", error=str(error), **common)]
    usage, choices = made.get("usage") or {}, made["choices"]
    return [
        Record(
            where,
            text_of(choice["message"]["content"]),
            repeat=repeat * len(choices) + number,
            finish_reason=finish(choice.get("stop_reason")),
            prompt_tokens=usage.get("input_tokens") or 0,
            completion_tokens=(usage.get("output_tokens") or 0) if len(choices) == 1 else 0,
            latency=made.get("time") or 0.0,
            **common,
        )
        for number, choice in enumerate(choices)
    ]


def finish(reason: str | None) -> FinishReason:
    """A stop reason in our words."""
    return "length" if reason in CUT else "stop"


def _asked(messages: list[Any]) -> str:
    return text_of(next(m["content"] for m in reversed(messages) if m["role"] == "user"))


def _repeats(path: Path) -> int:
    """How often each sample was asked: rows at neighbouring positions that ask the very same thing.

    Raises:
        InputError: a position that stands twice, or rows that ask the same without being such neighbours.
    """
    asked: dict[int, tuple[str, str]] = {}
    for where, row in json_objects(path, remedy=_REMEDY):
        try:
            index, question = row["index"], _asked(row["messages"])
            known = row.get("metadata") or (row.get("sample_score") or {}).get("sample_metadata")
        except _WRONG as error:
            raise InputError(f"is no row of EvalScope ({error!r})", where=where, remedy=_REMEDY) from None
        if not isinstance(index, int) or index < 0:
            raise InputError('"index" must be a whole number from 0', where=where, remedy=_REMEDY)
        if index in asked:
            raise InputError(
                f"index {index} stands here and at {asked[index][1]}",
                where=where,
                remedy="Two runs have been written into one file; keep one of them.",
            )
        asked[index] = (digest_json([question, id_of(known)]), where)
    repeats = run = 1
    for index in sorted(asked):
        run = run + 1 if index - 1 in asked and asked[index - 1][0] == asked[index][0] else 1
        repeats = max(repeats, run)
    if len({(index // repeats, asked[index][0]) for index in asked}) > len({index // repeats for index in asked}):
        repeats = 1  # neighbours by chance: other questions would share a place
    groups: dict[str, tuple[int, str]] = {}
    for index, (question, where) in asked.items():
        group, before = groups.setdefault(question, (index // repeats, where))
        if group != index // repeats:
            raise InputError(
                f"asks what {before} asks, and is no repeat of it",
                where=where,
                remedy="Keep one of the two, or give the data set an 'id' column.",
            )
    return repeats
