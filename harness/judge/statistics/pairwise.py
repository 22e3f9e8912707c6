"""From pairwise judgements to one difference an item.

Every item is judged in both orders, by one judge or several, once or several times. `judgements` says how one judge's
judgements become an outcome; several judges decide by majority, and without one it is a tie. The result is a score in
{0, 0.5, 1} and a difference in {-1, 0, 1} for each scored item, and a paired sample for the intervals, tests and power
formulas of `harness.comparison.statistics`.

A judge that favours a position does not move the difference. Let it choose the candidate with probability p + b when
that is first and p - b when it is second, in two independent looks: both looks agree on the candidate with probability
(p + b)(p - b), on the base with (1 - p - b)(1 - p + b), and b cancels from what one is more than the other, 2p - 1.
What the bias costs is ties.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from harness.comparison.statistics import PairedSample
from harness.errors import InputError
from harness.judge.statistics.differences import difference_sample
from harness.judge.statistics.judgements import Consistency, Judged, Judgements, Outcome, judged, majority_outcome
from harness.judge.statistics.position import PositionBias, position_bias
from harness.judge.statistics.reliability import Reliability, krippendorff_alpha

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DIFFERENCE: dict[Outcome, float] = {"candidate": 1.0, "tie": 0.0, "base": -1.0, "unscored": float("nan")}


@dataclass(frozen=True, slots=True, eq=False)
class Pairwise:
    """Outcomes of pairwise judging; a win is the candidate's.

    Attributes:
        outcomes: one an item, in the order given.
        by_judge: for each item, each judge's outcome and whether its two orders agreed.
        scored: positions of the items that have a score, in order.
        score: (scored,) 1 win, 0.5 tie, 0 loss.
        difference: (scored,) 1 win, 0 tie, -1 loss: 2 * score - 1.
        wins: items that the candidate won.
        losses: items that the base won.
        ties: items that neither won, those included on which orders or judges disagree.
        unscored: items without a score; they are no losses.
        wavered: over items and judges, tie in one order and a winner in the other.
        flipped: over items and judges, the winner changed with the order.
        read: over items and judges, both orders could be read: what `wavered` and `flipped` are counted out of.
        reliability: Krippendorff's alpha (ordinal) of the judges' outcomes; its alpha is None with one judge.
        position: bias towards the first or second position; None when no item was read in both orders.
        clusters: a label for each item, as given.
    """

    outcomes: tuple[Outcome, ...]
    by_judge: tuple[tuple[Judged, ...], ...] = field(repr=False)
    scored: NDArray[np.int64] = field(repr=False)
    score: NDArray[np.float64] = field(repr=False)
    difference: NDArray[np.float64] = field(repr=False)
    wins: int
    losses: int
    ties: int
    unscored: int
    wavered: int
    flipped: int
    read: int
    reliability: Reliability
    position: PositionBias | None
    clusters: tuple[Hashable | None, ...] | None = field(repr=False)

    @property
    def inconsistent(self) -> int:
        """Over items and judges: the two orders did not say the same."""
        return self.wavered + self.flipped

    @property
    def win_rate(self) -> float | None:
        """Share of wins, a tie counting half; None when no item has a score."""
        scored = len(self.score)
        return (self.wins + self.ties / 2) / scored if scored else None

    def sample(self) -> PairedSample:
        """The scored items as a paired sample; its `delta` is the share of wins minus the share of losses.

        Where items have no clusters it is binary: the tests are Tango's and McNemar's. Half of an interval of `delta`,
        plus 0.5, is one of the win rate.
        """
        labels = None if self.clusters is None else [self.clusters[position] for position in self.scored]
        return difference_sample(self.difference, labels)


def pairwise(
    items: Sequence[Sequence[Judgements]],
    clusters: Sequence[Hashable | None] | None = None,
    *,
    alpha: float = 0.05,
    seed: int = 0,
) -> Pairwise:
    """Aggregate judgements over judges, orders and repeats.

    Args:
        items: for each item, the judgements of each judge, in the same order of judges. A judge that did not judge an
            item has none: empty tuples.
        clusters: a label for each item; items of one label were not sampled independently. None is its own cluster.
        alpha: two-sided level for the position bias.
        seed: decides sign flips where they are drawn.

    Raises:
        InputError: items differ in their number of judges, there is no judge, or the clusters do not pair.
    """
    if clusters is not None and len(clusters) != len(items):
        raise InputError(f"{len(clusters)} cluster labels for {len(items)} items")
    widths = {len(judges) for judges in items}
    if len(widths) > 1 or 0 in widths:
        raise InputError(
            f"items have between {min(widths)} and {max(widths)} judges",
            remedy="Give every item the same judges, with no judgements where one is missing.",
        )
    by_judge = tuple(tuple(judged(judgements) for judgements in judges) for judges in items)
    outcomes = tuple(majority_outcome([one.outcome for one in judges]) for judges in by_judge)
    everything = np.array([_DIFFERENCE[outcome] for outcome in outcomes], dtype=np.float64)
    scored = np.flatnonzero(~np.isnan(everything)).astype(np.int64)
    difference = everything[scored]
    consistency: list[Consistency] = [one.consistency for judges in by_judge for one in judges]
    return Pairwise(
        outcomes=outcomes,
        by_judge=by_judge,
        scored=scored,
        score=(difference + 1.0) / 2.0,
        difference=difference,
        wins=outcomes.count("candidate"),
        losses=outcomes.count("base"),
        ties=outcomes.count("tie"),
        unscored=outcomes.count("unscored"),
        wavered=consistency.count("wavered"),
        flipped=consistency.count("flipped"),
        read=len(consistency) - consistency.count("unknown"),
        reliability=krippendorff_alpha(
            [[_DIFFERENCE[one.outcome] for one in judges] for judges in by_judge], "ordinal"
        ),
        position=position_bias(items, clusters, alpha=alpha, seed=seed),
        clusters=None if clusters is None else tuple(clusters),
    )
