"""A scripted judge on LLMBar (Zeng et al. 2024): what comes out of the aggregation is what a direct count gives."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.judge.statistics import Choice, Judgements, Outcome, agreement, pairwise

OUTCOMES: tuple[Outcome, ...] = ("base", "tie", "candidate")


@dataclass(frozen=True)
class Pair:
    base: str
    candidate: str
    label: Outcome


def prefers_longer(first: str, second: str) -> Choice:
    """The longer answer; the one shown first where neither is longer by a quarter."""
    if len(second) > 1.25 * len(first):
        return "second"
    return "first"


def sets(shared_data: Path) -> dict[str, list[Pair]]:
    """Every set of LLMBar that is there: output_1 as the base, output_2 as the candidate."""
    found: dict[str, list[Pair]] = {}
    for file in sorted((shared_data / "llmbar").rglob("dataset.json")):
        rows = json.loads(file.read_text(encoding="utf-8"))
        found[str(file.parent.relative_to(shared_data))] = [
            Pair(row["output_1"], row["output_2"], "base" if row["label"] == 1 else "candidate") for row in rows
        ]
    return found


def test_accuracy_and_bias_are_what_a_direct_count_gives(shared_data: Path) -> None:
    found_sets = sets(shared_data)
    assert "llmbar/Natural" in found_sets
    for name, pairs in found_sets.items():
        judged = pairwise(
            [
                [Judgements((prefers_longer(pair.base, pair.candidate),), (prefers_longer(pair.candidate, pair.base),))]
                for pair in pairs
            ]
        )
        right = wrong = close = 0
        for pair in pairs:
            short, long = sorted((pair.base, pair.candidate), key=len)
            if len(long) <= 1.25 * len(short):
                close += 1
            elif (long is pair.candidate) == (pair.label == "candidate"):
                right += 1
            else:
                wrong += 1
        assert min(right, wrong, close) > 0, name
        assert (judged.wins + judged.losses, judged.ties, judged.unscored) == (right + wrong, close, 0), name
        assert (judged.flipped, judged.wavered) == (close, 0), name
        found = agreement([pair.label for pair in pairs], judged.outcomes, labels=OUTCOMES)
        assert found.n == len(pairs)
        assert found.accuracy == pytest.approx(right / len(pairs)), name
        assert judged.position is not None
        assert judged.position.bias == pytest.approx(close / len(pairs)), name
        assert judged.position.shown == (close >= 6), name  # 2^-5 is 0.03: six flips to one side and none to the other
