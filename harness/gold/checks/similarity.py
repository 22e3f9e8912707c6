"""Which of many texts are nearly the same: MinHash finds candidates, true Jaccard decides.

A text is the set of its character n-grams: pairs of Chinese characters (Chinese words mostly have two) and triples of
everything else, over the normalised text. Likeness is the Jaccard index of two such sets. Signatures come from
`rensa` (R-MinHash, 256 slots) and are cut into bands (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets,
section 3.4): two texts that agree on a whole band are candidates. Only candidates whose sets really reach the
threshold are returned, so nothing is reported that is not so. At a likeness of 0.7 a pair is missed with a probability
of 1e-14 in sets of up to 4,000 texts, 3e-8 up to 20,000 and 8e-5 beyond, and the more alike, the less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from harness.text import HAN

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Keys = NDArray[np.uint64]
    Indices = NDArray[np.int64]
    Floats = NDArray[np.float64]

_Scalar = TypeVar("_Scalar", bound=np.generic)

#: Pairs from this Jaccard index on are near duplicates. One word replaced in a question of 20 Chinese characters leaves
#: 0.73, one character 0.81; two unrelated questions of one field seldom reach 0.3.
THRESHOLD = 0.7

_SLOTS = 256
_SEED = 20261122
#: Longer bands make fewer false candidates, and small sets can afford many: (texts up to, slots in a band).
_BANDS = ((4_000, 3), (20_000, 4), (None, 5))
#: At most so many candidates are looked at, so that a set made from one template ends too.
_CANDIDATES = 24_000_000
_CHUNK = 4096
_VERIFIED_AT_ONCE = 200_000
_HAN_RANGES = tuple(
    (ord(low), ord(high or low)) for low, high in re.findall(r"(.)(?:-(.))?", re.sub(r"\\[uU]([0-9a-f]+)",
     lambda found: chr(int(found[1], 16)), HAN))
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shingles:
    """The n-gram sets of texts: those of text i are `keys[starts[i]:starts[i + 1]]`, ascending. A key is the n-gram
    itself (21 bits a character), not a hash of it."""

    keys: Keys
    starts: Indices

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def sizes(self) -> Indices:
        """How many n-grams each text has."""
        return np.diff(self.starts)

    def some(self, which: Indices) -> Shingles:
        """The sets of some of the texts, in that order."""
        sizes = self.sizes[which]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        return Shingles(self.keys[_ranges(self.starts[which], sizes)], starts)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of texts by their positions, with their Jaccard index.

    Attributes:
        complete: False when the texts were so alike that not every candidate could be looked at.
    """

    left: Indices
    right: Indices
    jaccard: Floats
    complete: bool = True

    def __len__(self) -> int:
        return len(self.left)

    def __iter__(self) -> Iterator[tuple[int, int, float]]:
        return zip(self.left.tolist(), self.right.tolist(), self.jaccard.tolist(), strict=True)


