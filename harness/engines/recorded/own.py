"""The project's own form, the contract of `replay:`: one `{"item_id": …, "output": …}` a line.

Optional: `task`, `finish_reason` ("stop", "length" or "error") and `repeat` (0 when absent).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from harness.engines.base import FinishReason
from harness.engines.recorded.jsonl import json_objects
from harness.engines.recorded.record import Record
from harness.engines.recorded.shape import Shape
from harness.errors import MISSING, InputError, did_you_mean

_KEYS = frozenset({"item_id", "output", "task", "finish_reason", "repeat"})
_REASONS = get_args(FinishReason)  # searched with `in`, whatever a line holds: a list has no hash


class OwnForm:
    """Lines with `item_id` and `output`."""

    name = "item_id and output"
    names_items = True

    def recognises(self, shape: Shape) -> bool:
        """True where the first line has one of the two keys: the other may be misspelt."""
        return bool(shape.keys & {"item_id", "output"}) and len(shape.keys) <= len(_KEYS)

    def read(self, path: Path) -> Iterator[Record]:
        """See `Reader.read`."""
        for where, value in json_objects(path, remedy='Write one object a line: {"item_id": …, "output": …}.'):
            yield _record(value, where)


def _record(value: dict[str, Any], where: str) -> Record:
    for key in value.keys() - _KEYS:
        raise InputError(f"unknown key {key!r}", where=where, remedy=did_you_mean(key, _KEYS))
    item_id, output = value.get("item_id"), value.get("output")
    task, repeat = value.get("task"), value.get("repeat", 0)
    reason: Any = value.get("finish_reason") or "stop"
    if isinstance(item_id, int) and not isinstance(item_id, bool):
        item_id = str(item_id)
    if not isinstance(item_id, str) or not item_id:
        raise InputError('"item_id" must be a text', where=where)
    if output is None and reason == "error":
        output = ""
    if not isinstance(output, str):
        raise InputError('"output" must be a text', where=where)
    if task is not None and not isinstance(task, str):
        raise InputError('"task" must be a text', where=where)
    if not isinstance(repeat, int) or isinstance(repeat, bool) or repeat < 0:
        raise InputError('"repeat" must be a whole number from 0', where=where)
    if reason not in _REASONS:
        raise InputError(
            f"unknown finish_reason {reason!r}", where=where, remedy=did_you_mean(str(reason), sorted(_REASONS))
        )
    error = "recorded as an error" if reason == "error" else ""
    return Record(where, output, item_id, task, repeat, finish_reason=reason, error=error)


class ExportedRun:
    """What `harness runs export` writes: `item_id`, `output`, counts, and scores, which are made anew."""

    name = "exported run"
    names_items = True

    def recognises(self, shape: Shape) -> bool:
        """True for lines that also have the digest of the item."""
        return {"item_id", "output", "item_digest", "completion_tokens"} <= shape.keys

    def read(self, path: Path) -> Iterator[Record]:
        """See `Reader.read`. What was missing from that run is missing again."""
        for where, value in json_objects(path, remedy="Export the run again."):
            row = _record({key: value[key] for key in _KEYS if key in value}, where)
            error = value.get("error") or ""
            if not isinstance(error, str):
                raise InputError('"error" must be a text', where=where)
            if error == MISSING:
                continue
            yield replace(
                row,
                error=error or row.error,
                prompt_tokens=value.get("prompt_tokens") or 0,
                completion_tokens=value.get("completion_tokens") or 0,
                latency=value.get("latency") or 0.0,
            )
