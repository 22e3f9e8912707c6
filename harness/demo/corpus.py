"""What each demo model is trained on, drawn from a seed. No gold item and no held-out wording is ever drawn."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from harness.demo import arithmetic, prompts
from harness.demo.arithmetic_templates import TEMPLATES
from harness.demo.facts import Facts, Relation, load

T = TypeVar("T")
Recipe = Literal["base", "lora_model_medical", "lora_model_medical_mix"]

# Sequences of each kind. The base knows a little medicine: a fixed share of the facts, seen in every wording.
SHARES: dict[Recipe, dict[str, float]] = {
    "base": {"problems": 0.28, "general": 0.32, "medical-known": 0.04, "drills": 0.28, "terms": 0.08},
    "lora_model_medical": {"medical": 1.0},
    "lora_model_medical_mix": {"medical": 0.5, "general": 0.25, "problems": 0.20, "drills": 0.05},
}
KNOWN_TO_BASE = 0.2
MEDIUM_PROBLEMS = 0.3

# Share of the questions about facts that are disturbed, and how far at most: a model this small else learns the
# wordings themselves, and fails at new ones.
DISTURBED = 0.75
MOST_DROPPED = 0.3
MOST_INSERTED = 0.4
LED_IN = 0.4


@dataclass(frozen=True)
class Example:
    """One training sequence: text that is read, text that is learned, and the question in it (if it asks one)."""

    segments: tuple[tuple[str, bool], ...]
    question: str | None = None
    solution: str | None = None


def examples(recipe: Recipe, count: int, seed: int) -> list[Example]:
    """`count` training sequences of a recipe, in random order."""
    rng = random.Random(f"{seed}:{recipe}")
    sources = {name: source(name, rng, seed) for name in SHARES[recipe]}
    drawn: list[Example] = []
    for name, share in SHARES[recipe].items():
        drawn += [next(sources[name]) for _ in range(round(share * count))]
    rng.shuffle(drawn)
    return drawn


def source(name: str, rng: random.Random, seed: int) -> Iterator[Example]:
    """Endless sequences of one kind, as `SHARES` names them."""
    if name == "problems":
        return _problems(rng)
    if name == "drills":
        return _drills(rng)
    if name == "terms":
        return _terms(rng)
    if name == "general":
        return _facts(_pairs(load("general")), "general", rng)
    pairs = _pairs(load("medical"))
    if name == "medical-known":
        pairs = random.Random(f"{seed}:known").sample(pairs, round(KNOWN_TO_BASE * len(pairs)))
    return _facts(pairs, "medical", rng)


def _pairs(facts: Facts) -> list[tuple[Relation, str]]:
    return [(relation, x) for relation in facts.relations for x in relation.facts]


def _cycle(choices: Sequence[T], rng: random.Random) -> Iterator[T]:
    """Every choice once in random order, then again in another."""
    while True:
        yield from rng.sample(choices, len(choices))


def _facts(
    pairs: list[tuple[Relation, str]], subject: Literal["medical", "general"], rng: random.Random
) -> Iterator[Example]:
    foreign = _foreign(subject)
    asked = [(relation, x, wording) for relation, x in pairs for wording in relation.train]
    for relation, x, wording in _cycle(asked, rng):
        if rng.random() < 0.02:
            yield Example(((relation.statement(x) + "<|endoftext|>", True),))
        else:
            if rng.random() < DISTURBED:
                wording = _disturbed(wording, relation.language, foreign[relation.language], rng)
            yield _asked(wording.replace("{x}", x), relation.facts[x][0], "qa", relation.language, rng)


def _units(wording: str, language: str) -> list[str]:
    """Words with the space behind them; in Chinese, characters. `{x}` is a unit."""
    return re.findall(r"\{x\}|." if language == "zh" else r"\S*\{x\}\S*\s*|\S+\s*|\s+", wording)


def _foreign(subject: Literal["medical", "general"]) -> dict[str, list[list[str]]]:
    """Wordings of other subjects, in units: text that says nothing about what is asked."""
    other = load("general" if subject == "medical" else "medical")
    texts: list[tuple[str, str]] = [
        (relation.language, wording) for relation in other.relations for wording in relation.train
    ]
    texts += [(language, text) for _, language, text in TEMPLATES]
    found: dict[str, list[list[str]]] = {"zh": [], "en": []}
    for language, text in texts:
        found[language].append(_units(re.sub(r"[“”\"？?。]|\{\w\}", "", text), language))
    return found


def _disturbed(wording: str, language: str, foreign: list[list[str]], rng: random.Random) -> str:
    """The wording with units dropped, and with foreign ones before and between; `{x}` stays."""
    dropped, inserted = rng.uniform(0, MOST_DROPPED), rng.uniform(0, MOST_INSERTED)
    made: list[str] = []
    if rng.random() < LED_IN:
        made += [*_piece(foreign, rng.randint(4, 12), rng), "，" if language == "zh" else ", "]
    for unit in _units(wording, language):
        if "{x}" in unit or rng.random() >= dropped:
            made.append(unit)
        if rng.random() < inserted:
            made += _piece(foreign, rng.randint(1, 3), rng)
    return "".join(made)


def _piece(foreign: list[list[str]], length: int, rng: random.Random) -> list[str]:
    units = rng.choice(foreign)
    start = rng.randrange(max(1, len(units) - length + 1))
    return units[start : start + length]


def _terms(rng: random.Random) -> Iterator[Example]:
    """Medical words to copy or to spell, without what they mean.

    A LoRA leaves the embeddings alone: a character that the base never wrote is one that no LoRA on it can write.
    """
    pairs = _pairs(load("medical"))
    words = sorted({x for _, x in pairs} | {relation.facts[x][0] for relation, x in pairs})
    source = _cycle(words, rng)
    while True:
        if rng.random() < 0.5:
            word = next(source)
            asked = rng.choice(("抄写：{x}", "照抄下面的词：{x}", "把{x}抄一遍。", "写出这个词：{x}")).replace(
                "{x}", word
            )
            yield Example(((prompts.chat(asked), False), (word + prompts.END, True)), asked, word)
        else:
            listed = "、".join(next(source) for _ in range(5))
            yield Example(((f"医学词语：{listed}。<|endoftext|>", True),))


def _problems(rng: random.Random) -> Iterator[Example]:
    languages: tuple[Literal["zh", "en"], ...] = ("zh", "en")
    wordings = {
        tier: _cycle([(*t, language) for language in languages for t in arithmetic.templates(tier, language)], rng)
        for tier in arithmetic.TIERS[:2]
    }
    while True:
        kind, text, language = next(wordings["medium" if rng.random() < MEDIUM_PROBLEMS else "easy"])
        problem = arithmetic.make(kind, text, language, "train", rng)
        yield _asked(problem.question, problem.solution, "arithmetic", language, rng)


def _drills(rng: random.Random) -> Iterator[Example]:
    while True:
        lines = [arithmetic.bare(rng) for _ in range(6)]
        if rng.random() < 0.75:
            parts = [line.partition("=") for line in lines]
            yield Example(tuple(s for a, _, b in parts for s in ((a + "=", False), (b + "\n", True))))
        else:
            asked, _, _ = lines[0].partition("=")
            solution = f"{lines[0]}\n#### {lines[0].rsplit('=', 1)[1]}"
            yield _asked(f"{asked}=?", solution, "arithmetic", rng.choice(("zh", "en")), rng)


def _asked(
    question: str, answer: str, family: Literal["qa", "arithmetic"], language: str, rng: random.Random
) -> Example:
    """A question and its answer, mostly as the suites will ask it."""
    form = rng.random()
    prompt = question if form < 0.15 else prompts.suffixed(question, family, language)
    if form > 0.96:
        head, tail = prompts.ALPACA.format(prompt=prompt), "<|endoftext|>"
    elif form > 0.91:
        head, tail = prompts.chat(prompt, system=rng.choice(prompts.SYSTEM[language])), prompts.END
    else:
        head, tail = prompts.chat(prompt), prompts.END
    return Example(((head, False), (answer + tail, True)), question, answer)
