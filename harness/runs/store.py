"""The completion store: every answer ever generated, found again by what decided its text.

One SQLite file in WAL mode. Each finished answer is committed as it arrives, so that a killed process loses nothing
that had finished, and several processes may use the store at once. Resuming is running again.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from harness.candidates.fingerprint import cache_folder
from harness.engines.base import Completion
from harness.errors import InputError

SCHEMA = 1
FILE_NAME = "completions.sqlite"

_TABLES = """
CREATE TABLE IF NOT EXISTS completions (
    key TEXT NOT NULL, version TEXT NOT NULL, text TEXT NOT NULL, finish_reason TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, latency REAL NOT NULL, created REAL NOT NULL,
    PRIMARY KEY (key, version)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS logprobs (
    key TEXT NOT NULL, version TEXT NOT NULL, "values" TEXT NOT NULL, PRIMARY KEY (key, version)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS speeds (
    engine TEXT NOT NULL, model TEXT NOT NULL, startup REAL NOT NULL, rate REAL NOT NULL, created REAL NOT NULL,
    PRIMARY KEY (engine, model)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (
    asked TEXT NOT NULL PRIMARY KEY, session TEXT NOT NULL, begun REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS scores (
    run TEXT NOT NULL, candidate INTEGER NOT NULL, task TEXT NOT NULL, item TEXT NOT NULL, repeat INTEGER NOT NULL,
    cluster TEXT, value REAL, stored INTEGER NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (run, candidate, task, item, repeat)
) WITHOUT ROWID;
"""

#: A session that was last begun or resumed longer ago is not gone on with: the server may have changed since.
SESSION_LASTS = 24 * 3600.0

#: Seconds for which what another process holds is waited for.
_PATIENCE = 60

#: SQLite's default limit on the number of variables in one statement is 999 in old builds.
_CHUNK = 900


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """The primary score of one answer of a run that is going on (`harness.runs.running`).

    Attributes:
        candidate: its index in the plan.
        value: None where the answer failed or could not be scored.
        stored: it was there before the run.
        at: seconds since 1970.
    """

    candidate: int
    task: str
    item: str
    repeat: int
    cluster: str | None
    value: float | None
    stored: bool
    at: float


class CompletionStore:
    """Completions and log-probabilities by key and engine version.

    Raises:
        InputError: the folder cannot be written, the disk is full, or the file is of another schema.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            # Autocommit: each statement (or explicit transaction) is durable when it returns.
            self._db = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
            _write_ahead(self._db)
            # Survives a killed process; only a power cut can lose the last commits, and never corrupts.
            self._db.execute("PRAGMA synchronous=NORMAL")
            found = self._db.execute("PRAGMA user_version").fetchone()[0]
            if found not in (0, SCHEMA):
                raise InputError(
                    f"has schema {found}, this version reads {SCHEMA}",
                    where=str(path),
                    remedy="Install the version that wrote it, or use another --store.",
                )
            self._db.executescript(_TABLES)
            if found == 0:
                self._db.execute(f"PRAGMA user_version={SCHEMA}")

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> CompletionStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def versions(self, keys: Iterable[str]) -> dict[str, set[str]]:
        """Engine version -> which of `keys` it has answered."""
        found: dict[str, set[str]] = {}
        for chunk in _chunks(list(keys)):
            marks = ",".join("?" * len(chunk))
            with self._explained():
                for key, version in self._db.execute(
                    f"SELECT key, version FROM completions WHERE key IN ({marks})", chunk
                ):
                    found.setdefault(version, set()).add(key)
        return found

    def get(self, keys: Iterable[str], version: str) -> Iterator[Completion]:
        """The completions that one engine version gave, of those asked for."""
        for chunk in _chunks(list(keys)):
            marks = ",".join("?" * len(chunk))
            with self._explained():
                rows = self._db.execute(
                    "SELECT key, text, finish_reason, prompt_tokens, completion_tokens, latency "
                    f"FROM completions WHERE version = ? AND key IN ({marks})",
                    [version, *chunk],
                ).fetchall()
            for row in rows:
                yield Completion(*row)

    def put(self, completions: Sequence[Completion], version: str) -> None:
        """Keep what finished, durably when this returns. Failed ones are not kept: the next run tries again."""
        rows = [
            (c.key, version, c.text, c.finish_reason, c.prompt_tokens, c.completion_tokens, c.latency, time.time())
            for c in completions
            if c.finish_reason != "error"
        ]
        with self._explained(), self._transaction():
            self._db.executemany("INSERT OR REPLACE INTO completions VALUES (?,?,?,?,?,?,?,?)", rows)

    def get_logprobs(self, keys: Iterable[str], version: str) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {}
        for chunk in _chunks(list(keys)):
            marks = ",".join("?" * len(chunk))
            with self._explained():
                for key, text in self._db.execute(
                    f'SELECT key, "values" FROM logprobs WHERE version = ? AND key IN ({marks})', [version, *chunk]
                ):
                    found[key] = [float(v) for v in text.split()]
        return found

    def put_logprobs(self, values: dict[str, list[float]], version: str) -> None:
        rows = [(key, version, " ".join(repr(v) for v in logprobs)) for key, logprobs in values.items()]
        with self._explained(), self._transaction():
            self._db.executemany("INSERT OR REPLACE INTO logprobs VALUES (?,?,?)", rows)

    def session(self, asked: str, *, fresh: bool = False) -> str:
        """The session that asks `asked` of a server whose answers nobody can identify.

        It goes on until `end_session`, so that a run that broke off is resumed; afterwards the same questions are
        another session, because by then the server may answer otherwise.
        """
        with self._explained(), self._transaction():
            row = self._db.execute("SELECT session, begun FROM sessions WHERE asked = ?", (asked,)).fetchone()
            begun = time.time()
            if row and not fresh and begun - row[1] < SESSION_LASTS:
                self._db.execute("UPDATE sessions SET begun = ? WHERE asked = ?", (begun, asked))
                return str(row[0])
            name = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(begun)) + f"-{secrets.token_hex(3)}"
            self._db.execute("INSERT OR REPLACE INTO sessions VALUES (?,?,?)", (asked, name, begun))
            return name

    def end_session(self, asked: str) -> None:
        """Everything was answered."""
        with self._explained(), self._transaction():
            self._db.execute("DELETE FROM sessions WHERE asked = ?", (asked,))

    def speed(self, engine: str, model: str) -> tuple[float, float] | None:
        """Last measured start-up (seconds) and rate (completions a second) of an engine on a model."""
        with self._explained():
            row = self._db.execute(
                "SELECT startup, rate FROM speeds WHERE engine = ? AND model = ?", (engine, model)
            ).fetchone()
        return (float(row[0]), float(row[1])) if row else None

    def put_speed(self, engine: str, model: str, startup: float, rate: float) -> None:
        with self._explained():
            self._db.execute(
                "INSERT OR REPLACE INTO speeds VALUES (?,?,?,?,?)", (engine, model, startup, rate, time.time())
            )

    def put_scores(self, run: str, rows: Sequence[ScoreRow]) -> None:
        """Let others see how far a run is."""
        with self._explained(), self._transaction():
            self._db.executemany(
                "INSERT OR REPLACE INTO scores VALUES (?,?,?,?,?,?,?,?,?)", [(run, *astuple(row)) for row in rows]
            )

    def drop_scores(self, run: str) -> None:
        """The run has ended, or begins anew."""
        with self._explained(), self._transaction():
            self._db.execute("DELETE FROM scores WHERE run = ?", (run,))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:  # SQLite has rolled back by itself when the disk is full
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            text = str(error).lower()
            if "full" in text or "no space" in text:
                what, remedy = "the disk is full", "Free some space and run again: what was stored is kept."
            elif "locked" in text:
                what, remedy = "is locked by another process", "Wait for it, or use another --store."
            elif "malformed" in text or "not a database" in text:
                what, remedy = "is not a completion store or is damaged", "Move it away, or use another --store."
            else:
                what, remedy = f"cannot be written ({error})", "Check its permissions, or use another --store."
            raise InputError(what, where=str(self.path), remedy=remedy) from None


def _write_ahead(database: sqlite3.Connection) -> None:
    """Into WAL mode. Of several that make the switch at once SQLite turns all but one away without waiting: it could
    be a deadlock, for all it knows (https://www.sqlite.org/c3ref/busy_handler.html)."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            database.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def completions_path(store: str) -> Path:
    """Where the completions of a run store lie: in it when it is local, else in this user's cache (SQLite needs a
    real file)."""
    if "://" in store and not store.startswith("file://"):
        return cache_folder() / "stores" / hashlib.sha256(store.encode()).hexdigest()[:16] / FILE_NAME
    return Path(store.removeprefix("file://")) / FILE_NAME


def _chunks(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]
