"""What a store holds: comparisons and runs, newest first, and what of it cannot be read.

Whatever stands in a store is immutable, so a file that was read once is read again only when its size or time differs.
No sample is read here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from harness.comparison.results import SCHEMA, CandidateComparison, Comparison
from harness.errors import InputError
from harness.judge.said import FILE_NAME as SAID
from harness.review.faults import Fault, read_model
from harness.runs.files import MANIFEST, SAMPLES, RunManifest, RunStore

#: Seconds that a listing of the store stays good: a page asks several times while it is drawn.
FRESH_FOR = 2.0
#: Of a store behind a URL, where listing costs requests.
FRESH_FOR_REMOTE = 30.0

Model = TypeVar("Model", RunManifest, Comparison)

_COMPARISONS = "comparisons"
_COMPARISON = "comparison.json"
_JUDGINGS = "judgings/"
#: What every Parquet file ends with.
_PARQUET_END = b"PAR1"


@dataclass(frozen=True, slots=True)
class StoredComparison:
    """A comparison in the store.

    Attributes:
        made: when the newest of its runs was; where one is gone, when the file was written.
    """

    made: datetime
    comparison: Comparison

    @property
    def id(self) -> str:
        return self.comparison.id

    @property
    def suite(self) -> str:
        return self.comparison.suite


@dataclass(frozen=True)
class Catalog:
    """One look at a store.

    Attributes:
        comparisons: newest first.
        runs: by id, newest first; those that can be read.
        faults: what cannot be read.
        judgings: names of judgings, by which their documents are read.
        said: those of them that keep the judges' words.
    """

    comparisons: tuple[StoredComparison, ...] = ()
    runs: Mapping[str, RunManifest] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    judgings: tuple[str, ...] = ()
    said: frozenset[str] = frozenset()

    @property
    def empty(self) -> bool:
        return not (self.comparisons or self.runs or self.faults)

    def comparison(self, comparison_id: str) -> StoredComparison | None:
        return next((one for one in self.comparisons if one.id == comparison_id), None)

    def latest(self) -> dict[str, StoredComparison]:
        """The newest comparison of each suite, newest suite first."""
        found: dict[str, StoredComparison] = {}
        for one in self.comparisons:
            found.setdefault(one.suite, one)
        return found

    def between(self, base: str, candidate: str) -> tuple[StoredComparison, CandidateComparison] | None:
        """The newest stored comparison of two runs."""
        for one in self.comparisons:
            for compared in one.comparison.comparisons:
                if (compared.run_ids.base, compared.run_ids.candidate) == (base, candidate):
                    return one, compared
        return None


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    size: int
    modified: float


class Listing:
    """A store that is looked at again and again.

    Raises:
        InputError: the URL's kind of file system is not known here.
    """

    def __init__(self, runs: RunStore) -> None:
        self._runs = runs
        self._fresh_for = FRESH_FOR if runs.local else FRESH_FOR_REMOTE
        self._read: dict[_File, RunManifest | Comparison | Fault | None] = {}
        self._lock = threading.Lock()
        self._looked = 0.0
        self._catalog = Catalog()

    def catalog(self, *, now: bool = False) -> Catalog:
        """What the store holds.

        Args:
            now: look again even if the last look is recent.

        Raises:
            InputError: the store cannot be listed.
        """
        with self._lock:
            if now or time.monotonic() - self._looked > self._fresh_for:
                try:
                    self._catalog = self._look()
                except OSError as error:
                    raise InputError(
                        f"the store cannot be read ({error.strerror or error})",
                        where=self._runs.url,
                        remedy="Check its address and who may read it.",
                    ) from None
                self._looked = time.monotonic()
            return self._catalog

    def _look(self) -> Catalog:
        folders: dict[str, dict[str, _File]] = {}
        for name, file in self._files():
            folder, _, leaf = name.rpartition("/")
            folders.setdefault(folder, {})[leaf] = file
        seen: set[_File] = set()
        faults: list[Fault] = []
        runs: list[RunManifest] = []
        comparisons: list[tuple[Comparison, float]] = []
        found: RunManifest | Comparison | Fault
        for folder, files in sorted(folders.items()):
            if folder.startswith(f"{_COMPARISONS}/") and _COMPARISON in files:
                found = self._once(files[_COMPARISON], seen, folder, Comparison, SCHEMA)
                if isinstance(found, Comparison) and folder != f"{_COMPARISONS}/{found.id}":
                    found = Fault(folder, "damaged", f"{_COMPARISON}: id {found.id!r}")
                if isinstance(found, Comparison):
                    comparisons.append((found, files[_COMPARISON].modified))
            elif "/" not in folder and (MANIFEST in files or SAMPLES in files):
                found = self._run(folder, files, seen)
                if isinstance(found, RunManifest):
                    runs.append(found)
            else:
                continue
            if isinstance(found, Fault):
                faults.append(found)
        self._read = {file: content for file, content in self._read.items() if file in seen}
        by_id = {run.id: run for run in sorted(runs, key=lambda run: run.created, reverse=True)}
        dated = [(_made(comparison, by_id, modified), modified, comparison) for comparison, modified in comparisons]
        dated.sort(key=lambda one: (one[0], one[1], one[2].id), reverse=True)
        judgings = {name.rpartition("/")[2]: files for name, files in folders.items() if name.startswith(_JUDGINGS)}
        return Catalog(
            comparisons=tuple(StoredComparison(made, one) for made, _, one in dated),
            runs=by_id,
            faults=tuple(faults),
            judgings=tuple(name for name, files in judgings.items() if "judging.json" in files),
            said=frozenset(name for name, files in judgings.items() if SAID in files),
        )

    def _files(self) -> Iterator[tuple[str, _File]]:
        """Every file of a run or a document, by its path in the store; what is being written has a dot in front."""
        for name, info in self._runs.files(depth=3):
            if not any(part.startswith(".") for part in name.split("/")):
                yield name, _File(name, int(info.get("size") or 0), modified(info))

    def _run(self, folder: str, files: Mapping[str, _File], seen: set[_File]) -> RunManifest | Fault:
        for needed in (MANIFEST, SAMPLES):
            if needed not in files:
                return Fault(folder, "missing", needed)
        if self._runs.local and self._damaged(files[SAMPLES], seen):
            return Fault(folder, "damaged", SAMPLES)
        found = self._once(files[MANIFEST], seen, folder, RunManifest, 1)
        if isinstance(found, RunManifest) and found.id != folder:
            return Fault(folder, "damaged", f"{MANIFEST}: id {found.id!r}")
        return found

    def _damaged(self, file: _File, seen: set[_File]) -> bool:
        """A Parquet file that was cut short does not end as one."""
        seen.add(file)
        if file not in self._read:
            whole = self._runs.read(file.path, last=len(_PARQUET_END)) == _PARQUET_END
            self._read[file] = None if whole else Fault(file.path, "damaged", SAMPLES)
        return self._read[file] is not None

    def _once(self, file: _File, seen: set[_File], folder: str, model: type[Model], known: int) -> Model | Fault:
        seen.add(file)
        found = self._read.get(file)
        if not isinstance(found, model | Fault):
            try:
                found = read_model(folder, self._runs.read(file.path), model, known)
            except OSError as error:
                return Fault(folder, "damaged", f"{file.path}: {error.strerror or error}")
            self._read[file] = found
        return found


def modified(info: Mapping[str, Any]) -> float:
    """When a file was written, in seconds since 1970; 0 where its file system does not say."""
    for key in ("mtime", "LastModified", "last_modified", "updated", "created"):
        value = info.get(key)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, int | float):
            return float(value)
    return 0.0


def _made(comparison: Comparison, runs: Mapping[str, RunManifest], modified: float) -> datetime:
    named = {i for c in comparison.comparisons for i in (c.run_ids.base, c.run_ids.candidate)}
    dates = [runs[one].created for one in named if one in runs]
    return max(dates) if len(dates) == len(named) else datetime.fromtimestamp(modified, UTC)
