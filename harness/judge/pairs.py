"""Pairs of answers out of a stored comparison, as a judge is asked about them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from harness.comparison.results import CandidateComparison, Comparison
from harness.errors import InputError
from harness.gold.item import Item
from harness.judge.fence import fence_for, neutral
from harness.judge.prompts.pairwise import pairwise, wording
from harness.runs.files import CandidateRecord, RunStore
from harness.runs.items import items_of
from harness.runs.samples import Sample

#: Which answer a judge is shown first.
Order = Literal["base", "candidate"]
ORDERS: tuple[Order, Order] = ("base", "candidate")


@dataclass(frozen=True)
class Pair:
    """Both answers to an item.

    Attributes:
        slices: what the suite breaks results down by.
    """

    task: str
    item: Item
    base: str
    candidate: str
    slices: Mapping[str, str] = field(default_factory=dict)

    @property
    def identical(self) -> bool:
        """Nobody needs to be asked which of two equal answers is better."""
        return self.base.strip() == self.candidate.strip()


@dataclass(frozen=True)
class Pairs:
    """The pairs of a comparison, and who answered.

    Attributes:
        comparison, suite: which comparison.
        base, candidate: what the two sides are called in it.
        base_record, candidate_record: who they are.
        left_out: items without both answers, or whose gold set has changed or is gone.
    """

    comparison: str
    suite: str
    base: str
    candidate: str
    base_record: CandidateRecord
    candidate_record: CandidateRecord
    pairs: tuple[Pair, ...]
    left_out: int

    @property
    def with_gold(self) -> int:
        """How many have a gold answer that could be shown."""
        return sum(gold_text(pair.item) is not None for pair in self.pairs)

    def by_task(self) -> dict[str, list[tuple[int, Pair]]]:
        """The pairs of each task, with their positions in `pairs`."""
        found: dict[str, list[tuple[int, Pair]]] = {}
        for position, pair in enumerate(self.pairs):
            found.setdefault(pair.task, []).append((position, pair))
        return found


def pairs_of(
    comparison: Comparison,
    store: RunStore,
    *,
    candidate: str | None = None,
    tasks: Sequence[str] = (),
    items: Collection[str] | None = None,
    overrides: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Pairs:
    """Both sides' first answers to every item of a stored comparison.

    Args:
        candidate: which of its candidates; needed where there are several.
        tasks, items: these alone; empty or None: all.
        overrides, folder: as `items_of`.

    Raises:
        InputError: no such candidate or task, a run is no longer in the store, or no pair is left.
    """
    compared = _compared(comparison, candidate)
    (base_run, base), (candidate_run, theirs) = (
        store.read_run(one, items) for one in (compared.run_ids.base, compared.run_ids.candidate)
    )
    known = [task.name for task in base_run.tasks]
    for name in tasks:
        if name not in known:
            remedy = f"It has {', '.join(known)}."
            raise InputError(f"the comparison has no task {name!r}", where="--task", remedy=remedy)
    questions = items_of([base_run, candidate_run], overrides or {}, folder)
    others = _first(theirs)
    found, left_out = [], 0
    for key, ours in _first(base).items():
        if tasks and ours.task not in tasks:
            continue
        item, other = questions.get(ours.task, {}).get(ours.item_id), others.get(key)
        usable = item is not None and other is not None and item.digest == ours.item_digest == other.item_digest
        if item is None or other is None or not usable or ours.error or other.error:
            left_out += 1
            continue
        found.append(Pair(ours.task, item, ours.output, other.output, dict(ours.slices)))
    if not found:
        raise InputError(
            "no item has both answers and its question",
            where=compared.candidate,
            remedy="Give the gold set that was asked: --goldset NAME=PATH.",
        )
    return Pairs(
        comparison=comparison.id,
        suite=comparison.suite,
        base=comparison.base,
        candidate=compared.candidate,
        base_record=base_run.candidate,
        candidate_record=candidate_run.candidate,
        pairs=tuple(found),
        left_out=left_out,
    )


def check_gold(pairs: Pairs) -> None:
    """Refuse to grade against gold answers where there are none.

    Raises:
        InputError: names the first open question and its task.
    """
    without = [pair for pair in pairs.pairs if gold_text(pair.item) is None]
    if without:
        raise InputError(
            f"{len(without)} of {len(pairs.pairs)} items have no gold answer to grade against",
            where=f"{without[0].task}: item {without[0].item.id!r}",
            remedy="Judge open questions with 'pairwise' or 'rubric'; --task names the tasks that have gold answers.",
        )


def question_text(pair: Pair, first: Order, special: Iterable[str], *, reference: bool) -> str:
    """The text of a judgement.

    Args:
        first: whose answer is A.
        special: the special tokens of every judge, so that all are asked in the same words.
        reference: show the gold answer.
    """
    special = tuple(special)
    shown = {
        "question": neutral(asked_text(pair.item), special),
        "base": neutral(pair.base, special),
        "candidate": neutral(pair.candidate, special),
    }
    told = gold_text(pair.item) if reference else None
    gold = None if told is None else neutral(told, special)
    fence = fence_for([*shown.values(), gold or ""])
    a, b = (shown[side] for side in (ORDERS if first == "base" else ORDERS[::-1]))
    return pairwise(wording(pair.item.language), shown["question"], gold, a, b, fence)


def _first(samples: Iterable[Sample]) -> dict[tuple[str, str], Sample]:
    return {(one.task, one.item_id): one for one in samples if one.repeat == 0}


def asked_text(item: Item) -> str:
    """The question as a reader sees it: a conversation with its speakers."""
    if item.messages is None or len(item.messages) == 1:
        return item.text
    return "\n".join(f"{turn.role}: {turn.content}" for turn in item.messages)


def gold_text(item: Item) -> str | None:
    """The gold answer, with its full sentence where there is one; None of an open question."""
    reference = item.metadata.get("reference")
    if not item.answer:
        return reference if isinstance(reference, str) else None
    return f"{item.answer[0]}\n{reference}" if isinstance(reference, str) else item.answer[0]


def _compared(comparison: Comparison, candidate: str | None) -> CandidateComparison:
    names = [one.candidate for one in comparison.comparisons]
    if candidate is None and len(names) > 1:
        remedy = f"Name one of {', '.join(names)}."
        raise InputError(f"the comparison has {len(names)} candidates", where="--candidate", remedy=remedy)
    if candidate is not None and candidate not in names:
        remedy = f"It has {', '.join(names)}."
        raise InputError(f"the comparison has no candidate {candidate!r}", where="--candidate", remedy=remedy)
    return next(one for one in comparison.comparisons if candidate in (None, one.candidate))
