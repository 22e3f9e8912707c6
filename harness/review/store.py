"""A store as the pages read it: what it holds, and through DuckDB its samples."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from harness.review.catalog import Catalog, Listing
from harness.review.changes import Changes
from harness.review.comparing import Comparing
from harness.review.gold import GoldSource
from harness.review.judged import Judged
from harness.review.pairs import Pairs
from harness.review.query import Query
from harness.review.releases import Releases
from harness.review.settings import Settings
from harness.runs.files import RunStore


class ReviewStore:
    """A run store, read-only.

    Args:
        folder: where suites and gold sets are looked up.
        copies: gold set name -> local copy.

    Attributes:
        query: statements over its files.
        pairs: two runs item by item.
        comparing: comparisons of any two runs.
        judged: what judges said of answers.
        gold: where the gold side of items is found.
        changes: what changed from one run to the next.
        releases: what was signed off.

    Raises:
        InputError: the URL's kind of file system is not known here.
    """

    def __init__(self, url: str, folder: Path, copies: dict[str, str]) -> None:
        self.url = url
        self.runs = RunStore(url)
        self.query = Query(self.runs)
        self.pairs = Pairs(self.query)
        self.comparing = Comparing(self.query, folder, copies)
        self.judged = Judged(self.runs, self.query)
        self.gold = GoldSource.of(folder, copies)
        self.changes = Changes(self.query, self.pairs)
        self.releases = Releases(self.runs)
        self._listing = Listing(self.runs)

    def catalog(self, *, now: bool = False) -> Catalog:
        """What the store holds; `now` looks again even if the last look is recent."""
        return self._listing.catalog(now=now)


def open_store(settings: Settings) -> ReviewStore:
    """The store of a server, one for all visitors: what one has had read, the next one finds."""
    return _open(settings.model_dump_json())


@lru_cache(maxsize=4)
def _open(settings: str) -> ReviewStore:
    found = Settings.model_validate_json(settings)
    return ReviewStore(found.store, found.folder, found.goldsets)
