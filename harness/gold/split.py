"""Dividing items into a part to train on and a part to measure with.

What belongs together stays together: near duplicates (`checks.Material`), one question with several answers, and items
of one declared `cluster`. A gold question whose twin was trained on measures memory.

The gold part is stratified: each stratum gets its share by largest remainder, so the shares add up to the wish exactly.
Within a stratum whole clusters are drawn in an order that a hash of their content and the seed decides: neither the
order of the file nor ids matter, and one more item in the file moves few others.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError, did_you_mean
from harness.gold.checks.material import Material, groups
from harness.gold.checks.similarity import THRESHOLD
from harness.gold.goldset import GoldSet
from harness.gold.item import Item

#: Strata when nothing is said, as far as items carry these labels.
USUAL = ("topic", "difficulty")
_MOST_LABELS = 60


@dataclass(frozen=True, slots=True)
class Stratum:
    """One combination of labels.

    Attributes:
        items: in the whole file. A cluster over several strata counts in the one most of its items are in.
        wanted: for the gold part, by largest remainder.
        gold: what the gold part got; clusters are not cut, so it may differ.
    """

    labels: tuple[str, ...]
    items: int
    wanted: int
    gold: int


@dataclass(frozen=True, slots=True)
class Split:
    """Positions of the items of both parts, in file order, and how well the strata came out.

    Attributes:
        clusters: sizes of the clusters of more than one item, largest first.
        complete: False when the items were too alike for every pair to be compared.
    """

    gold: tuple[int, ...]
    train: tuple[int, ...]
    by: tuple[str, ...]
    strata: tuple[Stratum, ...]
    clusters: tuple[int, ...]
    complete: bool

    @property
    def unbalanced(self) -> tuple[Stratum, ...]:
        """Strata that could not get what they wanted, or nothing at all."""
        return tuple(part for part in self.strata if part.gold != part.wanted or (part.items and not part.gold))


def split_items(
    items: Sequence[Item],
    gold: int,
    *,
    by: Sequence[str] | None = None,
    labels: Sequence[Mapping[str, str]] | None = None,
    seed: int = 0,
    threshold: float = THRESHOLD,
) -> Split:
    """Draw a gold part of about `gold` items; never more, and less only where clusters do not fit.

    Args:
        by: keys of `metadata` (or "language") to stratify by; default: `topic` and `difficulty` where items have them.
        labels: further keys for each item, such as the columns of the file it came from.
        seed: another seed, another draw.
        threshold: Jaccard index from which on two questions are near duplicates.

    Raises:
        InputError: `gold` leaves one part empty, or no item has a key of `by`.
    """
    if not 0 < gold < len(items):
        raise InputError(
            f"{gold} of {len(items)} items leaves one part empty", where="--gold", remedy="Say how many to keep for it."
        )
    material = Material(GoldSet(name="split", items=tuple(items), path=Path("split")), threshold)
    by = _keys(items, labels, by)
    strata_of = [_labels(item, by, labels[at] if labels else {}) for at, item in enumerate(items)]
    clusters = groups(material.units.tolist())
    order = {id(cluster): _draw(cluster, items, seed) for cluster in clusters}
    homes: defaultdict[tuple[str, ...], list[list[int]]] = defaultdict(list)
    for cluster in sorted(clusters, key=lambda cluster: order[id(cluster)]):
        counted = Counter(strata_of[at] for at in cluster)
        homes[max(counted, key=lambda labels: (counted[labels], labels))].append(cluster)
    sizes = {labels: sum(map(len, homes[labels])) for labels in sorted(homes)}
    wanted = largest_remainder(sizes, gold)
    taken: dict[tuple[str, ...], list[list[int]]] = {}
    for labels_, quota in wanted.items():
        taken[labels_] = _fill(homes[labels_], quota)
    _top_up(homes, taken, wanted, gold)
    chosen = {at for clusters_ in taken.values() for cluster in clusters_ for at in cluster}
    return Split(
        gold=tuple(sorted(chosen)),
        train=tuple(at for at in range(len(items)) if at not in chosen),
        by=tuple(by),
        strata=tuple(
            Stratum(labels_, sizes[labels_], wanted[labels_], sum(map(len, taken[labels_]))) for labels_ in sizes
        ),
        clusters=tuple(sorted((len(cluster) for cluster in clusters if len(cluster) > 1), reverse=True)),
        complete=material.alike.complete,
    )


def largest_remainder(sizes: Mapping[tuple[str, ...], int], seats: int) -> dict[tuple[str, ...], int]:
    """`seats` shared out in proportion to sizes (Hamilton's method): the floors, then one each by largest remainder."""
    total = sum(sizes.values())
    shares = {name: divmod(size * seats, total) for name, size in sizes.items()}
    given = {name: floor for name, (floor, _) in shares.items()}
    left = seats - sum(given.values())
    for name in sorted(shares, key=lambda name: (-shares[name][1], name))[:left]:
        given[name] += 1
    return given


def _keys(
    items: Sequence[Item], labels: Sequence[Mapping[str, str]] | None, by: Sequence[str] | None
) -> tuple[str, ...]:
    known = {key for item in items for key in item.metadata} | {"language"}
    known |= {key for row in labels or () for key in row}
    if by is None:
        usual = [key for key in USUAL if any(key in item.metadata for item in items)]
        return tuple(key for key in usual if len({str(item.metadata.get(key)) for item in items}) <= _MOST_LABELS)
    for key in by:
        if key not in known:
            raise InputError(f"no item has {key!r}", where="--by", remedy=did_you_mean(key, known))
    return tuple(by)


def _labels(item: Item, by: Sequence[str], row: Mapping[str, str]) -> tuple[str, ...]:
    found = []
    for key in by:
        value = item.language if key == "language" else item.metadata.get(key, row.get(key))
        found.append("-" if value is None else str(value))
    return tuple(found)


def _draw(cluster: Sequence[int], items: Sequence[Item], seed: int) -> str:
    """Where a cluster stands in the draw: by content, so that twins of one digest stand together."""
    content = "\n".join(sorted(items[at].digest for at in cluster))
    return hashlib.sha256(f"{seed}\n{content}".encode()).hexdigest()


def _fill(clusters: Sequence[list[int]], quota: int) -> list[list[int]]:
    """Clusters in drawn order, each that still fits."""
    taken: list[list[int]] = []
    for cluster in clusters:
        if len(cluster) <= quota:
            taken.append(cluster)
            quota -= len(cluster)
    return taken


def _top_up(
    homes: Mapping[tuple[str, ...], list[list[int]]],
    taken: dict[tuple[str, ...], list[list[int]]],
    wanted: Mapping[tuple[str, ...], int],
    gold: int,
) -> None:
    """Where clusters left gaps, at most one more cluster from each stratum, the largest ones first."""
    missing = gold - sum(len(cluster) for clusters in taken.values() for cluster in clusters)
    for labels in sorted(homes, key=lambda labels: (-wanted[labels], labels)):
        if missing <= 0:
            return
        inside = {id(cluster) for cluster in taken[labels]}
        extra = next((c for c in homes[labels] if id(c) not in inside and len(c) <= missing), None)
        if extra is not None:
            taken[labels].append(extra)
            missing -= len(extra)
