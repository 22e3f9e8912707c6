"""The two halves of a gold set when something is chosen with it: one to choose on, one to report once.

Whoever picks the best of several checkpoints on some items and reports the score on the same items reports luck as
well. The halves are drawn by `split_items`: near duplicates and clusters stay together, topics and tiers are balanced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.errors import InputError
from harness.gold.goldset import GoldSet
from harness.gold.item import Item
from harness.gold.split import split_items


@dataclass(frozen=True)
class Part:
    """One half of every gold set.

    Attributes:
        name: `dev` is what choices are made on, `test` what is asked once.
        dev: share of the items that the dev half gets, between 0 and 1.
        seed: another seed, other halves.
    """

    name: Literal["dev", "test"]
    dev: float = 0.5
    seed: int = 0

    def of(self, goldset: GoldSet) -> tuple[Item, ...]:
        """Its items, in the order of the file.

        Raises:
            InputError: there are too few items for two halves.
        """
        wanted = round(len(goldset.items) * (1.0 - self.dev))
        if not 0 < wanted < len(goldset.items):
            raise InputError(
                f"{len(goldset.items)} items cannot be divided into a dev half ({self.dev:.0%}) and a test half",
                where=f"gold set {goldset.name!r}",
                remedy="Take a larger gold set, or another share.",
            )
        halves = split_items(goldset.items, wanted, seed=self.seed)
        return tuple(goldset.items[at] for at in (halves.train if self.name == "dev" else halves.gold))
