"""What Live shows: runs that are going on, how far they are, and what their answers come to so far.

The numbers are provisional in a way that more items do not mend: what has come is what is quick to answer, and no
random draw. So there is no verdict here, and no colour of one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from harness.comparison.statistics import paired_interval, paired_sample, score_interval
from harness.report.untrusted import visible
from harness.review.faults import Fault, read_model
from harness.runs.running import SCHEMA, Running
from harness.runs.watching import WINDOW, Announcement, PairedScores, Tally, Watch, announcements, watching

State = Literal["starting", "answering", "checking", "interrupted"]
#: Answers after which a rate says something.
_ENOUGH = 5
#: Seconds of silence after which the page says so.
SILENT = 30.0


@dataclass(frozen=True, slots=True)
class LiveCandidate:
    """How far a candidate is, over all tasks.

    Attributes:
        stored: answers that were there already.
    """

    name: str
    done: int
    total: int
    stored: int
    failed: int

    @property
    def share(self) -> float:
        return self.done / self.total if self.total else 1.0


@dataclass(frozen=True, slots=True)
class LiveTask:
    """What a candidate's answers to a task come to so far; all of it provisional.

    Attributes:
        n: items that count so far: paired ones where there is a base.
        base: mean score of the base over those; None where there is no base.
        score: mean score of the candidate over those; None before the first.
        delta: their difference.
        ci: interval of the difference, or of the score where there is no base.
    """

    candidate: str
    task: str
    role: Literal["target", "guard"]
    metric: str
    done: int
    total: int
    failed: int
    n: int
    base: float | None
    score: float | None
    delta: float | None
    ci: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class LiveRun:
    """One run.

    Attributes:
        state: an engine is starting; answers come; all have come and the doctor looks; its process is gone.
        rate: answers a second over the last minute; None where that says nothing.
        left: seconds that are left at this rate.
        silent: seconds since the last new answer, where that is long.
    """

    id: str
    suite: str
    command: Literal["compare", "run"]
    state: State
    began: datetime
    engine: str
    host: str
    process: int
    repeats: int
    limit: int | None
    alpha: float
    candidates: tuple[LiveCandidate, ...]
    tasks: tuple[LiveTask, ...]
    rate: float | None
    left: float | None
    silent: float | None

    @property
    def done(self) -> int:
        return sum(one.done for one in self.candidates)

    @property
    def total(self) -> int:
        return sum(one.total for one in self.candidates)

    @property
    def compared(self) -> bool:
        """There is a base, so differences are shown."""
        return self.command == "compare"

    @property
    def span(self) -> float:
        """Half the width of the scale of the differences."""
        ends = [abs(end) for task in self.tasks if task.ci and task.delta is not None for end in task.ci]
        return max([*ends, 0.1]) * 1.05


@dataclass(frozen=True, slots=True)
class Live:
    """The whole page: those at work first."""

    runs: tuple[LiveRun, ...]
    faults: tuple[Fault, ...]

    @property
    def at_work(self) -> bool:
        return any(run.state != "interrupted" for run in self.runs)


def build_live(completions: Path) -> Live:
    """What is going on in a store; nothing is written.

    Args:
        completions: path of its completion store, which need not be there.
    """
    runs: list[LiveRun] = []
    faults: list[Fault] = []
    for found in announcements(completions):
        name = f"running/{found.name}.json"
        running = read_model(name, found.data, Running, SCHEMA)
        if isinstance(running, Fault):
            faults.append(running)
            continue
        try:
            with watching(completions) as watch:
                runs.append(_run(running, found, watch))
        except sqlite3.Error as error:
            faults.append(Fault(name, "damaged", f"{completions.name}: {error}"))
    return Live(tuple(runs), tuple(faults))


def _run(running: Running, found: Announcement, watch: Watch) -> LiveRun:
    tallies = watch.tallies(running.id)
    candidates = tuple(_candidate(running, index, tallies) for index in range(len(running.candidates)))
    done, total = (sum(getattr(one, part) for one in candidates) for part in ("done", "total"))
    generated = sum(one.generated for one in tallies)
    now = datetime.now(UTC).timestamp()
    rate = _rate(tallies, now) if found.alive else None
    last = max((one.last for one in tallies if one.last is not None), default=None)
    state: State = "answering" if done < total else "checking"
    if not found.alive:
        state = "interrupted"
    elif not generated and done < total:
        state = "starting"
    silent = now - last if last is not None and state == "answering" else None
    return LiveRun(
        id=running.id,
        suite=visible(running.suite),
        command=running.command,
        state=state,
        began=running.began,
        engine=visible(running.engine),
        host=visible(running.host),
        process=running.process,
        repeats=running.repeats,
        limit=running.limit,
        alpha=running.alpha,
        candidates=candidates,
        tasks=tuple(_tasks(running, tallies, watch)),
        rate=rate,
        left=(total - done) / rate if rate and state == "answering" else None,
        silent=silent if silent is not None and silent > SILENT else None,
    )


def _candidate(running: Running, index: int, tallies: Sequence[Tally]) -> LiveCandidate:
    own = [one for one in tallies if one.candidate == index]
    done = sum(one.done for one in own)
    return LiveCandidate(
        name=visible(running.candidates[index]),
        done=done,
        total=sum(task.items for task in running.tasks) * running.repeats,
        stored=done - sum(one.generated for one in own),
        failed=sum(one.failed for one in own),
    )


def _rate(tallies: Sequence[Tally], now: float) -> float | None:
    """Answers a second over the last minute, or since the first one where that is less long ago."""
    recent = sum(one.recent for one in tallies)
    first = min((one.first for one in tallies if one.first is not None), default=now)
    seconds = min(WINDOW, now - first)
    return recent / seconds if recent >= _ENOUGH and seconds >= 1.0 else None


def _tasks(running: Running, tallies: Sequence[Tally], watch: Watch) -> list[LiveTask]:
    compared = running.command == "compare"
    found: list[LiveTask] = []
    for task in running.tasks:
        for index in range(1 if compared else 0, len(running.candidates)):
            own = next((one for one in tallies if (one.candidate, one.task) == (index, task.name)), None)
            n, base, score, ci = (
                _difference(watch.paired(running.id, index, task.name, running.repeats), running.alpha)
                if compared
                else _score(watch.scores(running.id, index, task.name, running.repeats), running.alpha)
            )
            found.append(
                LiveTask(
                    candidate=visible(running.candidates[index]),
                    task=visible(task.name),
                    role=task.role,
                    metric=visible(task.primary),
                    done=own.done if own else 0,
                    total=task.items * running.repeats,
                    failed=own.failed if own else 0,
                    n=n,
                    base=base,
                    score=score,
                    delta=score - base if score is not None and base is not None else None,
                    ci=ci,
                )
            )
    return found


_Numbers = tuple[int, float | None, float | None, tuple[float, float] | None]


def _difference(scores: PairedScores, alpha: float) -> _Numbers:
    if not scores.base:
        return 0, None, None, None
    clusters = scores.clusters if any(one is not None for one in scores.clusters) else None
    sample = paired_sample(scores.base, scores.candidate, clusters)
    ci = paired_interval(sample, alpha=alpha)
    return sample.n, sample.base, sample.candidate, ci.bounds if ci else None


def _score(scores: Sequence[float], alpha: float) -> _Numbers:
    ci = score_interval(scores, alpha=alpha)
    return len(scores), None, sum(scores) / len(scores) if scores else None, ci.bounds if ci else None
