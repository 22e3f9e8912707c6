"""The gold sets written here: chosen from the held-out questions by a seed, and written with their cards."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from harness.demo import arithmetic
from harness.demo.facts import Relation, load
from harness.gold.card import Card
from harness.gold.goldset import digest_of
from harness.gold.item import Item

SEED = 20261122
EACH_TIER_AND_LANGUAGE = 60

# Easy questions wanted of each set; fewer are taken when there are fewer facts.
EASY = {"medical": 172, "general": 240}

# Taught, but not asked: exact match ignores case and brackets, so it cannot tell right from wrong here.
NOT_ASKED = frozenset({"bracket", "uppercase-en"})

_FIELDS = {
    "id": "unique name of the item",
    "question": "the question, without the suffix that a suite puts behind it",
    "answer": "accepted answers, the canonical one first",
    "metadata.topic": "what the question is about",
    "metadata.difficulty": "easy, medium or hard",
    "metadata.language": "zh or en",
    "metadata.reference": "the answer as a full sentence",
}
_AUTHORSHIP = (
    "Written for this project by authors assisted by language models, from textbook knowledge. "
    "Not copied from an examination or a published data set."
)
_TIERS = (
    "The easy tier asks in unseen words for facts that the embedded demo models were taught; it tells them apart. "
    "The medium and hard tiers are not taught to the demo models, which score near zero there; they are for real "
    "models."
)
_ABOUT: dict[str, dict[str, Any]] = {
    "medical-qa": {
        "purpose": "Short questions of medicine in Chinese, each with a short verifiable answer: does a medical "
        "fine-tune know more than its base?",
        "notes": "Not reviewed by a clinician. Not medical advice, and no measure of fitness for clinical use. "
        "Accepted answers cover common names only: look at an item before you blame a model. " + _TIERS,
    },
    "general-retention": {
        "purpose": "Short general questions (world knowledge, Chinese language, common sense, following instructions, "
        "translation), mostly in Chinese: did a fine-tune forget what its base knew?",
        "notes": _TIERS,
    },
    "arithmetic-mini": {
        "purpose": "Word problems with worked solutions in Chinese and English: did a fine-tune lose step-by-step "
        "arithmetic? Easy: one step; medium: two; hard: three and more, with percentages, fractions and averages.",
        "notes": "Made from templates written for this project; numbers are drawn from a seed, and the operands of no "
        "problem occur in the demo's training data. The worked solution ends in `#### N`. The demo models are taught "
        "easy and medium problems with other numbers, and no hard ones.",
    },
}
NAMES = tuple(_ABOUT)


@dataclass(frozen=True)
class Written:
    """A gold set as it is written: its items and its card."""

    items: tuple[Item, ...]
    card: Card


@cache
def generate(name: str) -> Written:
    """The gold set of that name, the same at every call."""
    items = tuple(_chosen(name))
    fields = dict(_FIELDS)
    if name == "arithmetic-mini":
        fields["answer"] = "the worked solution, ending in `#### N`"
    card = Card(
        name=name,
        purpose=_ABOUT[name]["purpose"],
        authorship=_AUTHORSHIP,
        licence="Apache-2.0",
        languages=tuple(sorted({item.language for item in items}, reverse=True)),
        fields=fields,
        items=len(items),
        counts=counted(items),
        digest=digest_of((item.id, item.digest) for item in items),
        notes=_ABOUT[name]["notes"],
    )
    return Written(items, card)


def write(folder: Path) -> None:
    """Write every gold set and its card into `folder`."""
    for name in NAMES:
        save(generate(name), folder)


def save(made: Written, folder: Path) -> None:
    """Write one gold set and its card into `folder`."""
    name = made.card.name
    lines = [json.dumps(_plain(item), ensure_ascii=False) for item in made.items]
    (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = yaml.safe_dump(
        made.card.model_dump(mode="json", exclude_none=True), allow_unicode=True, sort_keys=False, width=110
    )
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def counted(items: Iterable[Item]) -> dict[str, dict[str, int]]:
    """How many items there are, by topic and tier, for a card."""
    counts: dict[str, Counter[str]] = {}
    for item in items:
        counts.setdefault(item.metadata["topic"], Counter())[item.metadata["difficulty"]] += 1
    return {
        topic: {tier: tiers[tier] for tier in arithmetic.TIERS if tiers[tier]}
        for topic, tiers in sorted(counts.items())
    }


def _plain(item: Item) -> dict[str, Any]:
    plain = item.model_dump(mode="json", exclude_defaults=True)
    if len(plain["answer"]) == 1:
        plain["answer"] = plain["answer"][0]
    return plain


def _chosen(name: str) -> list[Item]:
    if name == "arithmetic-mini":
        return _arithmetic()
    return _questions("medical" if name == "medical-qa" else "general")


def _questions(subject: Literal["medical", "general"]) -> list[Item]:
    facts = load(subject)
    rng = random.Random(f"{SEED}:{subject}")
    queues = [
        [(relation, x) for x in rng.sample(sorted(relation.facts), len(relation.facts))]
        for relation in facts.relations
        if relation.name not in NOT_ASKED
    ]
    # One fact of each relation in turn, so that every topic is asked about.
    turns = [queue[i] for i in range(max(map(len, queues))) for queue in queues if i < len(queue)]
    chosen = sorted(turns[: EASY[subject]], key=lambda pair: facts.relations.index(pair[0]))
    short = {"medical": "med", "general": "gen"}[subject]
    items = [
        _easy(relation, x, f"{short}-easy-{number:03d}", rng) for number, (relation, x) in enumerate(chosen, start=1)
    ]
    for tier in ("medium", "hard"):
        asked = [question for question in facts.items if question.difficulty == tier]
        items += [
            Item(
                id=f"{short}-{tier}-{number:03d}",
                question=question.question,
                answer=question.answer,
                metadata={
                    "topic": question.topic,
                    "difficulty": tier,
                    "language": question.language,
                    "reference": question.reference,
                },
            )
            for number, question in enumerate(asked, start=1)
        ]
    return items


def _easy(relation: Relation, x: str, name: str, rng: random.Random) -> Item:
    return Item(
        id=name,
        question=rng.choice(relation.test).replace("{x}", x),
        answer=relation.facts[x],
        metadata={
            "topic": relation.topic,
            "difficulty": "easy",
            "language": relation.language,
            "reference": relation.statement(x),
        },
    )


def _arithmetic() -> list[Item]:
    rng = random.Random(f"{SEED}:arithmetic")
    items = []
    for tier in arithmetic.TIERS:
        found = arithmetic.problems(tier, "gold", EACH_TIER_AND_LANGUAGE, rng)
        for number, problem in enumerate(found, start=1):
            lines = problem.solution.split("\n")
            items.append(
                Item(
                    id=f"ari-{tier}-{number:03d}",
                    question=problem.question,
                    answer=(problem.solution,),
                    metadata={
                        "topic": problem.kind,
                        "difficulty": tier,
                        "language": problem.language,
                        "reference": lines[-1].removeprefix("#### "),
                    },
                )
            )
    return items
