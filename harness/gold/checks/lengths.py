"""Questions and answers that are far longer or shorter than the others of their language.

On the logarithm of the length, because lengths are skewed: modified z-scores by median and MAD (Iglewicz and Hoaglin
1993, "How to Detect and Handle Outliers", 0.6745 (x - median) / MAD, cut at 3.5; where the MAD is 0, 1.2533 times
the mean absolute deviation). One outlier cannot hide itself that way, as it does in mean and standard deviation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from harness.gold.checks.finding import MOST_EVIDENCE, Evidence, Finding, quote
from harness.gold.checks.material import Material, groups
from harness.gold.checks.messages import Code
from harness.gold.item import Item

_CUT = 3.5
#: And at least so many times longer or shorter than the median: where lengths are equal, a few characters are nothing.
_TIMES = 4.0
_LEAST = 20
#: Up to so many characters an answer is a name, a number or a phrase, and these have any length.
_PHRASE = 40


def lengths(material: Material) -> Iterator[Finding]:
    """Outliers of questions, and of answers where these are texts."""
    yield from _outliers(material, ("short-question", "long-question"), lambda item: len(item.text))
    yield from _outliers(material, ("short-answer", "long-answer"), _answer_length, phrase=_PHRASE)


def _answer_length(item: Item) -> int:
    if item.choices or item.fields is not None or not item.answer:
        return 0
    return len(item.answer[0].strip())


def _outliers(
    material: Material, codes: tuple[Code, Code], length: Callable[[Item], int], phrase: int = 0
) -> Iterator[Finding]:
    counted = [(item, length(item)) for item in material.items]
    counted = [(item, size) for item, size in counted if size]
    for group in groups(item.language for item, _ in counted):
        if len(group) < _LEAST:
            continue
        items = [counted[position][0] for position in group]
        sizes = np.array([counted[position][1] for position in group], dtype=np.float64)
        low, high = _limits(sizes)
        high = max(high, phrase)
        low = low if np.median(sizes) > phrase else 0.0  # among names and numbers, some are short
        for code, odd, limit in ((codes[0], sizes < low, low), (codes[1], sizes > high, high)):
            order = np.flatnonzero(odd)
            order = order[np.argsort(-np.abs(np.log(sizes[order] / np.median(sizes))), kind="stable")]
            if len(order):
                yield Finding(
                    code=code,
                    severity="warning",
                    count=len(order),
                    items=tuple(items[position].id for position in sorted(order.tolist())),
                    values={
                        "language": items[0].language,
                        "median": float(np.median(sizes)),
                        "limit": float(round(limit)),
                    },
                    evidence=tuple(
                        Evidence(quotes=(quote(items[position]),)) for position in order[:MOST_EVIDENCE].tolist()
                    ),
                )


def _limits(sizes: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float]:
    """The shortest and longest length that is no outlier."""
    logs = np.log(sizes)
    median = float(np.median(logs))
    apart = np.abs(logs - median)
    spread = float(np.median(apart)) / 0.6745 or float(np.mean(apart)) * 1.2533
    reach = max(_CUT * spread, float(np.log(_TIMES)))
    return float(np.exp(median - reach)), float(np.exp(median + reach))
