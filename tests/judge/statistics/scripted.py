"""Judges that follow a script, for simulations."""

from __future__ import annotations

from numpy.random import Generator

from harness.judge.statistics import Choice, Judgements


def coin_judge(
    rng: Generator, items: int, *, preference: float, bias: float = 0.0, repeats: int = 1
) -> list[list[Judgements]]:
    """One judge that chooses the candidate with probability `preference`, each look on its own.

    `bias` is what an answer gains by standing first rather than second: half of it is added to the answer shown first,
    and half taken from the one shown second.
    """

    def choose(candidate_first: bool) -> Choice:
        chance = preference + (bias / 2 if candidate_first else -bias / 2)
        return "first" if (rng.random() < chance) == candidate_first else "second"

    return [
        [Judgements(tuple(choose(False) for _ in range(repeats)), tuple(choose(True) for _ in range(repeats)))]
        for _ in range(items)
    ]
