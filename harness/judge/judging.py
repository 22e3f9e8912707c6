"""Base against candidate, judged in pairs and in both orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.candidates.candidate import Candidate
from harness.comparison.statistics import holm, paired_interval, paired_p
from harness.judge.asking import JudgeOutputs, Question, Settings, ask_judges, special_tokens
from harness.judge.pairs import ORDERS, Pair, Pairs, question_text
from harness.judge.partiality import judge_records
from harness.judge.prompts.pairwise import SCHEMA, VERSION, wording
from harness.judge.reading import read_choice
from harness.judge.results import JudgedItem, JudgedPairs, JudgedTask, LengthControlledRate, Position, preferred
from harness.judge.statistics.judgements import Judgements
from harness.judge.statistics.length import length_controlled
from harness.judge.statistics.pairwise import Pairwise, pairwise
from harness.judge.statistics.position import PositionBias
from harness.runs.progress import Progress


def judge_pairs(
    pairs: Pairs, judges: Sequence[Candidate], settings: Settings, progress: Progress
) -> tuple[JudgedPairs, JudgeOutputs]:
    """Have a comparison's answers judged in pairs; returns what that came to, and what the judges wrote.

    Raises:
        InputError: as `ask_judges`.
    """
    said = ask_judges(judges, questions(pairs, judges, settings), settings, progress)
    return judged_pairs(pairs, judges, said, settings), said


def questions(pairs: Pairs, judges: Sequence[Candidate], settings: Settings) -> list[Question]:
    """Two for each pair whose answers differ: the base's first, and the candidate's first."""
    special = special_tokens(judges)
    return [
        Question(
            f"{number}:{first}",
            question_text(pair, first, special, reference=settings.reference),
            wording(pair.item.language).system,
            SCHEMA,
        )
        for number, pair in enumerate(pairs.pairs)
        if not pair.identical
        for first in ORDERS
    ]


def read_judgements(key: str, said: Mapping[str, tuple[str, ...]]) -> Judgements:
    """What one judge said of a pair, whose questions are called `key:base` and `key:candidate` by what came first."""
    base, candidate = (tuple(map(read_choice, said.get(f"{key}:{first}", ()))) for first in ORDERS)
    return Judgements(base_first=base, candidate_first=candidate)


def judged_pairs(pairs: Pairs, judges: Sequence[Candidate], said: JudgeOutputs, settings: Settings) -> JudgedPairs:
    """What the judges' words come to, task by task."""
    tasks = [_task(name, members, said.texts, settings) for name, members in pairs.by_task().items()]
    adjusted = holm({task.task: task.p for task in tasks})
    return JudgedPairs(
        comparison=pairs.comparison,
        suite=pairs.suite,
        base=pairs.base,
        candidate=pairs.candidate,
        judges=judge_records(judges, said, pairs),
        prompt=VERSION,
        reference=settings.reference and pairs.with_gold > 0,
        repeats=settings.repeats,
        seed=settings.seed,
        alpha=settings.alpha,
        left_out=pairs.left_out,
        tasks=tuple(_decided(task, adjusted[task.task], settings.alpha) for task in tasks),
    ).named()


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
                cluster=pair.item.cluster,
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
    return read_judgements(str(number), said)


def _decided(task: JudgedTask, p_adjusted: float | None, alpha: float) -> JudgedTask:
    shown = preferred(task.delta, p_adjusted, alpha)
    return task.model_copy(update={"p_adjusted": p_adjusted, "preferred": shown})
