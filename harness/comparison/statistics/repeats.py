"""Several sampled answers to one item: pass@k, majority vote, and where the variance of a mean comes from.

References: Chen et al. (2021) "Evaluating Large Language Models Trained on Code", arXiv:2107.03374, equation 1
(pass@k); Wang et al. (2022) "Self-Consistency Improves Chain of Thought Reasoning in Language Models",
arXiv:2203.11171 (the majority vote); Miller (2024) "Adding Error Bars to Evals", arXiv:2411.00640, section 3.1:
Var(mean) = (Var(item means) + E[variance within an item] / K) / n. The components are those of a one-way
random-effects analysis of variance, estimated by its mean squares (Searle, Casella and McCulloch 1992, "Variance
Components", chapter 3).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.comparison.statistics.sample import checked_scores, group_items, mean, unit_sums
from harness.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def pass_at_k(n: int, c: int, k: int) -> float:
    """Chance that at least one of k answers is right, estimated without bias from n answers of which c are.

    It is 1 - C(n - c, k) / C(n, k): the share of the subsets of k answers that hold a right one.

    Raises:
        InputError: not 0 <= c <= n, or not 1 <= k <= n.
    """
    if not 0 <= c <= n or not 1 <= k <= n:
        raise InputError(f"pass@{k} cannot be estimated from {n} answers of which {c} are right")
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)


def pass_sizes(n: int) -> tuple[int, ...]:
    """The k of pass@k that are worth showing for n answers: powers of two, and n itself."""
    powers = [1 << power for power in range(n.bit_length()) if 1 << power < n]
    return (*powers, n)


def majority(answers: Sequence[str | None]) -> int | None:
    """Position of the first answer that says what most answers say; of a tie, what was said first.

    Args:
        answers: what each answer says; None has no vote.

    Returns:
        None when no answer says anything.
    """
    votes = Counter(answer for answer in answers if answer is not None)
    if not votes:
        return None
    # Counter keeps the order of first appearance, and max takes the first of equals.
    return answers.index(max(votes, key=votes.__getitem__))


@dataclass(frozen=True, slots=True)
class VarianceParts:
    """Where the variance of a mean over items, each the mean of K answers, comes from.

    Attributes:
        between: variance of the items' true means: how much items differ. Estimated as the variance of the observed
            means less what the draws add to it, `within` / K; 0 where that is negative. Unit: squared score.
        within: variance of the answers to one item, averaged over the items: how much repeats differ. For a
            difference, the sum of both sides'.
        se: standard error of the mean, the one that its interval is made of (cluster-robust where there are clusters).
        se_items: the part that only more items (or clusters) shrink; se^2 = se_items^2 + se_repeats^2.
        se_repeats: the part that more repeats shrink as well, sqrt(within / (K n)); no more than `se`.
    """

    between: float
    within: float
    se: float
    se_items: float
    se_repeats: float


def variance_parts(scores: ArrayLike, clusters: Sequence[Hashable | None] | None = None) -> VarianceParts | None:
    """Components of one side's scores; None for fewer than two items.

    Args:
        scores: in [0, 1], shape (items, K) with K >= 2.
        clusters: a label for each item, None for a cluster of its own.

    Raises:
        InputError: another shape, or a score outside [0, 1].
    """
    table = _table(scores, "scores")
    return _parts(table.mean(axis=1), _within(table), table.shape[1], clusters)


def difference_parts(
    base: ArrayLike, candidate: ArrayLike, clusters: Sequence[Hashable | None] | None = None
) -> VarianceParts | None:
    """Components of candidate - base, paired by item; None for fewer than two items.

    The draws of the two sides are independent given the item, so their variances within items add up; the variance
    between items is that of the items' true differences.

    Args:
        base, candidate: scores in [0, 1], shape (items, K) with K >= 2, the same items in the same order.
        clusters: as in `variance_parts`.

    Raises:
        InputError: the shapes are others or not the same, or a score lies outside [0, 1].
    """
    left, right = _table(base, "base"), _table(candidate, "candidate")
    if left.shape != right.shape:
        raise InputError(f"base scores of shape {left.shape} and candidate scores of shape {right.shape} do not pair")
    means = right.mean(axis=1) - left.mean(axis=1)
    return _parts(means, _within(left) + _within(right), left.shape[1], clusters)


def _table(scores: ArrayLike, side: str) -> NDArray[np.float64]:
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise InputError(f"needs scores of shape (items, 2 or more repeats), not {table.shape}", where=side)
    checked_scores(table.ravel(), side)
    return table


def _within(table: NDArray[np.float64]) -> float:
    return mean(table.var(axis=1, ddof=1))


def _parts(
    means: NDArray[np.float64], within: float, repeats: int, clusters: Sequence[Hashable | None] | None
) -> VarianceParts | None:
    n = len(means)
    if n < 2:
        return None
    _, se = unit_sums(means, group_items(n, clusters), mean(means))
    # No more than the whole: an estimate of the draws' part can exceed the variance that was seen.
    of_repeats = min(within / (repeats * n), se**2)
    return VarianceParts(
        between=max(0.0, float(means.var(ddof=1)) - within / repeats),
        within=within,
        se=se,
        se_items=math.sqrt(se**2 - of_repeats),
        se_repeats=math.sqrt(of_repeats),
    )
