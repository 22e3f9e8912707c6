"""Both sides of a comparison item by item: what was lost, gained or merely answered differently, a page at a time.

The scores of one task of two runs are paired once and kept in DuckDB's memory without any text; filters and pages work
on that. Texts are read for the items of one page only, and of one answer no more than is shown.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Literal

from harness.comparison.results import FLIP
from harness.review.query import Query, literal, name

#: "different": other words, and neither lost nor gained. "failed": a side has no answer or no score.
Kind = Literal["lost", "gained", "different", "failed", "all"]
KINDS: tuple[Kind, ...] = ("lost", "gained", "different", "failed", "all")

#: Keys to slice by that are worked out here, where a suite does not name them.
LENGTH, LANGUAGE = "length", "language"
#: Characters of the prompt.
LENGTHS = ((50, "≤50"), (200, "51–200"), (1000, "201–1000"))
LONGER = ">1000"

#: The gold answer in words, which stands among an item's metadata.
_NO_SLICE = "reference"
#: A key with more values says who an item is and not what kind.
MOST_VALUES = 60

#: Pairings and searches that are kept.
_KEPT = 16
_ESCAPE = "ESCAPE $$\\$$"

_ORDER: dict[Kind, str] = {
    "lost": "delta, item_id",
    "gained": "delta DESC, item_id",
    "different": "item_id",
    "failed": "item_id",
    "all": "delta NULLS LAST, item_id",
}


@dataclass(frozen=True, slots=True)
class Paired:
    """One metric of one task in two runs.

    Attributes:
        base, candidate: run ids.
    """

    base: str
    candidate: str
    task: str
    metric: str


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items.

    Attributes:
        slices: key and value that an item must have, all of them.
        search: what one of the texts must hold; case is ignored.
    """

    kind: Kind = "all"
    slices: tuple[tuple[str, str], ...] = ()
    search: str = ""


@dataclass(frozen=True, slots=True)
class PairedItem:
    """One item's scores on both sides; None where a side failed or was not scored."""

    item_id: str
    item_digest: str
    base: float | None
    candidate: float | None
    same: bool
    slices: dict[str, str]

    @property
    def delta(self) -> float | None:
        return None if self.base is None or self.candidate is None else self.candidate - self.base


@dataclass(frozen=True, slots=True)
class ItemPage:
    """One page of items.

    Attributes:
        total: items that pass the filter.
    """

    items: tuple[PairedItem, ...]
    total: int


@dataclass(frozen=True, slots=True)
class SliceCell:
    """The items of one task that share a value.

    Attributes:
        se: standard error of `delta`; None with fewer than two items.
    """

    key: str
    value: str
    n: int
    base: float
    candidate: float
    delta: float
    se: float | None


