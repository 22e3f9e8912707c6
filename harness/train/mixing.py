"""Several sources in given shares."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.train.data import Example, SourceData


@dataclass(frozen=True)
class Part:
    """What a source gives to the mix. `taken` may exceed `available`: the source is then seen more than once."""

    name: str
    available: int
    taken: int

    @property
    def passes(self) -> float:
        """How often each of its examples is seen in one epoch."""
        return self.taken / self.available


@dataclass(frozen=True)
class Mixture:
    """The examples of one epoch, in random order, and what each source gave."""

    examples: tuple[Example, ...]
    parts: tuple[Part, ...]


def mix(sources: Sequence[SourceData], shares: Mapping[str, float], seed: int, limits: Mapping[str, int]) -> Mixture:
    """The examples of one epoch.

    The first source with a share is used whole and sets the scale. The others give their share of it: drawn without
    replacement, and in whole passes first where they have too few.

    Args:
        shares: by source; empty: every source whole. A share of 0 leaves the source out.
        limits: most examples of a source, drawn before anything else.
    """
    pools = {source.name: _drawn(source, limits.get(source.name), seed) for source in sources}
    if not shares:
        counts = {name: len(pool) for name, pool in pools.items()}
    else:
        first = next(name for name, share in shares.items() if share)
        unit = len(pools[first]) / shares[first]
        counts = {name: round(unit * share) for name, share in shares.items() if share}
    chosen: list[Example] = []
    for name, count in counts.items():
        chosen += _take(pools[name], count, random.Random(f"{seed}:{name}"))
    random.Random(f"{seed}:order").shuffle(chosen)
    parts = tuple(Part(name, len(pools[name]), count) for name, count in counts.items())
    return Mixture(tuple(chosen), parts)


def _drawn(source: SourceData, limit: int | None, seed: int) -> list[Example]:
    """By a hash of seed and content: a few new rows move few others."""
    pool = list(source.examples)
    if limit is None or limit >= len(pool):
        return pool
    from harness.digest import digest_bytes

    return sorted(pool, key=lambda example: digest_bytes(f"{seed}:{example.key}".encode()))[:limit]


def _take(pool: Sequence[Example], count: int, rng: random.Random) -> list[Example]:
    passes, rest = divmod(count, len(pool))
    return list(pool) * passes + rng.sample(list(pool), rest)