def shingle(texts: Sequence[str]) -> Shingles:
    """The n-gram sets of normalised texts; a text that is too short for one is its own only element."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    lengths = np.fromiter((len(text) for text in texts), dtype=np.int64, count=len(texts))
    owner = np.repeat(np.arange(len(texts)), lengths)
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(codes))  # characters to the text's end
    han = np.zeros(len(codes), dtype=bool)
    for low, high in _HAN_RANGES:
        han |= (codes >= low) & (codes <= high)
    wide = codes.astype(np.uint64)
    second, third = _shifted(wide, 1), _shifted(wide, 2)
    pair = han & _shifted(han, 1) & (left >= 2)
    keys = wide | (second << np.uint64(21)) * (left >= 2) | (third << np.uint64(42)) * ((left >= 3) & ~pair)
    whole = left == np.repeat(lengths, lengths)  # of a short text, what there is
    kept = pair | (left >= 3) | (whole & (np.repeat(lengths, lengths) < 3))
    return _as_sets(keys[kept], owner[kept], len(texts))


def near_pairs(shingles: Shingles, threshold: float = THRESHOLD, blocks: Indices | None = None) -> Pairs:
    """The pairs of texts within one set whose Jaccard index reaches the threshold; left < right, in order.

    Args:
        threshold: from 0.5 on; the banding is made for 0.7.
        blocks: a label for each text; only texts of one label are compared.
    """
    marks = _band_keys(shingles, _rows_for(len(shingles)), blocks)
    sets = _Sets(shingles)
    found: list[Pairs] = []
    budget = _Budget(_CANDIDATES, marks.shape[1])
    for band in range(marks.shape[1]):
        for left, right in _same_key(marks[:, band], budget):
            fresh = ~(marks[left, :band] == marks[right, :band]).any(axis=1)  # else an earlier band gave it
            found.append(sets.verified(left[fresh], right[fresh], threshold))
        budget.next_band()
    left, right = (np.concatenate([getattr(part, side) for part in found] or [[]]) for side in ("left", "right"))
    jaccard = np.concatenate([part.jaccard for part in found] or [np.zeros(0)])
    low, high = np.minimum(left, right).astype(np.int64), np.maximum(left, right).astype(np.int64)
    order = np.lexsort((high, low))
    return Pairs(low[order], high[order], jaccard[order], budget.kept)


class NearIndex:
    """Texts that many others, which come in batches, are held against."""

    def __init__(self, shingles: Shingles, threshold: float = THRESHOLD, blocks: Indices | None = None) -> None:
        """
        Args:
            blocks: a label for each text; only texts of one label are compared.
        """
        self._sets, self._threshold = _Sets(shingles), threshold
        sizes = shingles.sizes
        self._shortest = float(sizes.min()) * threshold if len(sizes) else 0.0
        self._longest = float(sizes.max()) / threshold if len(sizes) else 0.0
        self._rows = 4
        marks = _band_keys(shingles, self._rows, blocks)
        self._orders = [np.argsort(marks[:, band], kind="stable") for band in range(marks.shape[1])]
        self._sorted = [marks[order, band] for band, order in enumerate(self._orders)]

    def near(self, others: Shingles, blocks: Indices | None = None) -> Pairs:
        """Pairs (position here, position in `others`) that reach the threshold, in order."""
        sizes = others.sizes
        fitting = np.flatnonzero((sizes >= self._shortest) & (sizes <= self._longest))
        if not len(fitting):
            return Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
        marks = _band_keys(others.some(fitting), self._rows, None if blocks is None else blocks[fitting])
        codes: list[Indices] = []
        for band, (order, keys) in enumerate(zip(self._orders, self._sorted, strict=True)):
            first = np.searchsorted(keys, marks[:, band], side="left")
            count = np.searchsorted(keys, marks[:, band], side="right") - first
            hit = np.flatnonzero(count)
            here = order[_ranges(first[hit], count[hit])]
            codes.append(here * np.int64(len(sizes)) + np.repeat(fitting[hit], count[hit]))
        unique = np.unique(np.concatenate(codes))
        return self._sets.verified(unique // len(sizes), unique % len(sizes), self._threshold, others)


def clusters(count: int, left: Indices, right: Indices) -> Indices:
    """A label for each of `count` texts; texts that pairs join, directly or through others, share one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(count, count))
    labels: Indices = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels


class _Budget:
    """How many candidates may still be looked at; what a band leaves over goes to the next ones."""

    def __init__(self, total: int, bands: int) -> None:
        self._share = max(total // max(bands, 1), 1)
        self._left = self._share
        self.kept = True

    def take(self, wanted: int) -> bool:
        if wanted > self._left:
            self.kept = False
            return False
        self._left -= wanted
        return True

    def next_band(self) -> None:
        self._left += self._share


def _rows_for(count: int) -> int:
    return next(rows for most, rows in _BANDS if most is None or count <= most)


def _shifted(values: NDArray[_Scalar], by: int) -> NDArray[_Scalar]:
    """The value `by` places further on; nothing beyond the end."""
    out = np.zeros_like(values)
    if by < len(values):
        out[:-by] = values[by:]
    return out


def _as_sets(keys: Keys, owner: Indices, count: int) -> Shingles:
    order = np.lexsort((keys, owner))
    keys, owner = keys[order], owner[order]
    first = np.ones(len(keys), dtype=bool)
    first[1:] = (keys[1:] != keys[:-1]) | (owner[1:] != owner[:-1])
    return Shingles(keys[first], np.searchsorted(owner[first], np.arange(count + 1)).astype(np.int64))


def _ranges(first: Indices, count: Indices) -> Indices:
    """first[0], first[0] + 1, … (count[0] numbers), first[1], …"""
    ends = np.cumsum(count)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) - np.repeat(ends - count - first, count)


