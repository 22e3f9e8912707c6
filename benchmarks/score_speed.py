"""How long 100,000 short answers take with each of the scorers that have a speed bar.

    python benchmarks/score_speed.py [--answers 100000] [--scorer exact number choice]

One core, one process. Each scorer gets its own made-up answers (seeded; English and Chinese, right, wrong and without a
result), every item its own question and accepted answer, so that caches help no more than in a first run. `score` is
the scorer alone; `sample` goes through `harness.runs.scoring.score_sample`, as in a run, and is what the bar holds.
Exit code 1 when one takes longer than the bar.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable

from harness.engines.base import Completion, Request, Sampling
from harness.gold.item import Item
from harness.runs.plan import Asked
from harness.runs.scoring import score_sample
from harness.scorers.registry import make_scorer

_BAR = 10.0
Pair = tuple[Item, str]

_TERMS = (
    "阿司匹林",
    "布洛芬",
    "维生素A缺乏",
    "高血压",
    "aspirin",
    "vitamin A",
    "night blindness",
    "Type A",
    "一型糖尿病",
)
_NUMBER_FORMS = (
    "{n}", "#### {n}", "The answer is {n}.", "一共是{n}元。", "${n:,}.00", "{m} + {k} = {n}\n#### {n}", "大约{n}个",
    "She sells {m} eggs and {k} more, so she makes ${n} every day.", "不知道", "I do not know", "{n}%", "**{n}**",
)  # fmt: skip
_CHOICE_FORMS = (
    "{x}", "({x})", "{x}.", "The answer is {x}.", "答案是{x}。", "答案：{x}", "**{x}**", "我不知道",
    "选{x}，因为其他都不对",
    "The correct option is ({x}) because it fits best.", "A、B 都不对，应选{x}。", "{x}. {text}",
)  # fmt: skip


def exact_pairs(count: int, rng: random.Random) -> list[Pair]:
    """Names and terms, with a number each so that all differ; two thirds right in some form."""
    pairs = []
    for n in range(count):
        answer = f"{rng.choice(_TERMS)} {n}"
        output = rng.choice((answer, f"**{answer}**。", f"  {answer.upper()}.", f"“{answer}”", rng.choice(_TERMS), ""))
        pairs.append((Item(id=str(n), question=f"问题 {n}?", answer=answer), output))
    return pairs


def number_pairs(count: int, rng: random.Random) -> list[Pair]:
    """Answers to sums, the accepted one after `####`; two thirds right."""
    pairs = []
    for n in range(count):
        m, k = rng.randint(1, 9999), rng.randint(1, 9999)
        right = m + k
        output = rng.choice(_NUMBER_FORMS).format(n=right if rng.random() < 2 / 3 else right + 1, m=m, k=k)
        pairs.append((Item(id=str(n), question=f"{m} + {k}?", answer=f"{m} + {k} = {right}\n#### {right}"), output))
    return pairs


def choice_pairs(count: int, rng: random.Random) -> list[Pair]:
    """Letters of four options; two thirds right."""
    pairs = []
    for n in range(count):
        options = tuple(f"{term} {n}" for term in rng.sample(_TERMS, 4))
        right = rng.randrange(4)
        given = right if rng.random() < 2 / 3 else rng.randrange(4)
        output = rng.choice(_CHOICE_FORMS).format(x="ABCD"[given], text=options[given])
        pairs.append((Item(id=str(n), question=f"问题 {n}?", choices=options, answer="ABCD"[right]), output))
    return pairs


_PAIRS: dict[str, Callable[[int, random.Random], list[Pair]]] = {
    "exact": exact_pairs,
    "number": number_pairs,
    "choice": choice_pairs,
}


def main() -> int:
    parser = argparse.ArgumentParser(description="CPU seconds to score many short answers")
    parser.add_argument("--answers", type=int, default=100_000, help="answers for each scorer (default: 100,000)")
    parser.add_argument("--scorer", nargs="+", choices=list(_PAIRS), default=list(_PAIRS))
    given = parser.parse_args()
    met = True
    for name in given.scorer:
        scorer = make_scorer(name)
        scorer.score(*_PAIRS[name](1, random.Random(1))[0])  # imports and patterns, which a run pays once
        alone = _alone(name, given.answers)
        whole, right = _whole(name, given.answers)
        met = met and whole <= _BAR
        print(
            f"{name:8} {given.answers} answers   score {alone:6.2f} CPU s   "
            f"sample {whole:6.2f} CPU s   right {right:.3f}"
        )
    print(f"bar: {_BAR:g} s each: {'met' if met else 'MISSED'}")
    return 0 if met else 1


def _alone(name: str, count: int) -> float:
    pairs = _PAIRS[name](count, random.Random(0))
    scorer = make_scorer(name)
    started = time.process_time()
    for item, output in pairs:
        scorer.score(item, output)
    return time.process_time() - started


def _asked(item: Item) -> Asked:
    sampling = Sampling(max_tokens=256)
    request = Request(key="", item_id=item.id, task="bench", repeat=0, sampling=sampling)
    return Asked(task="bench", item=item, repeat=0, prompt=item.text, request=request)


def _completion(output: str) -> Completion:
    return Completion(key="", text=output, finish_reason="stop", prompt_tokens=9, completion_tokens=9, latency=0.1)


def _whole(name: str, count: int) -> tuple[float, float]:
    # Other answers than above: nothing is met a second time.
    pairs = _PAIRS[name](count, random.Random(2))
    scorers = [make_scorer(name)]
    asked = [(_asked(item), _completion(output)) for item, output in pairs]
    started = time.process_time()
    samples = [score_sample(one, completion, scorers) for one, completion in asked]
    seconds = time.process_time() - started
    return seconds, sum(sample.scores[name].value or 0.0 for sample in samples) / max(1, len(samples))


if __name__ == "__main__":
    sys.exit(main())
