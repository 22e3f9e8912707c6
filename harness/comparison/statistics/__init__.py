"""Paired statistics: intervals, tests, power and the verdict rule.

`paired_statistics` computes everything about one task's two score vectors at once; Holm's adjustment (`holm`) and the
verdict (`reach_verdict`) follow when all tasks of a candidate are known.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.comparison.statistics.intervals import (
    FEW_CHANGES,
    Interval,
    paired_interval,
    score_interval,
    tango_bounds,
    wilson_bounds,
)
from harness.comparison.statistics.power import POWER, items_needed, minimum_detectable
from harness.comparison.statistics.sample import PairedSample, paired_sample
from harness.comparison.statistics.significance import DRAWS, Test, holm, mcnemar_exact, paired_p, sign_flip
from harness.comparison.statistics.verdict import (
    NOTES,
    NoteCode,
    Role,
    Verdict,
    VerdictInput,
    VerdictResult,
    reach_verdict,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "DRAWS",
    "FEW_CHANGES",
    "NOTES",
    "POWER",
    "Interval",
    "NoteCode",
    "PairedSample",
    "PairedStatistics",
    "Role",
    "Test",
    "Verdict",
    "VerdictInput",
    "VerdictResult",
    "holm",
    "items_needed",
    "mcnemar_exact",
    "minimum_detectable",
    "paired_interval",
    "paired_p",
    "paired_sample",
    "paired_statistics",
    "reach_verdict",
    "score_interval",
    "sign_flip",
    "tango_bounds",
    "wilson_bounds",
]


@dataclass(frozen=True, slots=True)
class PairedStatistics:
    """Everything about one task before the adjustment for several tasks.

    Attributes:
        sample: the reduced scores, for `items_needed`.
        ci: unadjusted interval of the difference; None when nothing was paired.
        p: unadjusted; None when nothing was paired.
        test: the test that gave `p`.
        mde: smallest difference this many items could have shown; None when they could show none.
        base_ci: interval of the base's mean.
        candidate_ci: interval of the candidate's mean.
    """

    sample: PairedSample
    ci: Interval | None
    p: float | None
    test: Test | None
    mde: float | None
    base_ci: Interval | None
    candidate_ci: Interval | None


def paired_statistics(
    base: ArrayLike,
    candidate: ArrayLike,
    clusters: Sequence[Hashable | None] | None = None,
    *,
    alpha: float = 0.05,
    seed: int = 0,
    draws: int = DRAWS,
) -> PairedStatistics:
    """Compare two score vectors over the same items, in the same order.

    Args:
        base: scores in [0, 1].
        candidate: scores of the same items in [0, 1].
        clusters: a label for each item, None for a cluster of its own.
        alpha: two-sided level of the intervals.
        seed: decides the sign flips where they are drawn.
        draws: how many sign flips are drawn.
    """
    sample = paired_sample(base, candidate, clusters)
    tested = paired_p(sample, seed=seed, draws=draws)
    return PairedStatistics(
        sample=sample,
        ci=paired_interval(sample, alpha=alpha),
        p=tested[0] if tested else None,
        test=tested[1] if tested else None,
        mde=minimum_detectable(sample, alpha=alpha),
        base_ci=score_interval(base, clusters, alpha=alpha),
        candidate_ci=score_interval(candidate, clusters, alpha=alpha),
    )
