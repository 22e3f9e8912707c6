"""Does a judge favour what it is shown first?

A single judgement counts 1 for the first position, -1 for the second and 0 for a tie. The bias is their mean: the share
of judgements that the first position won minus the share that the second won. Where a judge has no such bias it is 0
whatever the models are worth, because each model stands first as often as second; that needs both orders, so where one
of them could not be read at all, a judge's judgements of that item are left out. A bias of 0.2 means: an answer wins 20
points more often as the first than as the second (ties count half).

An item is one unit, with both orders, all repeats and all judges, because they all read the same two answers. Within an
item, repeats are averaged first, then orders, then judges, which is the plain mean where nothing is missing.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from harness.comparison.statistics import Interval, Test, paired_interval, paired_p
from harness.judge.statistics.differences import difference_sample
from harness.judge.statistics.judgements import Choice, Judgements


@dataclass(frozen=True, slots=True)
class PositionBias:
    """How much more often the first position wins.

    Attributes:
        bias: in [-1, 1]; positive favours the first position.
        interval: of the bias, at the level asked for.
        p: two-sided p-value of "no bias".
        test: the test that gave `p`.
        items: items with both orders read by some judge.
        first: single judgements of those items that chose the first position.
        second: those that chose the second.
        ties: those that chose neither.
        shown: p <= alpha, a bias other than 0 is shown.
    """

    bias: float
    interval: Interval
    p: float
    test: Test
    items: int
    first: int
    second: int
    ties: int
    shown: bool


def position_bias(
    items: Sequence[Sequence[Judgements]],
    clusters: Sequence[Hashable | None] | None = None,
    *,
    alpha: float = 0.05,
    seed: int = 0,
) -> PositionBias | None:
    """The bias over all single judgements; None when no item was read in both orders.

    Args:
        items: for each item, the judgements of each judge.
        clusters: a label for each item, None for a cluster of its own.
        alpha: two-sided level of interval and test.
        seed: decides sign flips where they are drawn.
    """
    values: list[float] = []
    labels: list[Hashable | None] = []
    read: list[Choice] = []
    for position, judges in enumerate(items):
        biases = []
        for judgements in judges:
            orders = [_read(judgements.base_first), _read(judgements.candidate_first)]
            if all(orders):
                biases.append(sum(_lean(order) for order in orders) / 2)
                read += [choice for order in orders for choice in order]
        if biases:
            values.append(sum(biases) / len(biases))
            labels.append(None if clusters is None else clusters[position])
    if not values:
        return None
    sample = difference_sample(values, labels)
    interval, tested = paired_interval(sample, alpha=alpha), paired_p(sample, seed=seed)
    if interval is None or tested is None:
        return None
    return PositionBias(
        bias=sample.delta,
        interval=interval,
        p=tested[0],
        test=tested[1],
        items=len(values),
        first=read.count("first"),
        second=read.count("second"),
        ties=read.count("tie"),
        shown=tested[0] <= alpha,
    )


def _read(choices: Sequence[Choice]) -> list[Choice]:
    return [choice for choice in choices if choice != "unparsed"]


def _lean(choices: Sequence[Choice]) -> float:
    return (choices.count("first") - choices.count("second")) / len(choices)
