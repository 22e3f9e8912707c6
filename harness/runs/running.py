"""What is being asked right now, told to whoever looks at the store from another process.

`running/ID.json` stands beside the completion store from the moment an engine starts until the run has ended well. Its
writer holds a lock on it, which the kernel lets go of when the process ends, however it ends: a file without a lock is
a run that broke off. The scores of the answers stand in the completion store, committed as they come.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.digest import digest_json
from harness.runs.files import now
from harness.runs.plan import Plan, plan_digest
from harness.runs.progress import Progress
from harness.runs.samples import Sample
from harness.runs.store import CompletionStore, ScoreRow

FOLDER = "running"
SCHEMA = 1
#: What broke off longer ago is not shown, and removed when the next run begins.
LASTS = 7 * 24 * 3600.0

Command = Literal["compare", "run"]


class RunningTask(BaseModel):
    """A task that is being asked.

    Attributes:
        items: of the gold set, as far as they are asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    role: Literal["target", "guard"]
    primary: str
    items: int


class Running(BaseModel):
    """`running/ID.json`: who is asked what.

    Attributes:
        id: a digest of the plan: the same command again goes on under the same id.
        candidates: names; of a comparison the base first.
        alpha: level of the intervals.
        host, process: where it runs, to be shown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_version: int = Field(SCHEMA, alias="schema")
    id: str
    command: Command
    suite: str
    candidates: tuple[str, ...]
    tasks: tuple[RunningTask, ...]
    repeats: int
    alpha: float
    limit: int | None = None
    engine: str = ""
    began: datetime
    host: str
    process: int


class Announced:
    """A `Progress` that passes everything on, and lets others watch while an engine is at work.

    Where nothing has to be generated nothing is announced. After an error the announcement stays, as that of a run that
    broke off; the same command again takes its place.
    """

    def __init__(self, progress: Progress, store: CompletionStore, command: Command, *, alpha: float) -> None:
        self._progress = progress
        self._store = store
        self._command: Command = command
        self._alpha = alpha
        self._plan: Plan | None = None
        self._primary: dict[str, str] = {}
        self._waiting: list[ScoreRow] = []
        self._announced: _Announcement | None = None

    def __enter__(self) -> Announced:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if self._announced is not None:
            if kind is None:
                self._announced.remove()
                self._store.drop_scores(self._announced.id)
            self._announced.close()

    def planned(self, plan: Plan, cached: dict[int, int], seconds: float | None) -> None:
        """Remember what is asked."""
        self._plan = plan
        self._primary = {loaded.task.name: loaded.task.primary for loaded in plan.tasks}
        self._progress.planned(plan, cached, seconds)

    def noticed(self, candidate: int, lines: list[str]) -> None:
        """Pass it on."""
        self._progress.noticed(candidate, lines)

    def starting(self, engine: str, reason: str) -> None:
        """Announce the run: from here on it takes time."""
        self._progress.starting(engine, reason)
        if self._announced is None and self._plan is not None:
            self._announced = _announce(_running(self._plan, self._command, engine, self._alpha), self._store)
            if self._announced is not None:
                self._store.put_scores(self._announced.id, self._waiting)
                self._waiting.clear()

    def started(self, engine: str, seconds: float) -> None:
        """Pass it on."""
        self._progress.started(engine, seconds)

    def answered(self, candidate: int, samples: list[Sample], *, stored: bool) -> None:
        """Keep the scores where others see them; those of stored answers wait for the first that is generated."""
        rows = [self._row(candidate, sample, stored=stored) for sample in samples]
        if self._announced is None:
            self._waiting += rows
        else:
            self._store.put_scores(self._announced.id, rows)
        self._progress.answered(candidate, samples, stored=stored)

    def charged(self, cost: float, answers: int) -> None:
        """Pass it on."""
        self._progress.charged(cost, answers)

    def finished(self) -> None:
        """Pass it on."""
        self._progress.finished()

    def _row(self, candidate: int, sample: Sample, *, stored: bool) -> ScoreRow:
        score = sample.scores.get(self._primary[sample.task])
        return ScoreRow(
            candidate=candidate,
            task=sample.task,
            item=sample.item_id,
            repeat=sample.repeat,
            cluster=sample.cluster,
            value=score.value if score is not None and not sample.error else None,
            stored=stored,
            at=time.time(),
        )


class _Announcement:
    """The file, and the lock on it."""

    def __init__(self, running: Running, path: Path, file: BinaryIO) -> None:
        self.id = running.id
        self._path = path
        self._file = file

    def remove(self) -> None:
        with suppress(OSError):  # a store that became read-only must not spoil a run that is done
            self._path.unlink()

    def close(self) -> None:
        self._file.close()


def running_folder(completions: Path) -> Path:
    """Where the runs are announced that fill a completion store."""
    return completions.parent / FOLDER


def alive(path: Path) -> bool:
    """Whether the process that wrote an announcement is still at it.

    Raises:
        OSError: the file cannot be read.
    """
    import fcntl

    with path.open("rb") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _running(plan: Plan, command: Command, engine: str, alpha: float) -> Running:
    asked = [plan_digest(plan), command, [planned.fingerprint.digest for planned in plan.candidates]]
    return Running(
        id=digest_json(asked)[:16],
        command=command,
        suite=plan.suite.name,
        candidates=tuple(planned.candidate.name for planned in plan.candidates),
        tasks=tuple(
            RunningTask(
                name=loaded.task.name, role=loaded.task.role, primary=loaded.task.primary, items=len(loaded.items)
            )
            for loaded in plan.tasks
        ),
        repeats=plan.repeats,
        alpha=alpha,
        limit=plan.limit,
        engine=engine,
        began=now(),
        host=platform.node(),
        process=os.getpid(),
    )


def _announce(running: Running, store: CompletionStore) -> _Announcement | None:
    """Write the file; None where the same is being asked by another process, or nothing can be written there."""
    folder = running_folder(store.path)
    path = folder / f"{running.id}.json"
    try:
        import fcntl  # not on every system; there nobody watches

        folder.mkdir(exist_ok=True)
        _tidy(folder, store.drop_scores)
        if path.exists() and alive(path):
            return None
        made = folder / f".{running.id}.{os.getpid()}"
        file = made.open("wb")
        file.write((running.model_dump_json(by_alias=True, indent=1) + "\n").encode())
        file.flush()
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the lock belongs to the file and goes with it
        made.replace(path)
    except (ImportError, OSError):
        return None
    store.drop_scores(running.id)
    return _Announcement(running, path, file)


def _tidy(folder: Path, drop: Callable[[str], None]) -> None:
    """Forget what broke off long ago."""
    for path in folder.glob("*.json"):
        if time.time() - path.stat().st_mtime > LASTS and not alive(path):
            path.unlink(missing_ok=True)
            drop(path.stem)