def _band_keys(shingles: Shingles, rows: int, blocks: Indices | None) -> Keys:
    """For each text and band a number that two texts share when they agree on all slots of the band and on the block.

    The sketches are taken a few thousand at a time: as Python integers, all of them would fill gigabytes.
    """
    from rensa import RMinHash

    bands = _SLOTS // rows
    made = np.empty((len(shingles), bands), dtype=np.uint64)
    prime = np.uint64(0x9E3779B97F4A7C15)
    for begin in range(0, len(shingles), _CHUNK):
        end = min(begin + _CHUNK, len(shingles))
        starts = shingles.starts[begin : end + 1]
        keys = np.ascontiguousarray(shingles.keys[starts[0] : starts[-1]])
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(
            keys, (starts - starts[0]).astype(np.uint64), _SLOTS, _SEED
        )
        slots = np.array(matrix.to_rows(), dtype=np.uint64).reshape(end - begin, _SLOTS)
        mixed = np.zeros((end - begin, bands), dtype=np.uint64)
        if blocks is not None:
            mixed += blocks[begin:end, None].astype(np.uint64)
        for row in range(rows):
            mixed = (mixed ^ slots[:, row : bands * rows : rows]) * prime
            mixed ^= mixed >> np.uint64(29)
        made[begin:end] = mixed
    return made


def _same_key(keys: Keys, budget: _Budget) -> Iterator[tuple[Indices, Indices]]:
    """Pairs of positions with one key: neighbours in sorted order first, then those two apart, and so on."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    at = np.flatnonzero(ordered[1:] == ordered[:-1])
    apart = 1
    while len(at):
        if not budget.take(len(at)):
            return
        yield order[at], order[at + apart]
        apart += 1
        at = at[at + apart < len(ordered)]
        at = at[ordered[at] == ordered[at + apart]]


class _Sets:
    """The sets as rows of a sparse matrix, to intersect many pairs at once."""

    def __init__(self, shingles: Shingles) -> None:
        self._known = np.unique(shingles.keys)
        self._sizes = shingles.sizes
        self._matrix = self._rows(shingles)

    def verified(self, left: Indices, right: Indices, threshold: float, others: Shingles | None = None) -> Pairs:
        """Of the candidates, those whose true Jaccard index reaches the threshold.

        Args:
            others: what `right` counts in; default: these sets.
        """
        matrix, sizes = (self._matrix, self._sizes) if others is None else (self._rows(others), others.sizes)
        one, two = self._sizes[left], sizes[right]
        possible = np.minimum(one, two) >= threshold * np.maximum(one, two)  # the smaller set holds the intersection
        left, right, total = left[possible], right[possible], (one + two)[possible]
        shared = np.zeros(len(left))
        for begin in range(0, len(left), _VERIFIED_AT_ONCE):
            part = slice(begin, begin + _VERIFIED_AT_ONCE)
            shared[part] = self._matrix[left[part]].multiply(matrix[right[part]]).sum(axis=1)
        jaccard = shared / np.maximum(total - shared, 1)
        kept = jaccard >= threshold
        return Pairs(left[kept], right[kept], jaccard[kept])

    def _rows(self, shingles: Shingles) -> csr_array:
        """N-grams that these sets do not know are left out: they are in no intersection."""
        from scipy.sparse import csr_array

        column = np.searchsorted(self._known, shingles.keys)
        known = column < len(self._known)
        known[known] = self._known[column[known]] == shingles.keys[known]
        starts = np.concatenate([[0], np.cumsum(known)])[shingles.starts]
        ones = np.ones(int(known.sum()), dtype=np.int32)
        return csr_array((ones, column[known], starts), shape=(len(shingles), max(len(self._known), 1)))
