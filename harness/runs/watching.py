"""Runs that are going on, seen from outside: the completion store is opened read-only and nothing is ever written."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from harness.runs.running import LASTS, alive, running_folder

#: Seconds over which a rate is taken.
WINDOW = 60.0


@dataclass(frozen=True, slots=True)
class Announcement:
    """A file `running/ID.json` as it was found.

    Attributes:
        alive: its process is at work; else it broke off.
        seen: when the file was written, in seconds since 1970.
    """

    name: str
    data: bytes
    alive: bool
    seen: float


@dataclass(frozen=True, slots=True)
class Tally:
    """How far one candidate is with one task.

    Attributes:
        done: answers, failed ones among them.
        failed: without an answer or a score.
        generated: answers that were not there before.
        recent: of those, in the last `WINDOW` seconds.
        first, last: when the first and the last of those came, in seconds since 1970; None before the first.
    """

    candidate: int
    task: str
    done: int
    failed: int
    generated: int
    recent: int
    first: float | None
    last: float | None


@dataclass(frozen=True, slots=True)
class PairedScores:
    """Items that both sides have answered in full, in one order; repeats are their mean.

    Attributes:
        base, candidate: scores in [0, 1].
        clusters: a label for each item, None for a cluster of its own.
    """

    base: tuple[float, ...]
    candidate: tuple[float, ...]
    clusters: tuple[str | None, ...]


def announcements(completions: Path) -> list[Announcement]:
    """The runs that are announced beside a completion store, those that began last first.

    Args:
        completions: path of the completion store, which need not be there.
    """
    found: list[Announcement] = []
    folder = running_folder(completions)
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else []:
        try:
            at_work, data, seen = alive(path), path.read_bytes(), path.stat().st_mtime
        except OSError:  # it ended in this moment
            continue
        if at_work or time.time() - seen < LASTS:
            found.append(Announcement(path.stem, data, at_work, seen))
    return sorted(found, key=lambda one: (one.alive, one.seen), reverse=True)


@contextmanager
def watching(completions: Path) -> Iterator[Watch]:
    """The scores of runs that are going on.

    Raises:
        sqlite3.Error: the store is not there, is damaged, or cannot be read.
    """
    # Without a log beside it nobody is writing, and reading it as a mere file leaves no file of SQLite's behind.
    still = not completions.with_name(completions.name + "-wal").exists()
    mode = "mode=ro&immutable=1" if still else "mode=ro"
    with closing(sqlite3.connect(f"file:{quote(str(completions))}?{mode}", uri=True, timeout=5)) as database:
        yield Watch(database)


class Watch:
    """Reads of one moment."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database

    def tallies(self, run: str) -> list[Tally]:
        """How far every candidate is with every task that has an answer."""
        rows = self._db.execute(
            "SELECT candidate, task, count(*), sum(value IS NULL), sum(NOT stored), sum(NOT stored AND at > ?), "
            "min(CASE WHEN NOT stored THEN at END), max(CASE WHEN NOT stored THEN at END) "
            "FROM scores WHERE run = ? GROUP BY candidate, task",
            (time.time() - WINDOW, run),
        )
        return [Tally(*row) for row in rows]

    def scores(self, run: str, candidate: int, task: str, repeats: int) -> list[float]:
        """Scores of the items that one candidate has answered in full."""
        rows = self._db.execute(f"SELECT value FROM ({_ITEMS})", (run, candidate, task, repeats))
        return [value for (value,) in rows]

    def paired(self, run: str, candidate: int, task: str, repeats: int) -> PairedScores:
        """Scores of the items that the base (candidate 0) and a candidate have answered in full."""
        rows = self._db.execute(
            f"SELECT b.value, c.value, b.cluster FROM ({_ITEMS}) b JOIN ({_ITEMS}) c USING (item) ORDER BY item",
            (run, 0, task, repeats, run, candidate, task, repeats),
        ).fetchall()
        return PairedScores(tuple(r[0] for r in rows), tuple(r[1] for r in rows), tuple(r[2] for r in rows))


# As in a comparison: an item of which one answer failed has no score.
_ITEMS = (
    "SELECT item, avg(value) AS value, max(cluster) AS cluster FROM scores "
    "WHERE run = ? AND candidate = ? AND task = ? GROUP BY item HAVING count(value) = ?"
)
