"""Recorded outputs as an engine: answers made elsewhere are scored and compared like any others.

The format is the contract of `replay:FILE.jsonl`: one `{"item_id": …, "output": …}` a line, with optional `task`,
`finish_reason` ("stop", "length" or "error") and `repeat` (0 when absent).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from harness.digest import digest_file
from harness.engines.base import Completion, Continuation, FinishReason, Request
from harness.errors import MISSING, HarnessError, InputError, did_you_mean
from harness.scorers.likelihoods import read_likelihoods

_KEYS = frozenset({"item_id", "output", "task", "finish_reason", "repeat"})
_REASONS = frozenset(get_args(FinishReason))


@dataclass(frozen=True, slots=True)
class Recorded:
    """One line of a recording; `task` is None where the line names none and so stands for every task."""

    item_id: str
    task: str | None
    repeat: int
    output: str
    finish_reason: FinishReason
    line: int


class ReplayEngine:
    """The engine of a recording.

    A line that names a task answers that task only and goes before one that names none.

    Args:
        path: a JSONL file in UTF-8.

    Raises:
        InputError: no such file, a broken line, or two lines for the same task, item and repeat; names file and line.
    """

    name = "replay"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._records = _read(path)
        self.version = f"1 ({path.name}, sha256 {digest_file(path)[:12]})"

    def __len__(self) -> int:
        return len(self._records)

    def unknown(self, known: Mapping[str, Collection[str]]) -> list[Recorded]:
        """Lines that belong to no item of the plan, in the file's order.

        Args:
            known: item ids by task name.
        """
        everywhere = set().union(*known.values()) if known else set()
        found = []
        for record in self._records.values():
            ids = everywhere if record.task is None else known.get(record.task, ())
            if record.item_id not in ids:
                found.append(record)
        return found

    def require_known(self, known: Mapping[str, Collection[str]]) -> None:
        """Refuse a recording with lines that belong to no item.

        Args:
            known: item ids by task name.

        Raises:
            InputError: names the first such line, the nearest known name and how many there are.
        """
        strangers = self.unknown(known)
        if not strangers:
            return
        first = strangers[0]
        more = f" ({len(strangers)} such lines)" if len(strangers) > 1 else ""
        if first.task is not None and first.task not in known:
            what, remedy = f"unknown task {first.task!r}{more}", did_you_mean(first.task, known)
        else:
            ids = known[first.task] if first.task is not None else set().union(*known.values()) if known else set()
            where = f" in task {first.task!r}" if first.task is not None else ""
            what, remedy = f"unknown item id {first.item_id!r}{where}{more}", did_you_mean(first.item_id, ids)
        raise InputError(what, where=f"{self.path}:{first.line}", remedy=remedy)

    def require_kind(self, known: Mapping[str, Collection[str]], weighed: Collection[str]) -> None:
        """Refuse generated texts for a task that compares likelihoods, and the other way round: two rulers.

        Args:
            known: item ids by task name.
            weighed: the tasks whose answers are the likelihoods of options.

        Raises:
            InputError: names the first such line.
        """
        for record in self._records.values():
            tasks = [record.task] if record.task else [task for task, ids in known.items() if record.item_id in ids]
            if record.finish_reason == "error" or not tasks:
                continue
            found, wanted = read_likelihoods(record.output) is not None, tasks[0] in weighed
            if found != wanted:
                kinds = ("a generated text", "the likelihoods of options")
                raise InputError(
                    f"holds {kinds[found]}, but task {tasks[0]!r} is answered by {kinds[wanted]}",
                    where=f"{self.path}:{record.line}",
                    remedy="Use a task with 'answer: generate' and a scorer of texts, such as choice."
                    if wanted
                    else "Use a task with 'answer: loglikelihood' and {choice: {method: loglikelihood}}.",
                )

    def generate(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        """See `Engine.generate`: everything comes at once. What is not recorded is an error completion, `MISSING`."""
        if requests:
            yield [self._completion(request) for request in requests]

    def _completion(self, request: Request) -> Completion:
        record = self._records.get((request.task, request.item_id, request.repeat))
        record = record or self._records.get((None, request.item_id, request.repeat))
        if record is None:
            return Completion(request.key, "", "error", 0, 0, 0.0, MISSING)
        error = "recorded as an error" if record.finish_reason == "error" else ""
        return Completion(request.key, record.output, record.finish_reason, 0, 0, 0.0, error)

    def logprobs(self, continuations: Sequence[Continuation]) -> list[list[float]]:
        """Not possible.

        Raises:
            HarnessError: always; a recording holds texts, not likelihoods.
        """
        raise HarnessError("recorded outputs have no likelihoods", where=str(self.path), remedy="Use the model itself.")

    def close(self) -> None:
        """Nothing to free."""


def _read(path: Path) -> dict[tuple[str | None, str, int], Recorded]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError("no such file", where=str(path)) from None
    except (UnicodeDecodeError, OSError) as error:
        raise InputError(f"cannot be read as UTF-8 ({error})", where=str(path)) from None
    found: dict[tuple[str | None, str, int], Recorded] = {}
    # Not splitlines(): an output may hold U+2028, which is no line end in JSON.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(
                f"is not valid JSON ({error.msg} at column {error.colno})",
                where=where,
                remedy='Write one object a line: {"item_id": …, "output": …}.',
            ) from None
        record = _record(value, number, where)
        key = (record.task, record.item_id, record.repeat)
        if key in found:
            task = f" of task {record.task!r}" if record.task is not None else ""
            repeat = f", repeat {record.repeat}" if record.repeat else ""
            raise InputError(
                f"item {record.item_id!r}{task}{repeat} stands here and in line {found[key].line}",
                where=where,
                remedy='Keep one of them, or tell them apart by "task" or "repeat".',
            )
        found[key] = record
    return found


def _record(value: Any, number: int, where: str) -> Recorded:
    if not isinstance(value, dict):
        raise InputError('must be an object with "item_id" and "output"', where=where)
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
    return Recorded(item_id, task, repeat, output, reason, number)