class Pairs:
    """Pairings of the runs of a store."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._tables: OrderedDict[tuple[Paired, str], str] = OrderedDict()
        self._names = count()
        self._lock = threading.Lock()
        # What is said of all items is the same until the store's runs are others, which then have other ids.
        self.counts = lru_cache(maxsize=512)(self._counts)
        self.values = lru_cache(maxsize=512)(self._values)
        self.cells = lru_cache(maxsize=512)(self._cells)

    def _counts(self, paired: Paired) -> dict[Kind, int]:
        """How many items there are of each kind.

        Raises:
            InputError: a run cannot be read.
        """
        wanted = ", ".join(f"count(*) FILTER (WHERE {_test(kind)})" for kind in KINDS)
        (row,) = self._query.rows(f"SELECT {wanted} FROM {self._table(paired)}", about=paired.candidate)
        return dict(zip(KINDS, map(int, row), strict=True))

    def _values(self, paired: Paired) -> dict[str, tuple[str, ...]]:
        """The keys to slice by, and the values that occur, most frequent first."""
        found: dict[str, list[str]] = {}
        for key, value, _ in self._query.rows(
            f"SELECT key, value, count(*) AS n FROM ({_sliced(self._table(paired))}) "
            "GROUP BY key, value ORDER BY n DESC, value",
            about=paired.candidate,
        ):
            found.setdefault(str(key), []).append(str(value))
        return {key: tuple(values) for key, values in found.items() if len(values) <= MOST_VALUES}

    def _cells(self, paired: Paired) -> list[SliceCell]:
        """The metric by every value of every key, over the items that both sides have a score of."""
        rows = self._query.rows(
            "SELECT key, value, count(*), avg(base), avg(candidate), avg(delta), stddev_samp(delta) / sqrt(count(*)) "
            f"FROM ({_sliced(self._table(paired))}) WHERE delta IS NOT NULL GROUP BY key, value ORDER BY key, value",
            about=paired.candidate,
        )
        return [SliceCell(*row) for row in rows]

    def page(self, paired: Paired, wanted: ItemFilter, *, offset: int, limit: int) -> ItemPage:
        """Items that pass a filter, those that changed most first.

        Raises:
            InputError: a run cannot be read.
        """
        conditions, parameters = [_test(wanted.kind)], list[object]()
        for key, value in wanted.slices:
            conditions.append("list_contains(map_extract(slices, ?), ?)")
            parameters += [key, value]
        if wanted.search:
            conditions.append(f"item_id IN (SELECT item_id FROM {self._found(paired, wanted.search)})")
        passing = f"FROM {self._table(paired)} WHERE {' AND '.join(conditions)}"
        ((total,),) = self._query.rows(f"SELECT count(*) {passing}", parameters, about=paired.candidate)
        rows = self._query.rows(
            f"SELECT item_id, item_digest, base, candidate, same, slices {passing} "
            f"ORDER BY {_ORDER[wanted.kind]} LIMIT ? OFFSET ?",
            [*parameters, limit, offset],
            about=paired.candidate,
        )
        items = tuple(PairedItem(row[0], row[1], row[2], row[3], row[4], dict(row[5])) for row in rows)
        return ItemPage(items, int(total))

    def _found(self, paired: Paired, search: str) -> str:
        """The table of the items one of whose texts holds `search`: the next page does not search again."""
        base, candidate = self._query.samples(paired.base), self._query.samples(paired.candidate)
        task, pattern = literal(paired.task), f"%{_like(search)}%"
        return self._kept(
            (paired, search),
            f"SELECT item_id FROM {base} WHERE task = {task} "
            f"AND (prompt ILIKE ? {_ESCAPE} OR output ILIKE ? {_ESCAPE}) "
            f"UNION SELECT item_id FROM {candidate} WHERE task = {task} AND output ILIKE ? {_ESCAPE}",
            [pattern] * 3,
            about=f"run {paired.candidate}",
        )

    def _table(self, paired: Paired) -> str:
        """The table of the pairs; `item_id`, `item_digest`, `base`, `candidate`, `delta`, `same`, `slices`,
        `threshold`."""
        return self._kept((paired, ""), self._paired(paired), [], about=f"run {paired.candidate}")

    def _kept(self, key: tuple[Paired, str], select: str, parameters: list[object], *, about: str) -> str:
        """The table of a statement's rows, made once; those that were not asked for lately are dropped."""
        with self._lock:
            if key in self._tables:
                self._tables.move_to_end(key)
                return self._tables[key]
            table = f"kept_{next(self._names)}"
            self._query.rows(f"CREATE TABLE {table} AS {select}", parameters, about=about)
            self._tables[key] = table
            while len(self._tables) > _KEPT:
                self._query.rows(f"DROP TABLE {self._tables.popitem(last=False)[1]}", about=about)
            return table

    def _paired(self, paired: Paired) -> str:
        """Repeats become their mean, and an item of which one repeat failed has no score, as in a comparison."""
        sides = {
            side: (
                f"SELECT item_id, item_digest, {self.score(run, paired.metric)} AS score, "
                f"list(hash(output) ORDER BY repeat) AS said, any_value(slices) AS slices, "
                f"any_value(length(prompt)) AS characters, any_value(regexp_matches(prompt, '\\p{{Han}}')) AS han "
                f"FROM {self._query.samples(run)} WHERE task = {literal(paired.task)} GROUP BY item_id, item_digest"
            )
            for side, run in (("base", paired.base), ("candidate", paired.candidate))
        }
        pairs = (
            "SELECT item_id, item_digest, b.score AS base, c.score AS candidate, c.score - b.score AS delta, "
            f"b.said = c.said AS same, {_SLICES} AS slices "
            f"FROM ({sides['base']}) b JOIN ({sides['candidate']}) c USING (item_id, item_digest)"
        )
        # A metric that is not only 0 and 1 has to move by more than a little on an item to count as lost or gained.
        threshold = f"CASE WHEN bool_and(base IN (0, 1) AND candidate IN (0, 1)) OVER () THEN 0 ELSE {FLIP} END"
        return f"SELECT *, {threshold} AS threshold FROM ({pairs})"

    def score(self, run: str, metric: str) -> str:
        """SQL of an item's score over its repeats: their mean, or NULL where one of them failed."""
        column = f"score_{metric}"
        if column not in self._query.columns(run):
            return "NULL::DOUBLE"
        return f"CASE WHEN bool_and(error = '' AND {name(column)} IS NOT NULL) THEN avg({name(column)}) END"


#: Slices of the suite, and those that are worked out; the suite's own go before.
_SLICES = (
    "map_concat("
    f"MAP {{'{LANGUAGE}': CASE WHEN b.han THEN 'zh' ELSE 'en' END, '{LENGTH}': CASE "
    + " ".join(f"WHEN b.characters <= {most} THEN '{label}'" for most, label in LENGTHS)
    + f" ELSE '{LONGER}' END}}, "
    "coalesce(CAST(CAST(b.slices AS JSON) AS MAP(VARCHAR, VARCHAR)), MAP {}))"
)


def _test(kind: Kind) -> str:
    return {
        "lost": "delta < -threshold",
        "gained": "delta > threshold",
        "different": "NOT same AND delta IS NOT NULL AND abs(delta) <= threshold",
        "failed": "delta IS NULL",
        "all": "true",
    }[kind]


def _sliced(table: str) -> str:
    """A row for each item and key."""
    return (
        f"SELECT base, candidate, delta, e.key, e.value FROM {table}, unnest(map_entries(slices)) AS t(e) "
        f"WHERE e.key <> '{_NO_SLICE}'"
    )


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
