"""A recording: one file or a folder of recorded outputs, of whatever format, joined to the items of a suite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.candidates.recording import recording_files
from harness.engines.recorded.evalscope import EvalScopePredictions, EvalScopeReviews
from harness.engines.recorded.inspect_logs import InspectLog
from harness.engines.recorded.joining import Joiner, Target, TaskItems, check_options_order
from harness.engines.recorded.jsonl import require_whole
from harness.engines.recorded.lmeval import LmEvalSamples
from harness.engines.recorded.opencompass import OpenCompassPredictions
from harness.engines.recorded.own import ExportedRun, OwnForm
from harness.engines.recorded.record import Reader, Record
from harness.engines.recorded.shape import Shape, shape_of
from harness.errors import InputError, did_you_mean
from harness.gold.item import Item
from harness.scorers.likelihoods import OptionLikelihood, OptionLikelihoods, continuations, read_likelihoods
from harness.suites.spec import Task

#: In the order in which they are tried; no file is recognised by two.
READERS: tuple[Reader, ...] = (
    OwnForm(),
    ExportedRun(),
    LmEvalSamples(),
    EvalScopePredictions(),
    EvalScopeReviews(),
    OpenCompassPredictions(),
    InspectLog(),
)

_HALF = "It may be half a file: copy it again."

#: (task, item id, repeat); no task: every task that has the item.
Key = tuple[str | None, str, int]


@dataclass
class Recording:
    """What was answered elsewhere.

    Attributes:
        name: the format.
        answers: `Record.output` is in the form that the task's scorers read.
        summary: what was recognised and how items were found, in words; "" for the project's own form.
        notes: what a reader of the results should know besides.
    """

    name: str
    answers: dict[Key, Record] = field(default_factory=dict)
    summary: str = ""
    notes: tuple[str, ...] = ()

    def find(self, task: str, item_id: str, repeat: int) -> Record | None:
        """The answer of a line that names the task, else of one that names none."""
        return self.answers.get((task, item_id, repeat)) or self.answers.get((None, item_id, repeat))


def load_recording(path: Path, tasks: Sequence[TaskItems]) -> Recording:
    """Read a file, or every recording in a folder, and find the item of each answer.

    A file of a folder none of whose questions is asked belongs to another task and is left out. That is noted, and so
    is an empty one, which may be all that is left of a run.

    Raises:
        InputError: not recognised or broken; answers to items that nobody knows, to two items, or two to one item;
            generated texts where likelihoods are compared, or the other way round.
    """
    reader, files = recognise(path)
    if reader.names_items:
        (file,) = files
        recording = _own(reader, file, tasks)
    else:
        recording = _foreign(reader, files, tasks, path)
    empty = [file.name for file in recording_files(path) if not file.stat().st_size]
    if empty:
        recording.notes += (f"empty: {_listed(empty)}",)
    return recording


def recognise(path: Path) -> tuple[Reader, list[Path]]:
    """The format of a recording and the files that hold it.

    Raises:
        InputError: nothing is recognised, a folder holds recordings of several formats, or a file is damaged.
    """
    if not path.exists():
        raise InputError("no such file or folder", where=str(path))
    if path.is_file():
        shape = shape_of(path)
        reader = _reader_of(shape)
        if reader is None:
            raise _unrecognised(shape)
        return reader, [path]
    found: dict[str, tuple[Reader, list[Path]]] = {}
    for file in recording_files(path):
        shape = shape_of(file)
        reader = _reader_of(shape)
        if reader is not None:
            found.setdefault(reader.name, (reader, []))[1].append(file)
        elif shape.broken:  # what else lies in a folder of results is no recording, but this may have been one
            require_whole(file, remedy=_HALF)
    if EvalScopePredictions.name in found:  # reviews are made of the predictions beside them
        found.pop(EvalScopeReviews.name, None)
    if not found:
        raise InputError("holds no recorded outputs", where=str(path), remedy=_known())
    if len(found) > 1:
        raise InputError(
            f"holds recordings of several formats ({', '.join(found)})",
            where=str(path),
            remedy="Give the folder or the file of one of them.",
        )
    ((reader, files),) = found.values()
    if reader.names_items and len(files) > 1:
        raise InputError(
            f"holds {len(files)} files with {reader.name} ({files[0].name}, {files[1].name}, …)",
            where=str(path),
            remedy="Give one of them.",
        )
    return reader, files


def _reader_of(shape: Shape) -> Reader | None:
    return next((reader for reader in READERS if reader.recognises(shape)), None)


def _unrecognised(shape: Shape) -> InputError:
    where = str(shape.path)
    if shape.empty:
        return InputError("holds no outputs", where=where, remedy=_known())
    if shape.broken:
        require_whole(shape.path, remedy=_HALF)
    held = ", ".join(sorted(shape.keys or shape.members)[:6])
    return InputError(
        f"is no recording of a known format (it {f'holds {held}' if held else 'does not begin with an object'})",
        where=where,
        remedy=_known(),
    )


def _known() -> str:
    names = ", ".join(reader.name for reader in READERS[1:])
    return f'Known: lines of {{"item_id": …, "output": …}}, {names}.'


def _own(reader: Reader, file: Path, tasks: Sequence[TaskItems]) -> Recording:
    known: dict[str, dict[str, Item]] = {t.task.name: {i.id: i for i in t.goldset.items} for t in tasks}
    weighed = {t.task.name for t in tasks if t.task.answer == "loglikelihood"}
    recording = Recording(reader.name)
    strangers: list[Record] = []
    for record in reader.read(file):
        assert record.item_id is not None
        named = [record.task] if record.task is not None else list(known)
        places = [task for task in named if record.item_id in known.get(task, ())]
        _keep(recording, (record.task, record.item_id, record.repeat), record)
        if not places:
            strangers.append(record)
        elif record.finish_reason != "error" and not any(
            (task in weighed) == (read_likelihoods(record.output) is not None) for task in places
        ):
            raise _other_kind(record, places[0], likelihoods=places[0] not in weighed)
    if not recording.answers:
        raise InputError("holds no outputs", where=str(file), remedy=_known())
    if strangers:
        raise _unknown(strangers, known)
    return recording


def _unknown(strangers: Sequence[Record], known: Mapping[str, Collection[str]]) -> InputError:
    first = strangers[0]
    more = f" ({len(strangers)} such lines)" if len(strangers) > 1 else ""
    if first.task is not None and first.task not in known:
        return InputError(
            f"unknown task {first.task!r}{more}", where=first.where, remedy=did_you_mean(first.task, known)
        )
    ids = known[first.task] if first.task is not None else set().union(*known.values())
    where = f" in task {first.task!r}" if first.task is not None else ""
    assert first.item_id is not None
    return InputError(
        f"unknown item id {first.item_id!r}{where}{more}", where=first.where, remedy=did_you_mean(first.item_id, ids)
    )


def _foreign(reader: Reader, files: Sequence[Path], tasks: Sequence[TaskItems], path: Path) -> Recording:
    joiner = Joiner(tasks)
    recording = Recording(reader.name)
    count: Counter[str] = Counter()
    left_out: list[str] = []
    for file in files:
        joined, strangers, first = 0, 0, None
        for record in reader.read(file):
            targets = joiner.join(record)
            if not targets:
                strangers, first = strangers + 1, first or record
                continue
            joined += 1
            count["id" if record.item_id == targets[0].item.id else "question"] += 1
            for target in _of_kind(record, targets):
                _keep(recording, (target.task.name, target.item.id, record.repeat), _fitted(record, target))
        if first is not None and (joined or file == path):
            raise InputError(
                f"{strangers} of {joined + strangers} answers belong to no item of the suite; the first asks "
                f"{_short(first.question or first.prompt)}",
                where=first.where,
                remedy="Use the gold set that was asked (items are found by their id or the text of their question).",
            )
        if not joined:
            left_out.append(file.name)
    if not recording.answers:
        raise InputError("holds no answer to an item of the suite", where=str(path), remedy="Use the gold set asked.")
    used = len(files) - len(left_out)
    found = " and ".join(f"{how} ({number})" for how, number in sorted(count.items()))
    recording.summary = f"{reader.name}, {count.total()} answers in {used} file{'s' * (used > 1)}, found by {found}"
    if left_out:
        recording.notes = (f"left out, since the suite asks nothing of them: {_listed(left_out)}",)
    return recording


def _of_kind(record: Record, targets: Sequence[Target]) -> Iterator[Target]:
    """The targets whose task reads what was recorded, a text or likelihoods."""
    weighed = bool(record.options)
    fitting = [target for target in targets if (target.task.answer == "loglikelihood") == weighed]
    if not fitting and record.finish_reason != "error":
        raise _other_kind(record, targets[0].task.name, likelihoods=weighed)
    return iter(fitting or targets)


def _other_kind(record: Record, task: str, *, likelihoods: bool) -> InputError:
    kinds = ("a generated text", "the likelihoods of options")
    return InputError(
        f"holds {kinds[likelihoods]}, but task {task!r} is answered by {kinds[not likelihoods]}",
        where=record.where,
        remedy="Use a task with 'answer: loglikelihood' and {choice: {method: loglikelihood}}."
        if likelihoods
        else "Use a task with 'answer: generate' and a scorer of texts, such as choice.",
    )


def _fitted(record: Record, target: Target) -> Record:
    """The record as the scorers of `target` read it; without what served to join it."""
    check_options_order(record, target)
    weighed = record.options and record.finish_reason != "error"
    output = _likelihoods(record, target.task, target.item) if weighed else record.output
    return Record(
        record.where,
        output,
        target.item.id,
        target.task.name,
        record.repeat,
        finish_reason=record.finish_reason,
        error=record.error,
        prompt_tokens=record.prompt_tokens,
        completion_tokens=record.completion_tokens,
        latency=record.latency,
    )


def _likelihoods(record: Record, task: Task, item: Item) -> str:
    """The recorded options in the item's order.

    Raises:
        InputError: they are not the ones that the task compares.
    """
    (reads,) = task.reads
    wanted = continuations(item, reads)
    given = {option.text: option for option in record.options}
    if len(given) != len(record.options) or set(given) != set(wanted):
        raise InputError(
            f"holds the likelihoods of {_short(', '.join(given))}, task {task.name!r} compares "
            f"{_short(', '.join(wanted))}",
            where=record.where,
            remedy="Options: 'letter' or 'text' in {choice: {method: loglikelihood, options: …}}.",
        )
    return OptionLikelihoods(
        options=tuple(OptionLikelihood(text=text, logprob=given[text].logprob, tokens=None) for text in wanted)
    ).to_json()


def _keep(recording: Recording, key: Key, record: Record) -> None:
    before = recording.answers.setdefault(key, record)
    if before is not record:
        task, item_id, repeat = key
        of_task = f" of task {task!r}" if task is not None else ""
        repeated = f", repeat {repeat}" if repeat else ""
        raise InputError(
            f"item {item_id!r}{of_task}{repeated} is answered here and at {before.where}",
            where=record.where,
            remedy='Keep one of them, or tell them apart by "task" or "repeat".'
            if recording.name == OwnForm.name
            else "Give the file or the folder of one run of one model.",
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _short(text: str, length: int = 60) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= length else f"{flat[: length - 1]}…")
