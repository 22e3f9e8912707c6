"""Base against candidate, judged in pairs and in both orders."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.candidates.candidate import Candidate, EndpointCandidate, ModelCandidate
from harness.candidates.fingerprint import fingerprint
from harness.comparison.results import CandidateComparison, Comparison
from harness.comparison.statistics import holm, paired_interval, paired_p
from harness.judge.asking import Asked, Said, special_tokens
from harness.judge.pairs import ORDERS, Order, Pair, Pairs, question
from harness.judge.prompts import VERSION, wording
from harness.judge.reading import read_choice
from harness.judge.results import (
    JudgedItem,
    JudgedPairs,
    JudgedTask,
    JudgeRecord,
    LengthControlledRate,
    Position,
    Preferred,
)
from harness.judge.statistics.judgements import Judgements
from harness.judge.statistics.length import length_controlled
from harness.judge.statistics.pairwise import pairwise
from harness.runs.files import CandidateRecord

#: Names of model families; a judge favours its own (Panickssery et al. 2024, "LLM evaluators recognize and favor their
#: own generations").
_FAMILIES = re.compile(
    r"qwen|qwq|llama|gpt|claude|gemini|gemma|deepseek|glm|mi[sx]tral|baichuan|internlm|yi(?=[-_\d])|phi|doubao|ernie|"
    r"hunyuan|kimi|moonshot|minicpm",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Settings:
    """How pairs are judged.

    Attributes:
        reference: the judge is shown the gold answer.
    """

    alpha: float = 0.05
    seed: int = 0
    repeats: int = 1
    reference: bool = True


def questions(pairs: Pairs, judges: Sequence[Candidate], settings: Settings) -> list[Asked]:
    """Two for each pair whose answers differ: the base's first, and the candidate's first."""
    special = special_tokens(judges)
    return [
        Asked(
            _id(number, first),
            question(pair, first, special, reference=settings.reference),
            wording(pair.item.language).system,
        )
        for number, pair in enumerate(pairs.pairs)
        if not pair.identical
        for first in ORDERS
    ]


def judged_pairs(
    comparison: Comparison,
    compared: CandidateComparison,
    pairs: Pairs,
    judges: Sequence[Candidate],
    said: Said,
    settings: Settings,
) -> JudgedPairs:
    """What the judges' words come to, task by task."""
    by_task: dict[str, list[tuple[int, Pair]]] = {}
    for number, pair in enumerate(pairs.pairs):
        by_task.setdefault(pair.task, []).append((number, pair))
    tasks = [_task(name, members, said.texts, settings) for name, members in by_task.items()]
    adjusted = holm({task.task: task.p for task in tasks})
    return JudgedPairs(
        comparison=comparison.id,
        suite=comparison.suite,
        base=comparison.base,
        candidate=compared.candidate,
        judges=tuple(
            JudgeRecord(
                name=judge.name, digest=digest, engine=engine, engine_version=version, itself=_partial(judge, pairs)
            )
            for judge, digest, (engine, version) in zip(judges, said.digests, said.engines, strict=True)
        ),
        prompt=VERSION,
        reference=settings.reference,
        repeats=settings.repeats,
        seed=settings.seed,
        alpha=settings.alpha,
        left_out=pairs.left_out,
        tasks=tuple(_decided(task, adjusted[task.task], settings.alpha) for task in tasks),
    )


def _task(
    name: str, members: Sequence[tuple[int, Pair]], texts: Sequence[Mapping[str, tuple[str, ...]]], settings: Settings
) -> JudgedTask:
    judgements = [[_judgements(number, pair, said) for said in texts] for number, pair in members]
    clusters = [pair.item.cluster for _, pair in members]
    labels = clusters if any(clusters) else None
    found = pairwise(judgements, labels, alpha=settings.alpha, seed=settings.seed)
    sample = found.sample()
    interval = paired_interval(sample, alpha=settings.alpha)
    tested = paired_p(sample, seed=settings.seed)
    # Pairs that nobody was asked about say nothing of a judge.
    asked = [at for at, (_, pair) in enumerate(members) if not pair.identical]
    of_judges = pairwise(
        [judgements[at] for at in asked], [clusters[at] for at in asked] if labels else None,
        alpha=settings.alpha, seed=settings.seed,
    ) if asked else None  # fmt: skip
    lengths = [len(members[at][1].candidate) - len(members[at][1].base) for at in found.scored]
    controlled = length_controlled(
        found.score, lengths, [clusters[at] for at in found.scored] if labels else None, alpha=settings.alpha
    )
    position = of_judges.position if of_judges else None
    return JudgedTask(
        task=name,
        n=len(found.scored),
        identical=len(members) - len(asked),
        wins=found.wins,
        losses=found.losses,
        ties=found.ties,
        unscored=found.unscored,
        inconsistent=of_judges.inconsistent if of_judges else 0,
        read=of_judges.read if of_judges else 0,
        delta=sample.delta if sample.n else None,
        ci=interval.bounds if interval else None,
        p=tested[0] if tested else None,
        p_adjusted=None,
        preferred="neither",
        win_rate=found.win_rate,
        length_controlled=LengthControlledRate(rate=controlled.rate, ci=controlled.ci, note=controlled.note),
        position=Position(
            bias=position.bias,
            ci=position.interval.bounds,
            p=position.p,
            shown=position.shown,
            first=position.first,
            second=position.second,
            ties=position.ties,
        )
        if position
        else None,
        reliability=of_judges.reliability.alpha if of_judges else None,
        items=tuple(
            JudgedItem(
                item_id=pair.item.id,
                outcome=outcome,
                judges=tuple(one.outcome for one in by_judge),
                identical=pair.identical,
            )
            for (_, pair), outcome, by_judge in zip(members, found.outcomes, found.by_judge, strict=True)
        ),
    )


def _judgements(number: int, pair: Pair, said: Mapping[str, tuple[str, ...]]) -> Judgements:
    if pair.identical:
        return Judgements(("tie",), ("tie",))
    base, candidate = (tuple(map(read_choice, said.get(_id(number, first), ()))) for first in ORDERS)
    return Judgements(base_first=base, candidate_first=candidate)


def _decided(task: JudgedTask, p_adjusted: float | None, alpha: float) -> JudgedTask:
    preferred: Preferred = "neither"
    if p_adjusted is not None and p_adjusted <= alpha and task.delta:
        preferred = "candidate" if task.delta > 0 else "base"
    return task.model_copy(update={"p_adjusted": p_adjusted, "preferred": preferred})


def _partial(judge: Candidate, pairs: Pairs) -> str:
    """Why a judge may be partial: it judges itself, or its family."""
    sides = {"base": pairs.base, "candidate": pairs.candidate}
    if isinstance(judge, ModelCandidate):
        own = fingerprint(judge)
        if same := [side for side, record in sides.items() if record.model == own.model]:
            return f"it has the weights of {' and '.join(same)}"
        names = f"{judge.name} {judge.model.name}"
    else:
        names = judge.endpoint.model if isinstance(judge, EndpointCandidate) else judge.name
    families = {found.lower() for found in _FAMILIES.findall(names)}
    if same := [side for side, record in sides.items() if families & _families(record)]:
        return f"it is of the family of {' and '.join(same)} ({', '.join(sorted(families))})"
    return ""


def _families(record: CandidateRecord) -> set[str]:
    return {found.lower() for found in _FAMILIES.findall(f"{record.name} {record.path.rstrip('/').rpartition('/')[2]}")}


def _id(number: int, first: Order) -> str:
    return f"{number}:{first}"
