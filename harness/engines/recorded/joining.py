"""Whose item a recorded answer belongs to, when another tool asked the question.

Other tools number questions by position, and positions say nothing: another order, a filter or a limit moves them. So
a record is joined by the id that the data set gave its question, where that is an id of ours, and else by the question
itself: it is the item's question, or the item's question stands in the prompt. What fits no item is unknown, and what
fits two is refused; nothing is ever guessed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.engines.recorded.record import Record
from harness.errors import InputError
from harness.gold.choices import LETTERS
from harness.gold.goldset import GoldSet
from harness.gold.item import Item
from harness.suites.spec import Task
from harness.text import HAN, normalise

#: A question of at least this many characters is found by this many at its end; a shorter one by all of it.
_TAIL = 24
_PROBE = 3

#: `Question:`, `Q:`, `问题:`. Folding takes out the space around Chinese, so of that no more than two characters count.
_MARK = re.compile(rf"(?:[A-Za-z]+|[{HAN}]{{1,2}}):\Z")
_WORD = re.compile(r"\w", re.ASCII)


class TaskItems(Protocol):
    """A task and its whole gold set: those are known items, whether asked this time or not."""

    @property
    def task(self) -> Task: ...

    @property
    def goldset(self) -> GoldSet: ...


@dataclass(frozen=True, slots=True)
class Target:
    """An item in a task."""

    task: Task
    item: Item


class Joiner:
    """Finds items by id and by question. Texts are compared as scorers do (width, punctuation, space), with case."""

    def __init__(self, tasks: Sequence[TaskItems]) -> None:
        self._ids: dict[str, list[Target]] = defaultdict(list)
        self._questions: dict[str, list[Target]] = defaultdict(list)
        self._names: dict[str, set[str]] = defaultdict(set)
        for loaded in tasks:
            self._names[_plain(loaded.task.name)].add(loaded.task.name)
            self._names[_plain(loaded.goldset.name)].add(loaded.task.name)
            for item in loaded.goldset.items:
                self._ids[item.id].append(Target(loaded.task, item))
                self._questions[_folded(item.text)].append(Target(loaded.task, item))
        # By the length of their tails, then by tail: the lengths of the questions that end so. Looking for all of them
        # in a prompt costs a few look-ups a character, however many there are.
        self._tails: dict[int, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
        for question in filter(None, self._questions):
            size = min(len(question), _TAIL)
            self._tails[size][question[-size:]].add(len(question))
        self._sizes = sorted(self._tails, reverse=True)
        self._probes = {question[-_PROBE:] for question in self._questions if question}
        self._shortest = min(map(len, self._probes), default=_PROBE)

    def join(self, record: Record) -> list[Target]:
        """The tasks that the record answers, with its item in each; empty where no item fits.

        Several tasks are answered only where they ask the very same item. A record whose tool called its task as one
        of ours is called (or its gold set) is looked for there alone.

        Raises:
            InputError: more than one item fits, or the id says one and the question another.
        """
        asked = self._among_tasks(record, self._by_question(record))
        named = self._among_tasks(record, self._ids.get(record.item_id or "", []))
        if named and asked:
            both = [target for target in named if target in asked]
            if both:
                return _one(both, record)
            if not _is_position(record):
                raise InputError(
                    f"has the id of item {named[0].item.id!r} and the question of item {asked[0].item.id!r}",
                    where=record.where,
                    remedy="Use the gold set that was asked, or take the ids out.",
                )
        if named and not asked and not _is_position(record):
            return _one(named, record)
        return _one(asked, record)

    def _among_tasks(self, record: Record, targets: list[Target]) -> list[Target]:
        names = self._names.get(_plain(record.task)) if record.task else None
        return [target for target in targets if target.task.name in names] if names else targets

    def _by_question(self, record: Record) -> list[Target]:
        for text in (record.question, record.prompt):
            if text:
                folded = _folded(text)
                found = self._questions.get(folded) or self._inside(folded, record)
                if found:
                    return found
        return []

    def _inside(self, text: str, record: Record) -> list[Target]:
        """The targets whose question stands in `text`.

        Of several questions the last is the one that is asked, provided that all are introduced in the same way, as
        few-shot examples are; otherwise one may be part of an option or of an instruction. Where one that is nobody's
        is asked after it, all that were found are examples.
        """
        found = list(self._occurrences(text))
        if not found:
            return []
        start, end, last = found[-1]
        others = sorted({question for _, _, question in found} - {last})
        if others and len({_introduction(text, start) for start, _, _ in found}) > 1:
            shown = ", ".join(repr(self._questions[question][0].item.id) for question in [last, *others][:3])
            raise InputError(
                f"holds the questions of {len(others) + 1} items ({shown})",
                where=record.where,
                remedy="Give the data set an 'id' column with the ids of the gold set.",
            )
        return [] if _goes_on(text, start, end, record) else self._questions[last]

    def _occurrences(self, text: str) -> Iterator[tuple[int, int, str]]:
        """(start, end, question) of every question in `text` that is not part of a longer one there, by their ends."""
        spans: list[tuple[int, int, str]] = []
        for end in range(self._shortest, len(text) + 1):
            if not any(text[max(0, end - size) : end] in self._probes for size in range(self._shortest, _PROBE + 1)):
                continue
            question = self._ending_at(text, end)
            if question is not None:
                start = end - len(question)
                while spans and spans[-1][0] >= start:
                    spans.pop()
                spans.append((start, end, question))
        yield from spans

    def _ending_at(self, text: str, end: int) -> str | None:
        """The longest question that ends there, on word boundaries."""
        for size in self._sizes:
            lengths = self._tails[size].get(text[end - size : end], ()) if size <= end else ()
            for length in sorted(lengths, reverse=True):
                start = end - length
                if start >= 0 and text[start:end] in self._questions and _stands_alone(text, start, end):
                    return text[start:end]
        return None


def check_options_order(record: Record, target: Target) -> None:
    """Refuse an answer by letter where the prompt shows that its letters name other options than the item's.

    Raises:
        InputError: an option stands behind another letter than its own, and nowhere behind its own.
    """
    if not target.task.asks_for_letters or not target.item.choices:
        return
    prompt = _folded(record.prompt)
    behind = prompt[max(0, prompt.rfind(_folded(target.item.text))) :]
    for letter, choice in zip(LETTERS, target.item.choices, strict=False):
        text = _folded(choice)
        # Folding takes out the space between Chinese options: the next one's letter may follow at once.
        one = rf"(?<![A-Za-z])([A-Z])[.,:)\]] ?{re.escape(text)}(?=\W|\Z|[A-Z][.,:)\]])"
        shown = set(re.findall(one, behind, re.ASCII))
        if shown and letter not in shown:
            raise InputError(
                f"shows option {letter} of item {target.item.id!r} as {'/'.join(sorted(shown))}",
                where=record.where,
                remedy="Its letters mean other options than the gold set's: ask again without shuffling them.",
            )


def _one(targets: list[Target], record: Record) -> list[Target]:
    """`targets` where they are one item (in one task or several)."""
    items = {target.item.digest: target.item for target in targets}
    tasks = {target.task.name for target in targets}
    if len(items) > 1 or len(tasks) < len(targets):
        shown = ", ".join(f"{target.item.id!r} of task {target.task.name!r}" for target in targets[:3])
        raise InputError(
            f"fits {len(targets)} items ({shown})",
            where=record.where,
            remedy="Give the data set an 'id' column with the ids of the gold set, or its file the name of the task.",
        )
    return targets


def _is_position(record: Record) -> bool:
    """True for an id that may be no more than the number of a row."""
    return record.item_id is not None and record.item_id.isdecimal()


def _folded(text: str) -> str:
    return normalise(text, case=False)


def _plain(name: str | None) -> str:
    return re.sub(r"[\W_]+", "", name or "").casefold()


def _introduction(text: str, start: int) -> str:
    """What leads in to a question: the mark before it, such as `Q:`; "" at the very front."""
    return text[max(0, start - 8) : start].strip()[-2:]


def _goes_on(text: str, start: int, end: int, record: Record) -> bool:
    """True where another question comes after this one: the tool's own, or one with the same mark before it (`Q:`)."""
    behind = text[end:]
    own = _folded(record.question or "")
    mark = _MARK.search(text[:start].rstrip()[-_TAIL:])
    return bool(own and own in behind) or bool(mark and re.search(rf"(?<![A-Za-z]){mark[0]}", behind))


def _stands_alone(text: str, start: int, end: int) -> bool:
    """True unless a Latin word or a number goes on across either end (`1+1=` is not asked in `11+1=`)."""
    before = start > 0 and _WORD.match(text[start]) and _WORD.match(text[start - 1])
    after = end < len(text) and _WORD.match(text[end - 1]) and _WORD.match(text[end])
    return not before and not after
