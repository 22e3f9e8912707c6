"""What changed from one run to the next, item by item, with the interval of `harness compare`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from harness.comparison.statistics import PairedSample, paired_interval, paired_p, paired_sample
from harness.review.pairs import Paired, Pairs
from harness.review.query import Query, literal


@dataclass(frozen=True, slots=True)
class PairedChange:
    """A difference of mean scores over the same items, its interval, and p, which is not adjusted."""

    delta: float
    ci: tuple[float, float]
    p: float


class Changes:
    """Paired differences of the runs of a store; the same two runs are read once."""

    def __init__(self, query: Query, pairs: Pairs) -> None:
        self._query = query
        self._pairs = pairs
        self.between = lru_cache(maxsize=1024)(self._between)

    def _between(self, paired: Paired, alpha: float) -> PairedChange | None:
        """The later run (`candidate`) against the earlier one (`base`), over the items that both have a score of.

        None where they share no item.

        Raises:
            InputError: a run cannot be read.
        """
        sample = self._sample(paired)
        if sample is None:
            return None
        ci, tested = paired_interval(sample, alpha=alpha), paired_p(sample)
        assert ci is not None
        assert tested is not None
        return PairedChange(sample.delta, ci.bounds, tested[0])

    def _sample(self, paired: Paired) -> PairedSample | None:
        # Scores of many items are few different pairs of values: those and their counts are all that is moved.
        earlier, later = (
            f"SELECT item_id, item_digest, {self._pairs.score(run, paired.metric)} AS score, "
            f"any_value(cluster) AS cluster FROM {self._query.samples(run)} "
            f"WHERE task = {literal(paired.task)} GROUP BY item_id, item_digest"
            for run in (paired.base, paired.candidate)
        )
        rows = self._query.rows(
            "SELECT e.score AS earlier, l.score AS later, e.cluster AS cluster, count(*) AS n "
            f"FROM ({earlier}) e JOIN ({later}) l USING (item_id, item_digest) "
            "WHERE e.score IS NOT NULL AND l.score IS NOT NULL GROUP BY ALL ORDER BY ALL",
            about=f"run {paired.candidate}",
        )
        if not rows:
            return None
        counts = [int(row[3]) for row in rows]
        clusters = (
            [row[2] for row in rows for _ in range(int(row[3]))] if any(row[2] is not None for row in rows) else None
        )
        return paired_sample(
            np.repeat([float(row[0]) for row in rows], counts),
            np.repeat([float(row[1]) for row in rows], counts),
            clusters,
        )
