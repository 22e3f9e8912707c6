"""Base against candidate, judged in pairs and in both orders."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.candidates.candidate import Candidate, EndpointCandidate, ModelCandidate
from harness.candidates.fingerprint import fingerprint
from harness.comparison.results import CandidateComparison, Comparison
from harness.comparison.statistics import holm, paired_interval, paired_p
from harness.errors import InputError
from harness.judge.asking import JudgeOutputs, Question, Settings, ask_judges, special_tokens
from harness.judge.pairs import ORDERS, Order, Pair, Pairs, pairs_of, question_text
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
from harness.judge.statistics.pairwise import Pairwise, pairwise
from harness.judge.statistics.position import PositionBias
from harness.runs.files import CandidateRecord, RunStore
from harness.runs.progress import Progress

#: Names of model families; a judge favours its own (Panickssery et al. 2024, "LLM evaluators recognize and favor their
#: own generations").
_FAMILIES = re.compile(
    r"qwen|qwq|llama|gpt|claude|gemini|gemma|deepseek|glm|mi[sx]tral|baichuan|internlm|yi(?=[-_\d])|phi|doubao|ernie|"
    r"hunyuan|kimi|moonshot|minicpm",
    re.IGNORECASE,
)


def judge_comparison(
    comparison: Comparison,
    judges: Sequence[Candidate],
    settings: Settings,
    progress: Progress,
    *,
    candidate: str | None = None,
    tasks: Sequence[str] = (),
    goldsets: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> JudgedPairs:
    """Have the answers of a stored comparison judged in pairs.

    Args:
        candidate: which of its candidates; needed where there are several.
        tasks: these alone; empty: all.
        goldsets: local copies of gold sets, by name.
        folder: where gold sets are looked up.

    Raises:
        InputError: no such candidate or task, a run that is no longer in the store, or as `ask_judges`.
    """
    compared = _compared(comparison, candidate)
    pairs = pairs_of(compared, RunStore(settings.store), tasks=tasks, overrides=goldsets or {}, folder=folder)
    said = ask_judges(judges, questions(pairs, judges, settings), settings, progress)
    return judged_pairs(comparison, compared, pairs, judges, said, settings)


def _compared(comparison: Comparison, candidate: str | None) -> CandidateComparison:
    names = [one.candidate for one in comparison.comparisons]
    if candidate is None and len(names) > 1:
        remedy = f"Name one of {', '.join(names)}."
        raise InputError(f"the comparison has {len(names)} candidates", where="--candidate", remedy=remedy)
    if candidate is not None and candidate not in names:
        remedy = f"It has {', '.join(names)}."
        raise InputError(f"the comparison has no candidate {candidate!r}", where="--candidate", remedy=remedy)
    return next(one for one in comparison.comparisons if candidate in (None, one.candidate))


def questions(pairs: Pairs, judges: Sequence[Candidate], settings: Settings) -> list[Question]:
    """Two for each pair whose answers differ: the base's first, and the candidate's first."""
    special = special_tokens(judges)
    return [
        Question(
            _id(number, first),
            question_text(pair, first, special, reference=settings.reference),
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
    said: JudgeOutputs,
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
    of_judges = _of_judges(members, judgements, settings)
    lengths = [len(members[at][1].candidate) - len(members[at][1].base) for at in found.scored]
    controlled = length_controlled(
        found.score, lengths, [clusters[at] for at in found.scored] if labels else None, alpha=settings.alpha
    )
    return JudgedTask(
        task=name,
        n=len(found.scored),
        identical=sum(pair.identical for _, pair in members),
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
        position=_position(of_judges.position) if of_judges and of_judges.position else None,
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


def _of_judges(
    members: Sequence[tuple[int, Pair]], judgements: Sequence[Sequence[Judgements]], settings: Settings
) -> Pairwise | None:
    """What the pairs that were asked about say of the judges; the others say nothing of them."""
    asked = [at for at, (_, pair) in enumerate(members) if not pair.identical]
    if not asked:
        return None
    clusters = [members[at][1].item.cluster for at in asked]
    return pairwise(
        [judgements[at] for at in asked],
        clusters if any(clusters) else None,
        alpha=settings.alpha,
        seed=settings.seed,
    )


def _position(found: PositionBias) -> Position:
    return Position(
        bias=found.bias,
        ci=found.interval.bounds,
        p=found.p,
        shown=found.shown,
        first=found.first,
        second=found.second,
        ties=found.ties,
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
