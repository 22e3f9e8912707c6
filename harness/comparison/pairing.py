"""Pair two runs item by item, never by position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.runs.samples import Sample


@dataclass(frozen=True)
class Side:
    """All repeats of one item on one side."""

    samples: tuple[Sample, ...]

    @property
    def answered(self) -> bool:
        """True when no repeat failed."""
        return all(not sample.error for sample in self.samples)

    @property
    def missing(self) -> bool:
        return any(sample.missing for sample in self.samples)

    @property
    def drawn(self) -> int:
        """How many answers there are: repeats that share a completion (greedy decoding) are one."""
        return len({sample.completion_key for sample in self.samples})

    def value(self, metric: str) -> float | None:
        """Mean over repeats; None when a repeat failed or its scorer did."""
        values = [s.scores[metric].value if metric in s.scores else None for s in self.samples]
        if not values or any(value is None for value in values):
            return None
        return sum(value for value in values if value is not None) / len(values)

    def unextracted(self, metric: str) -> bool:
        return any(metric in s.scores and s.scores[metric].unextracted for s in self.samples)

    def unscored(self, metric: str) -> bool:
        return self.answered and self.value(metric) is None


@dataclass(frozen=True)
class Pair:
    """One item answered by both sides."""

    item_id: str
    cluster: str | None
    slices: dict[str, str]
    base: Side
    candidate: Side

    @property
    def same_answer(self) -> bool:
        """True when both sides gave the same texts."""
        return [s.output for s in self.base.samples] == [s.output for s in self.candidate.samples]


@dataclass(frozen=True)
class Pairing:
    """Pairs in the base's order, and the items that have no partner."""

    pairs: tuple[Pair, ...]
    unpaired: tuple[str, ...]


def pair(base: Sequence[Sample], candidate: Sequence[Sample]) -> Pairing:
    """Join on item id and item digest: an edited item is another item, on whichever side it was edited."""
    left, right = _by_item(base), _by_item(candidate)
    pairs = tuple(
        Pair(key[0], samples[0].cluster, dict(samples[0].slices), Side(tuple(samples)), Side(tuple(right[key])))
        for key, samples in left.items()
        if key in right
    )
    lone = [key[0] for key in [*left, *right] if key not in left or key not in right]
    return Pairing(pairs, tuple(dict.fromkeys(lone)))


def _by_item(samples: Sequence[Sample]) -> dict[tuple[str, str], list[Sample]]:
    found: dict[tuple[str, str], list[Sample]] = {}
    for sample in sorted(samples, key=lambda s: s.repeat):
        found.setdefault((sample.item_id, sample.item_digest), []).append(sample)
    # Back in the order of the items, which sorting by repeat keeps (it is stable) within each repeat.
    return found
