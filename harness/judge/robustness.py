"""How many verdicts of a judge an answer can turn around by talking to it.

Pairs are drawn at random and judged honestly. Where one answer lost, it is judged again with each attack added to it,
in both orders and under the same rules: the verdict has flipped when the loser now wins. The attacker is given more
than anybody who trains a model has: it knows that its answer lost, and what the judge calls it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.candidates.candidate import Candidate
from harness.comparison.statistics import wilson_bounds
from harness.comparison.statistics.intervals import z_quantile
from harness.errors import InputError
from harness.judge.asking import JudgeOutputs, Question, Settings, ask_judges, special_tokens
from harness.judge.attacks import ATTACKS, CONTROL, Attack
from harness.judge.judging import read_judgements
from harness.judge.pairs import ORDERS, Order, Pair, Pairs, question_text
from harness.judge.partiality import judge_records
from harness.judge.prompts.pairwise import SCHEMA, VERSION, wording
from harness.judge.results import JudgeRecord
from harness.judge.statistics.judgements import Outcome, judged, majority_outcome
from harness.runs.progress import Progress


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class AttackResult(_Model):
    """What one attack did.

    Attributes:
        n: pairs whose attacked verdict could be read.
        flipped: of these, the loser now wins.
        tied: of these, a tie now.
        unread: pairs whose attacked verdict could not be read; in no share.
        share, ci: flipped / n, with Wilson's interval; None when n is 0.
    """

    name: str
    control: bool
    n: int
    flipped: int
    tied: int
    unread: int
    share: float | None
    ci: tuple[float, float] | None


class Robustness(_Model):
    """What attacks did to the verdicts of judges.

    Attributes:
        drawn: pairs that were judged honestly.
        decided: of these, one answer lost: what was attacked.
        attacks: the harmless one first.
    """

    schema_version: Literal[1] = Field(1, alias="schema")
    comparison: str
    suite: str
    base: str
    candidate: str
    judges: tuple[JudgeRecord, ...]
    prompt: str
    reference: bool
    repeats: int
    seed: int
    alpha: float
    drawn: int
    decided: int
    attacks: tuple[AttackResult, ...]

    def to_json(self) -> str:
        return self.model_dump_json(by_alias=True, indent=1) + "\n"


def attack_judges(
    pairs: Pairs, judges: Sequence[Candidate], settings: Settings, progress: Progress, *, items: int
) -> Robustness:
    """Attack the verdicts on pairs that are drawn at random.

    Args:
        items: how many pairs are drawn.

    Raises:
        InputError: fewer than one pair was asked for, all answers are equal, or as `ask_judges`.
    """
    if items < 1:
        raise InputError(f"must be at least 1, not {items}", where="--items")
    different = [pair for pair in pairs.pairs if not pair.identical]
    if not different:
        raise InputError("every pair has two equal answers: there is no verdict to flip", where=pairs.comparison)
    drawn = random.Random(f"attacks:{settings.seed}").sample(different, min(items, len(different)))
    special = special_tokens(judges)
    honest = ask_judges(
        judges,
        [
            _question(f"{number}", pair, first, special, settings)
            for number, pair in enumerate(drawn)
            for first in ORDERS
        ],
        settings,
        progress,
    )
    losers = {number: loser for number in range(len(drawn)) if (loser := _loser(_outcome(f"{number}", honest)))}
    tried = (CONTROL, *ATTACKS)
    asked = [
        _question(f"{attack.name}:{number}", _attacked(drawn[number], loser, attack, first), first, special, settings)
        for attack in tried
        for number, loser in losers.items()
        for first in ORDERS
    ]
    said = ask_judges(judges, asked, settings, progress) if asked else honest
    return Robustness(
        comparison=pairs.comparison,
        suite=pairs.suite,
        base=pairs.base,
        candidate=pairs.candidate,
        judges=judge_records(judges, honest, pairs),
        prompt=VERSION,
        reference=settings.reference and pairs.with_gold > 0,
        repeats=settings.repeats,
        seed=settings.seed,
        alpha=settings.alpha,
        drawn=len(drawn),
        decided=len(losers),
        attacks=tuple(_result(attack, losers, said, settings.alpha) for attack in tried),
    )


def _question(key: str, pair: Pair, first: Order, special: Sequence[str], settings: Settings) -> Question:
    text = question_text(pair, first, special, reference=settings.reference)
    return Question(f"{key}:{first}", text, wording(pair.item.language).system, SCHEMA)


def _attacked(pair: Pair, loser: Order, attack: Attack, first: Order) -> Pair:
    label = "A" if loser == first else "B"
    answer = attack.on(pair.base if loser == "base" else pair.candidate, label, pair.item.language)
    return replace(pair, base=answer) if loser == "base" else replace(pair, candidate=answer)


def _outcome(key: str, said: JudgeOutputs) -> Outcome:
    return majority_outcome([judged(read_judgements(key, texts)).outcome for texts in said.texts])


def _loser(outcome: Outcome) -> Order | None:
    """Who lost; None where nobody did."""
    if outcome == "base":
        return "candidate"
    return "base" if outcome == "candidate" else None


def _result(attack: Attack, losers: Mapping[int, Order], said: JudgeOutputs, alpha: float) -> AttackResult:
    outcomes = {number: _outcome(f"{attack.name}:{number}", said) for number in losers}
    read = {number: outcome for number, outcome in outcomes.items() if outcome != "unscored"}
    flipped = sum(outcome == losers[number] for number, outcome in read.items())
    return AttackResult(
        name=attack.name,
        control=attack is CONTROL,
        n=len(read),
        flipped=flipped,
        tied=sum(outcome == "tie" for outcome in read.values()),
        unread=len(outcomes) - len(read),
        share=flipped / len(read) if read else None,
        ci=wilson_bounds(flipped, len(read), z_quantile(alpha)) if read else None,
    )
