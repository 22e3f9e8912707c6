"""A gold set as the checks look at it: what several of them need is made once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from harness.gold.checks.answers import Agreement, Wanted, wanted
from harness.gold.checks.similarity import THRESHOLD, Pairs, clusters, near_pairs, shingle
from harness.gold.goldset import GoldSet
from harness.gold.item import Item
from harness.text import normalise

if TYPE_CHECKING:
    from harness.gold.checks.similarity import Floats, Indices

_NUMBER = re.compile(r"\d+(?:\.\d+)?|第[〇零一二两三四五六七八九十百千]+")
# What can be dropped from a question without asking anything else. Signs, decimal points and operators stay.
_FILLER = re.compile(
    r"请问|请教|请|麻烦|一下|您好|你好|医生|大夫|谢谢|多谢|呢|吗|啊|呀|吧|么(?=[?!.,]|$)|[的了]|"
    r"\b(?:please|kindly|hello|hi|thanks|thank you|the)\b|"
    r"\.(?!\d)|(?<!\d),|,(?!\d)|[\s;:!?\"'«»·~—_]"
)

#: From so many questions on, what all of them begin or end with is an instruction, and not what they ask.
_MANY = 20


def core(form: str) -> str:
    """A normalised question without filler words and punctuation: two questions with one core ask the same."""
    return _FILLER.sub("", form) or form


def numbers(form: str) -> tuple[str, ...]:
    """The numbers of a normalised question, in order. Questions with other numbers ask something else."""
    return tuple(_NUMBER.findall(form))


def masked(form: str) -> str:
    """A normalised question with every number replaced by `#`."""
    return _NUMBER.sub("#", form)


class Material:
    """Items and what is derived from them, at the same positions.

    Attributes:
        threshold: Jaccard index from which on two questions are near duplicates.
    """

    def __init__(self, goldset: GoldSet, threshold: float = THRESHOLD) -> None:
        self.goldset = goldset
        self.items: Sequence[Item] = goldset.items
        self.threshold = threshold

    @cached_property
    def forms(self) -> list[str]:
        """Each question, normalised."""
        return [normalise(item.text) for item in self.items]

    @cached_property
    def settings(self) -> list[tuple[Hashable, ...]]:
        """What else decides what is asked: options (in any order), context, pictures, earlier turns."""
        return [_setting(item) for item in self.items]

    @cached_property
    def wanted(self) -> list[Wanted]:
        """What each item accepts."""
        return [wanted(item) for item in self.items]

    @cached_property
    def cores(self) -> list[tuple[Hashable, ...]]:
        """Two items with one key ask the same, filler words aside."""
        return [(core(form), setting) for form, setting in zip(self.forms, self.settings, strict=True)]

    @cached_property
    def asked(self) -> list[tuple[Hashable, ...]]:
        """Two items with one key ask the same, word for word."""
        return list(zip(self.forms, self.settings, strict=True))

    @cached_property
    def alike(self) -> Pairs:
        """Pairs of positions whose questions reach the threshold; numbers, context and pictures are the same.

        Options count as part of the question. Of items that ask the same word for word the first is compared.
        """
        firsts = sorted(group[0] for group in groups(self.asked))
        first = np.array(firsts, dtype=np.int64)
        texts = self._compared(firsts)
        blocks = labels(
            (numbers(text), self.settings[position][1:]) for position, text in zip(firsts, texts, strict=True)
        )
        # In an order that only the texts decide, so that the order of the file changes nothing.
        order = np.array(sorted(range(len(texts)), key=lambda at: (texts[at], self.items[firsts[at]].digest)), np.int64)
        shingles = shingle([texts[at] for at in order])
        found = near_pairs(shingles, self.threshold, blocks[order])
        return _sorted(first[order[found.left]], first[order[found.right]], found.jaccard, complete=found.complete)

    @cached_property
    def agreements(self) -> list[Agreement]:
        """Whether the two sides of each pair of `alike` want the same answer; items that ask the same speak as one."""
        pooled: dict[int, Wanted] = {}
        for group in groups(self.asked):
            together = self.wanted[group[0]]
            for position in group[1:]:
                together = together | self.wanted[position]
            pooled[group[0]] = together
        return [pooled[left].against(pooled[right]) for left, right, _ in self.alike]

    @cached_property
    def near(self) -> Pairs:
        """Near duplicates: pairs of `alike` that do not want different answers (those ask about something else), and
        questions that differ in filler words only, however short they are."""
        pairs = [pair for pair, agreement in zip(self.alike, self.agreements, strict=True) if agreement != "other"]
        known = {pair[:2] for pair in pairs}
        for group in groups(self.cores):
            firsts = list({self.asked[position]: position for position in reversed(group)}.values())
            for other in sorted(firsts)[1:]:
                pair = (min(firsts), other)
                agreement = self.wanted[pair[0]].against(self.wanted[other])
                if pair not in known and agreement != "other":
                    pairs.append((*pair, self._likeness(*pair)))
        columns = [np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1)]
        jaccard = np.array([pair[2] for pair in pairs], np.float64)
        return _sorted(columns[0], columns[1], jaccard, complete=self.alike.complete)

    @cached_property
    def same(self) -> Indices:
        """A label for each item; items that ask the same, or nearly so, share one."""
        pairs = [(group[0], other) for group in groups(self.cores) for other in group[1:]]
        left = np.concatenate([np.array([pair[0] for pair in pairs], np.int64), self.near.left])
        right = np.concatenate([np.array([pair[1] for pair in pairs], np.int64), self.near.right])
        return clusters(len(self.items), left, right)

    @cached_property
    def units(self) -> Indices:
        """A label for each item; items that are not independent (`same`, or one declared `cluster`) share one."""
        declared: dict[str, int] = {}
        pairs = [
            (declared.setdefault(item.cluster, position), position)
            for position, item in enumerate(self.items)
            if item.cluster is not None
        ]
        firsts: dict[int, int] = {}
        pairs += [(firsts.setdefault(label, position), position) for position, label in enumerate(self.same.tolist())]
        left, right = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
        return clusters(len(self.items), left, right)

    def declared_together(self, positions: Iterable[int]) -> bool:
        """True when the items carry one `cluster`: their likeness is known and counted right."""
        names = {self.items[position].cluster for position in positions}
        return len(names) == 1 and None not in names

    def _likeness(self, left: int, right: int) -> float:
        sets = [set(shingle([self.forms[position]]).keys.tolist()) for position in (left, right)]
        return len(sets[0] & sets[1]) / max(len(sets[0] | sets[1]), 1)

    def _compared(self, positions: Sequence[int]) -> list[str]:
        """Question and options, without what every question of the set begins or ends with (an instruction)."""
        forms = [self.forms[position] for position in positions]
        many = len(forms) >= _MANY
        head = _common_start(forms) if many else ""
        tail = _common_start([form[len(head) :][::-1] for form in forms]) if many else ""
        return [
            "\n".join([form[len(head) : len(form) - len(tail)], *self.settings[position][0]])  # type: ignore[misc]
            for form, position in zip(forms, positions, strict=True)
        ]


def _sorted(left: Indices, right: Indices, jaccard: Floats, *, complete: bool) -> Pairs:
    low, high = np.minimum(left, right), np.maximum(left, right)
    order = np.lexsort((high, low))
    return Pairs(low[order], high[order], jaccard[order], complete)


def _common_start(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)  # whatever these two share at the front, all between them do
    return first[: next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]


def groups(keys: Iterable[Hashable]) -> list[list[int]]:
    """Positions of equal keys together, each in order."""
    found: defaultdict[Hashable, list[int]] = defaultdict(list)
    for position, key in enumerate(keys):
        found[key].append(position)
    return list(found.values())


def labels(keys: Iterable[Hashable]) -> Indices:
    """A number for each key; equal keys, equal numbers."""
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.int64)


def _setting(item: Item) -> tuple[Hashable, ...]:
    pictures = tuple(image.digest for image in item.image_files) or item.images
    earlier = tuple((turn.role, turn.content) for turn in (item.messages or ())[:-1])
    return (tuple(sorted(map(normalise, item.choices or ()))), item.context or "", pictures, earlier)
