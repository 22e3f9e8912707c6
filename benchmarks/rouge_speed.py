"""How fast ROUGE-L is beside the rouge-score package, with the same tokens and the same numbers.

    python benchmarks/rouge_speed.py [--pairs 5000]

Both sides get the same Chinese pairs and the same character tokenizer, on one core. End to end covers tokenising and
scoring (ours computes ROUGE-1 and ROUGE-2 as well, and each reference is met for the first time); scoring alone starts
from the tokens. Exit code 1 when a number differs by more than 1e-9 or the speed-up is below the bar.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence

from rouge_score import rouge_scorer

from harness.gold.item import Item
from harness.scorers._tokenizers import tokenizer
from harness.scorers.rouge import Rouge, rouge_l

_BAR = 10.0
_CHARACTERS = "患者主诉头痛发热三天伴有咳嗽胸闷建议服用药物多喝温水注意休息复查血常规如症状加重及时就医，。的了是在不"


class _Tokenizer:
    """Our character tokenizer in the form that rouge-score takes."""

    def tokenize(self, text: str) -> list[str]:
        return tokenizer("char")(text)


class _Given:
    """Hands rouge-score the tokens that are there already."""

    def tokenize(self, tokens: list[str]) -> list[str]:
        return tokens


def make_pairs(count: int, seed: int = 0) -> list[tuple[str, str]]:
    """Reference and output of about 200 characters; a third of the output's characters are replaced."""
    rng = random.Random(seed)
    pairs = []
    for _ in range(count):
        reference = [rng.choice(_CHARACTERS) for _ in range(rng.randint(180, 220))]
        output = [rng.choice(_CHARACTERS) if rng.random() < 1 / 3 else char for char in reference]
        pairs.append(("".join(reference), "".join(output)))
    return pairs


def timed(work: Callable[[], Sequence[float]]) -> tuple[float, Sequence[float]]:
    """CPU seconds that `work` took, and what it gave (on a shared machine, wall time measures the others too)."""
    started = time.process_time()
    values = work()
    return time.process_time() - started, values


def main() -> int:
    parser = argparse.ArgumentParser(description="ROUGE-L: ours beside the rouge-score package")
    parser.add_argument("--pairs", type=int, default=5000, help="pairs of texts (default: 5000)")
    count = parser.parse_args().pairs
    pairs = make_pairs(count)
    items = [Item(question="?", answer=reference) for reference, _ in pairs]
    split = tokenizer("char")
    tokens = [(split(reference), split(output)) for reference, output in pairs]
    ours = Rouge(tokenizer="char")
    whole = rouge_scorer.RougeScorer(["rougeL"], tokenizer=_Tokenizer())
    alone = rouge_scorer.RougeScorer(["rougeL"], tokenizer=_Given())

    def ours_whole() -> list[float]:
        return [ours.score(item, pair[1])[2].value or 0.0 for item, pair in zip(items, pairs, strict=True)]

    measured = {
        "end to end": (
            timed(ours_whole),
            timed(lambda: [whole.score(*pair)["rougeL"].fmeasure for pair in pairs]),
        ),
        "scoring alone": (
            timed(lambda: [rouge_l(*pair) for pair in tokens]),
            timed(lambda: [alone.score(*pair)["rougeL"].fmeasure for pair in tokens]),
        ),
    }
    passed = True
    print(f"ROUGE-L over {count} Chinese pairs of about 200 characters, character tokens")
    for name, ((our_seconds, our_values), (their_seconds, their_values)) in measured.items():
        apart = max(abs(one - two) for one, two in zip(our_values, their_values, strict=True))
        ratio = their_seconds / our_seconds
        passed = passed and apart <= 1e-9 and ratio >= _BAR
        print(
            f"{name:13}  ours {our_seconds:8.3f} CPU s   rouge-score {their_seconds:8.3f} CPU s   "
            f"{ratio:7.1f}x   largest difference {apart:.1e}"
        )
    print(f"bar: {_BAR:g}x and equal to 1e-9: {'met' if passed else 'MISSED'}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
