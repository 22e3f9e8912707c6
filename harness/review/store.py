"""A store as the pages read it: what it holds (`catalog`) and, through DuckDB, its samples."""

from __future__ import annotations

from functools import lru_cache

from harness.review.catalog import Catalog, Listing
from harness.runs.files import RunStore


class ReviewStore:
    """A run store, read-only.

    Raises:
        InputError: the URL's kind of file system is not known here.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.runs = RunStore(url)
        self._listing = Listing(self.runs)

    def catalog(self, *, now: bool = False) -> Catalog:
        """What the store holds; `now` looks again even if the last look is recent."""
        return self._listing.catalog(now=now)


@lru_cache(maxsize=4)
def open_store(url: str) -> ReviewStore:
    """The store at `url`, one for all visitors: what one has had read, the next one finds."""
    return ReviewStore(url)
