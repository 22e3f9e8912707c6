"""What a model scores that knows nothing but the gold set's habits: one letter, the longest option, one answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import sqrt

from harness.gold.checks.answers import wanted
from harness.gold.checks.finding import Finding
from harness.gold.checks.material import Material
from harness.gold.choices import LETTERS, gold_letters
from harness.gold.item import Item

#: Fewer items than this say nothing about a habit.
_LEAST = 20
_P = 0.01
#: Cohen's w: below 0.1 an effect is less than "small" (Cohen 1988, chapter 7), however significant.
_EFFECT = 0.1
#: One answer to more of the items than this (and clearly more than an even share) rewards a model that always gives it.
_MAJORITY = 0.4
_ABOVE_CHANCE = 0.1


def letter_balance(material: Material) -> Iterator[Finding]:
    """Chi-square against an even spread of the right letters, among items with equally many options."""
    by_options: dict[int, Counter[str]] = {}
    for item, letter in _single_choice(material):
        by_options.setdefault(len(item.choices or ()), Counter())[letter] += 1
    for options, counts in sorted(by_options.items()):
        total = counts.total()
        if total < _LEAST:
            continue
        expected = total / options
        statistic = sum((counts[letter] - expected) ** 2 / expected for letter in LETTERS[:options])
        p = _chi_square_p(statistic, options - 1)
        if p > _P or sqrt(statistic / total) < _EFFECT:
            continue
        letter, most = max(counts.items(), key=lambda pair: (pair[1], pair[0]))
        spread = ", ".join(f"{letter} {counts[letter]}" for letter in LETTERS[:options])
        yield Finding(
            code="letter-balance",
            severity="warning",
            values={"spread": spread, "p": float(p), "letter": letter, "share": most / total},
        )


def longest_option(material: Material) -> Iterator[Finding]:
    """How often the only longest option is the right one, beside how often chance would have it."""
    hits = chance = count = 0.0
    for item, letter in _single_choice(material):
        sizes = [len(text) for text in item.choices or ()]
        longest = [place for place, size in zip(LETTERS, sizes, strict=False) if size == max(sizes)]
        if len(longest) == 1:
            count += 1
            hits += letter == longest[0]
            chance += 1 / len(sizes)
    if count < _LEAST:
        return
    share, expected = hits / count, chance / count
    # Normal approximation, one-sided at 1%.
    if share > expected + _ABOVE_CHANCE and hits > chance + 2.33 * sqrt(count * expected * (1 - expected)):
        yield Finding(code="longest-option", severity="warning", values={"share": share, "chance": expected})


def majority_answer(material: Material) -> Iterator[Finding]:
    """One answer that is right too often, where answers are words."""
    answers = [wanted(item) for item in material.items if _says_words(item)]
    counts = Counter(text for answer in answers for text in answer.texts)
    if len(answers) < _LEAST:
        return
    answer, hits = max(counts.items(), key=lambda pair: (pair[1], pair[0]))
    labels = sum(count >= 0.05 * len(answers) for count in counts.values())
    if hits / len(answers) > max(_MAJORITY, 1 / max(labels, 1) + 0.2):
        yield Finding(
            code="majority-answer",
            severity="warning",
            values={"answer": answer[:60], "hits": hits, "asked": len(answers), "share": hits / len(answers)},
        )


def _says_words(item: Item) -> bool:
    return item.choices is None and item.fields is None and bool(item.answer)


def _single_choice(material: Material) -> Iterator[tuple[Item, str]]:
    """Items with one right option, and its letter."""
    for item in material.items:
        if not item.choices:
            continue
        try:
            chosen = gold_letters(item)
        except ValueError:  # another check says so
            continue
        if len(chosen) == 1 and len(chosen[0]) == 1:
            yield item, chosen[0]


def _chi_square_p(statistic: float, freedom: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(freedom, statistic))
