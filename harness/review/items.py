"""Items as Compare shows them: the question, what each side answered, and where the words differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.review.answers import Answer, Answers
from harness.review.diff import Piece, difference
from harness.review.gold import GoldSide
from harness.review.judged import JudgedItems, JudgeView
from harness.review.pairs import PairedItem


@dataclass(frozen=True, slots=True)
class SideView:
    """One run's answer to an item.

    Attributes:
        answer: None where the store holds none.
        pieces: its text, with the words that the base's answer does not have (of the base: that the first candidate's
            does not have).
        number, count: which of several answers is shown.
        score: mean over repeats.
        others: the other repeats' texts.
    """

    name: str
    base: bool
    answer: Answer | None
    pieces: tuple[Piece, ...]
    number: int
    count: int
    score: float | None
    same: bool
    others: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class ItemView:
    """One item with the answers of all sides, the base's first.

    Attributes:
        tone: "lost", "gained" or "" as the first candidate did beside the base.
    """

    item_id: str
    slices: tuple[tuple[str, str], ...]
    gold: GoldSide | None
    prompt: str
    tone: str
    sides: tuple[SideView, ...]
    judges: tuple[JudgeView, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One run of the page: what it is called, and its answers to the page's items."""

    name: str
    answers: Answers


def item_views(
    items: Sequence[PairedItem],
    metric: str,
    base: Side,
    candidates: Sequence[Side],
    *,
    kind: str,
    gold: Mapping[str, GoldSide],
    judged: JudgedItems,
) -> tuple[ItemView, ...]:
    """The items of a page, in order.

    Args:
        candidates: the one that the items were filtered by comes first.
        kind: "lost" and "gained" choose, of several answers, ones that show it.
    """
    return tuple(_view(one, metric, base, candidates, kind, gold, judged) for one in items)


def _view(
    item: PairedItem,
    metric: str,
    base: Side,
    candidates: Sequence[Side],
    kind: str,
    gold: Mapping[str, GoldSide],
    judged: JudgedItems,
) -> ItemView:
    lost = kind == "lost" or (item.delta or 0.0) < 0
    ours = _telling(base.answers.get(item.item_id, ()), metric, best=lost)
    sides: list[SideView] = []
    for side in candidates:
        theirs = _telling(side.answers.get(item.item_id, ()), metric, best=not lost)
        both = difference(ours.output if ours else "", theirs.output if theirs else "")
        if not sides:
            sides.append(_side(base, item.item_id, metric, ours, both.left, is_base=True, same=False))
        same = ours is not None and theirs is not None and ours.output == theirs.output
        sides.append(_side(side, item.item_id, metric, theirs, both.right, is_base=False, same=same))
    delta = item.delta or 0.0
    return ItemView(
        item_id=item.item_id,
        slices=tuple(item.slices.items()),
        gold=gold.get(item.item_id),
        prompt=ours.prompt if ours else "",
        tone=kind if kind in ("lost", "gained") else "lost" if delta < 0 else "gained" if delta > 0 else "",
        sides=tuple(sides),
        judges=judged.get(item.item_id, ()),
    )


def _side(
    side: Side,
    item_id: str,
    metric: str,
    answer: Answer | None,
    pieces: tuple[Piece, ...],
    *,
    is_base: bool,
    same: bool,
) -> SideView:
    answers = side.answers.get(item_id, ())
    values = [_score(one, metric) for one in answers]
    known = [value for value in values if value is not None]
    return SideView(
        name=side.name,
        base=is_base,
        answer=answer,
        pieces=pieces,
        number=answers.index(answer) + 1 if answer is not None else 0,
        count=len(answers),
        score=sum(known) / len(known) if known and len(known) == len(values) else None,
        same=same,
        others=tuple(one for one in answers if one is not answer),
    )


def _telling(answers: Sequence[Answer], metric: str, *, best: bool) -> Answer | None:
    """The first of the repeats with the best score, or the worst: one at random may be right on both sides."""
    return (max if best else min)(answers, key=lambda one: _score(one, metric) or 0.0, default=None)


def _score(answer: Answer, metric: str) -> float | None:
    return next((one.value for one in answer.scores if one.metric == metric), None)
