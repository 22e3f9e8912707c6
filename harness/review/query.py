"""DuckDB over the run files of a store, where they lie: a folder of this machine, or any URL that fsspec knows."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from harness.errors import InputError
from harness.runs.files import RunStore

Row = tuple[Any, ...]

#: DuckDB's own memory; what does not fit goes to a temporary file.
MEMORY = "320MB"


class Query:
    """One in-memory database that reads files and writes none. May be used by several threads."""

    def __init__(self, runs: RunStore) -> None:
        import duckdb

        self._runs = runs
        self._lock = threading.Lock()
        # Extensions are fetched from the internet; what is needed here is built in.
        self._db = duckdb.connect(
            config={
                "memory_limit": MEMORY,
                "threads": 2,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "preserve_insertion_order": False,
            }
        )
        if not runs.local:
            self._db.register_filesystem(runs.filesystem)
        self.columns = lru_cache(maxsize=1024)(self._columns)

    def rows(self, sql: str, parameters: Sequence[object] = (), *, about: str) -> list[Row]:
        """The result of a statement.

        Args:
            about: the run or document that is read, for the error.

        Raises:
            InputError: a file of it is missing or damaged.
        """
        import duckdb

        try:
            return self._db.cursor().execute(sql, list(parameters)).fetchall()
        except (duckdb.Error, OSError) as error:
            first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise InputError(
                f"{about} cannot be read ({first[:200]})",
                where=self._runs.url,
                remedy="Its files are missing or damaged; the same command again makes them anew.",
            ) from None

    def samples(self, run_id: str) -> str:
        """The table of a run's samples, for the FROM of a statement."""
        return f"read_parquet({literal(self.path(self._runs.samples_path(run_id)))})"

    def path(self, path: str) -> str:
        """A path as DuckDB takes it: without wildcards."""
        if not self._runs.local:
            return path
        return "".join(f"[{char}]" if char in "*?[" else char for char in path)

    def _columns(self, run_id: str) -> frozenset[str]:
        """Columns of a run's samples."""
        rows = self.rows(f"DESCRIBE SELECT * FROM {self.samples(run_id)}", about=f"run {run_id}")
        return frozenset(str(row[0]) for row in rows)


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def name(text: str) -> str:
    """A column's name in SQL."""
    return '"' + text.replace('"', '""') + '"'
