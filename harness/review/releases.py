"""Which candidates a release review approved, as a mark beside their scores."""

from __future__ import annotations

import threading
import time

from harness.comparison.results import Comparison
from harness.errors import InputError
from harness.release.signoffs import read_signoffs
from harness.review.catalog import FRESH_FOR_REMOTE
from harness.runs.files import RunStore

#: Seconds after which a sign-off is seen.
FRESH_FOR = 5.0


class Releases:
    """Sign-offs of the comparisons of a store; they may be added to at any time."""

    def __init__(self, runs: RunStore) -> None:
        self._runs = runs
        self._fresh_for = FRESH_FOR if runs.local else FRESH_FOR_REMOTE
        self._read: dict[str, tuple[float, frozenset[str]]] = {}
        self._lock = threading.Lock()

    def approved(self, comparison: Comparison) -> frozenset[str]:
        """Names of the candidates that may be released by the decisions that stand."""
        with self._lock:
            looked, found = self._read.get(comparison.id, (0.0, frozenset[str]()))
            if time.monotonic() - looked > self._fresh_for or not looked:
                found = self._approved(comparison)
                self._read[comparison.id] = (time.monotonic(), found)
            return found

    def _approved(self, comparison: Comparison) -> frozenset[str]:
        try:
            signed = read_signoffs(self._runs, comparison.id)
        except (InputError, OSError):  # the page Release review says what is wrong with them
            return frozenset()
        return frozenset(one.candidate for one in comparison.comparisons if signed.state(one.candidate) == "approved")
