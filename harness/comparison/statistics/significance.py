"""Tests of "no difference", and Holm's adjustment for testing several tasks.

All randomness comes from the raw words of a seeded PCG64, whose stream numpy keeps stable across versions, and every
comparison that decides a p-value has a tolerance above rounding: the same seed gives the same p-value to the byte.

References: McNemar (1947) Psychometrika 12:153-157, exact as in Fagerland, Lydersen and Laake (2013) BMC Medical
Research Methodology 13:91; Phipson and Smyth (2010) Statistical Applications in Genetics and Molecular Biology 9:39
for (b + 1) / (m + 1); Holm (1979) Scandinavian Journal of Statistics 6:65-70.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeVar, overload

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.comparison.statistics.sample import PairedSample

# With the observed signs as one more, p-values are multiples of 1 / 10,000.
DRAWS = 9_999

_CHUNK_BYTES = 1 << 25

K = TypeVar("K")

Test = Literal["mcnemar-exact", "sign-flip-exact", "sign-flip"]


def paired_p(sample: PairedSample, *, seed: int = 0, draws: int = DRAWS) -> tuple[float, Test] | None:
    """Two-sided p-value of "no difference" and the test that gave it; None when there is no item.

    Binary and unclustered: exact McNemar. Else a sign-flip permutation test of the unit sums: if the sides do not
    differ, each unit's difference is as likely to have the other sign. It enumerates all signs when there are no more
    than `draws` of them.
    """
    if sample.n == 0:
        return None
    if sample.exact:
        return mcnemar_exact(sample.up, sample.down), "mcnemar-exact"
    return sign_flip(sample.unit_sums, seed=seed, draws=draws)


def mcnemar_exact(gained: int, lost: int) -> float:
    """Two-sided exact McNemar p-value: twice the smaller binomial tail of the discordant pairs, at most 1.

    Computed in whole numbers, so it is exact for any count.
    """
    discordant, smaller = gained + lost, min(gained, lost)
    tail = term = 1
    for k in range(smaller):
        term = term * (discordant - k) // (k + 1)
        tail += term
    return min(1.0, float(2 * tail / (1 << discordant)))


def sign_flip(sums: NDArray[np.float64], *, seed: int = 0, draws: int = DRAWS) -> tuple[float, Test]:
    """Two-sided sign-flip test of unit sums: the share of sign vectors whose sum is at least as far from 0.

    The sums are taken by size, without sign and in order: neither the order of the items nor which side is called the
    base changes the p-value. Units without a difference cannot flip anything and are left out.
    """
    sizes = np.sort(np.abs(sums))
    tolerance = 1e-9 * max(1.0, float(sizes.sum()))
    observed = abs(float(np.sort(sums).sum()))
    sizes = sizes[sizes > 1e-9]
    if len(sizes) == 0:
        return 1.0, "sign-flip-exact"
    threshold = observed - tolerance
    if 2 ** min(len(sizes), 62) <= draws:
        totals = np.zeros(1)
        for size in sizes:
            totals = np.concatenate([totals - size, totals + size])
        return int(np.count_nonzero(np.abs(totals) >= threshold)) / len(totals), "sign-flip-exact"
    words = -(-len(sizes) // 64)
    source = np.random.PCG64(seed)
    rows = max(1, _CHUNK_BYTES // (words * 64 * 8))
    total, extreme = float(sizes.sum()), 0
    for start in range(0, draws, rows):
        count = min(rows, draws - start)
        raw = source.random_raw(count * words).astype("<u8").view(np.uint8).reshape(count, words * 8)
        signs = np.unpackbits(raw, axis=1, count=len(sizes), bitorder="little")
        sums_of_draws = 2.0 * (signs.astype(np.float64) @ sizes) - total
        extreme += int(np.count_nonzero(np.abs(sums_of_draws) >= threshold))
    return (extreme + 1) / (draws + 1), "sign-flip"


@overload
def holm(p_values: Sequence[float | None]) -> list[float | None]: ...
@overload
def holm(p_values: Mapping[K, float | None]) -> dict[K, float | None]: ...
def holm(
    p_values: Sequence[float | None] | Mapping[K, float | None],
) -> list[float | None] | dict[K, float | None]:
    """Holm's step-down adjusted p-values, in the order given.

    The family must be fixed before looking: every primary metric of one candidate. None (nothing was paired, so
    nothing was tested) stays None and does not count.
    """
    if isinstance(p_values, Mapping):
        return dict(zip(p_values, holm(list(p_values.values())), strict=True))
    tested = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    running = 0.0
    for rank, (p, index) in enumerate(tested):
        running = max(running, min(1.0, p * (len(tested) - rank)))
        adjusted[index] = running
    return adjusted
