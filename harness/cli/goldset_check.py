"""What makes a gold set mislead, as far as its own items show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from harness.comparison.statistics import minimum_detectable, paired_sample
from harness.gold.goldset import GoldSet
from harness.gold.item import Item
from harness.text import normalise

#: Shares of items that two sides might disagree on, for the smallest difference a gold set can show.
_DISCORDANCES = (0.05, 0.1, 0.2, 0.4)
#: One answer to more of the items than this rewards a model that always gives it.
_MAJORITY = 0.4
_NAMED = 5
_LEVELS = ("easy", "medium", "hard")

Kind = Literal["duplicate", "contradiction", "trivial answer", "leaked answer", "majority answer", "card", "few items"]


class Problem(BaseModel):
    """Something to look at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    detail: str
    ids: tuple[str, ...] = ()


class Worth(BaseModel):
    """The smallest difference (as a share) that the items show with 80% power at alpha 0.05; None: none at all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    discordance: float
    smallest: float | None


class GoldsetCheck(BaseModel):
    """`harness goldset check --json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    items: int
    digest: str
    counts: dict[str, dict[str, int]]
    problems: tuple[Problem, ...]
    worth: tuple[Worth, ...]


def check_goldset(goldset: GoldSet) -> GoldsetCheck:
    """Look at every item once."""
    problems = [
        *_card(goldset),
        *_duplicates(goldset.items),
        *_trivial(goldset.items),
        *_leaked(goldset.items),
        *_majority(goldset.items),
    ]
    worth = tuple(Worth(discordance=d, smallest=smallest_difference(len(goldset.items), d)) for d in _DISCORDANCES)
    if worth[1].smallest is None or worth[1].smallest > 0.1:
        shown = "no difference" if worth[1].smallest is None else f"{100 * worth[1].smallest:.0f} points at best"
        detail = f"{len(goldset.items)} items show {shown} where the sides disagree on a tenth of them"
        problems.append(Problem(kind="few items", detail=detail))
    return GoldsetCheck(
        name=goldset.name,
        items=len(goldset.items),
        digest=goldset.digest,
        counts=goldset.counts(),
        problems=tuple(problems),
        worth=worth,
    )


def smallest_difference(items: int, discordance: float) -> float | None:
    """The smallest difference `items` items show when the sides disagree on a share `discordance` of them."""
    half = round(items * discordance / 2)
    rest = [1.0] * (items - 2 * half)
    base, candidate = [1.0] * half + [0.0] * half + rest, [0.0] * half + [1.0] * half + rest
    return minimum_detectable(paired_sample(base, candidate))


def topic_table(goldset: GoldSet) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of topic by difficulty."""
    counts = goldset.counts()
    found = {level for row in counts.values() for level in row}
    levels = [level for level in _LEVELS if level in found] + sorted(found.difference(_LEVELS))
    rows = [
        [topic, *(str(row.get(level, 0)) for level in levels), str(sum(row.values()))] for topic, row in counts.items()
    ]
    if len(rows) > 1:
        sums = [str(sum(row.get(level, 0) for row in counts.values())) for level in levels]
        rows.append(["all", *sums, str(len(goldset.items))])
    return ["topic", *levels, "all"], rows


def _card(goldset: GoldSet) -> list[Problem]:
    found = [Problem(kind="card", detail=warning) for warning in goldset.warnings]
    card = goldset.card
    if card is not None and card.items is not None and card.items != len(goldset.items):
        found.append(
            Problem(kind="card", detail=f"the card says {card.items} items, the file holds {len(goldset.items)}")
        )
    if card is not None and card.digest is None:
        found.append(Problem(kind="card", detail=f"the card states no digest; now it is {goldset.digest}"))
    return found


def _duplicates(items: Sequence[Item]) -> list[Problem]:
    asked: dict[tuple[str, ...], list[Item]] = {}
    for item in items:
        asked.setdefault((normalise(item.text), item.context or "", *(item.choices or ()), *item.images), []).append(
            item
        )
    twins = [group for group in asked.values() if len(group) > 1]
    same = [g for g in twins if len({frozenset(map(normalise, i.answer)) for i in g}) == 1]
    other = [g for g in twins if g not in same]
    return [
        *_problem("duplicate", "the same question and answer stand more than once", same),
        *_problem("contradiction", "the same question has different answers", other),
    ]


def _problem(kind: Kind, what: str, groups: list[list[Item]]) -> list[Problem]:
    if not groups:
        return []
    named = "; ".join(" = ".join(item.id for item in group) for group in groups[:_NAMED])
    more = f" and {len(groups) - _NAMED} more" if len(groups) > _NAMED else ""
    ids = tuple(item.id for group in groups for item in group)
    return [Problem(kind=kind, detail=f"{what}: {named}{more}", ids=ids)]


def _trivial(items: Sequence[Item]) -> list[Problem]:
    """Answers of which nothing is left once punctuation is removed; and texts that any scorer would match by luck."""
    bad = [item for item in items if not any(any(char.isalnum() for char in text) for text in item.answer)]
    return _problem("trivial answer", "an answer holds no letter or digit", [[item] for item in bad])


def _leaked(items: Sequence[Item]) -> list[Problem]:
    """The answer stands in the question; where options are listed it has to."""
    bad = []
    for item in items:
        question = normalise(item.text)
        texts = [normalise(text) for text in item.answer]
        if item.choices is None and any(_long_enough(text) and text in question for text in texts):
            bad.append(item)
    return _problem(
        "leaked answer",
        "the answer stands in the question (right for yes-or-no and choice questions)",
        [[i] for i in bad],
    )


def _long_enough(text: str) -> bool:
    """Two Chinese characters or four others: shorter texts stand in questions by chance."""
    return len(text) >= (4 if text.isascii() else 2) and not text.isdigit()


def _majority(items: Sequence[Item]) -> list[Problem]:
    counts = Counter(normalise(item.answer[0]) for item in items)
    answer, count = counts.most_common(1)[0]
    if len(items) < 5 or count / len(items) <= _MAJORITY:
        return []
    detail = f"{answer!r} is right for {count} of {len(items)} items: always saying it scores {count / len(items):.0%}"
    return [Problem(kind="majority answer", detail=detail)]
