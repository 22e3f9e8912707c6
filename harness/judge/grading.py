"""Each answer graded by itself, base and candidate in the same words, and the grades compared item by item.

The judge does not know whose answer it reads. Several judges, and several repeats of one, give the lower median of
what they said: a value of the scale, the majority's where there is one, and of two that disagree the stricter. An
answer is graded or not; one that could not be read leaves its item out on both sides and is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low

from harness.candidates.candidate import Candidate
from harness.comparison.statistics import holm, paired_interval, paired_p, paired_sample
from harness.judge.asking import JudgeOutputs, Question, Settings, ask_judges, special_tokens
from harness.judge.fence import fence_for, neutral
from harness.judge.pairs import ORDERS, Order, Pair, Pairs, asked_text, check_gold, gold_text
from harness.judge.partiality import judge_records
from harness.judge.prompts.grading import Shown
from harness.judge.results import GradedItem, GradedMeasure, GradedTask, JudgedGrades, preferred
from harness.judge.scales import ByRubric, Scale, shown_measures, with_overall
from harness.judge.statistics.reliability import krippendorff_alpha
from harness.runs.progress import Progress


def grade_answers(
    pairs: Pairs, scale: Scale, judges: Sequence[Candidate], settings: Settings, progress: Progress
) -> tuple[JudgedGrades, JudgeOutputs]:
    """Have a comparison's answers graded one by one; returns what that came to, and what the judges wrote.

    Raises:
        InputError: as `ask_judges`, and for grades against the gold answer as `check_gold`.
    """
    if scale.mode == "reference":
        check_gold(pairs)
    special = special_tokens(judges)
    questions = [
        Question(
            _id(number, side),
            _text(pair, side, scale, special, settings),
            scale.system(pair.item.language),
            scale.schema,
        )
        for number, pair in enumerate(pairs.pairs)
        for side in _sides(pair)
    ]
    said = ask_judges(judges, questions, settings, progress)
    return graded(pairs, scale, judges, said, settings), said


def graded(
    pairs: Pairs, scale: Scale, judges: Sequence[Candidate], said: JudgeOutputs, settings: Settings
) -> JudgedGrades:
    """What the judges' words come to, task by task."""
    tasks = [_task(name, members, scale, said, settings) for name, members in pairs.by_task().items()]
    adjusted = holm({(task.task, one.name): one.p for task in tasks for one in task.measures})
    rubric = scale.rubric if isinstance(scale, ByRubric) else None
    return JudgedGrades(
        mode=scale.mode,
        comparison=pairs.comparison,
        suite=pairs.suite,
        base=pairs.base,
        candidate=pairs.candidate,
        judges=judge_records(judges, said, pairs),
        prompt=scale.version,
        reference=rubric is None or (settings.reference and pairs.with_gold > 0),
        repeats=settings.repeats,
        seed=settings.seed,
        alpha=settings.alpha,
        left_out=pairs.left_out,
        rubric=rubric.name if rubric else None,
        rubric_digest=rubric.digest if rubric else None,
        lowest=scale.values[0],
        highest=scale.values[-1],
        tasks=tuple(
            task.model_copy(
                update={
                    "measures": tuple(
                        _decided(one, adjusted[task.task, one.name], settings.alpha) for one in task.measures
                    )
                }
            )
            for task in tasks
        ),
    ).named()


@dataclass(frozen=True)
class _Answer:
    """One answer's grades.

    Attributes:
        judges: each judge's, None where it could not be read.
    """

    judges: tuple[dict[str, float] | None, ...]

    def together(self, measures: Sequence[str]) -> dict[str, float] | None:
        """Of all judges that could be read."""
        read = [one for one in self.judges if one is not None]
        return with_overall(_median(read, measures), measures) if read else None


def _task(
    name: str, members: Sequence[tuple[int, Pair]], scale: Scale, said: JudgeOutputs, settings: Settings
) -> GradedTask:
    answers = {
        (number, side): _answer(said, number, side if side in _sides(pair) else _sides(pair)[0], scale)
        for number, pair in members
        for side in ORDERS
    }
    items = tuple(
        GradedItem(
            item_id=pair.item.id,
            base=answers[number, "base"].together(scale.measures),
            candidate=answers[number, "candidate"].together(scale.measures),
            base_judges=answers[number, "base"].judges,
            candidate_judges=answers[number, "candidate"].judges,
            identical=pair.identical,
            cluster=pair.item.cluster,
        )
        for number, pair in members
    )
    scored = [item for item in items if item.base is not None and item.candidate is not None]
    asked = [answers[number, side] for number, pair in members for side in _sides(pair)]
    return GradedTask(
        task=name,
        n=len(scored),
        identical=sum(item.identical for item in scored),
        unscored=len(items) - len(scored),
        measures=tuple(_measure(one, scored, asked, scale, settings) for one in shown_measures(scale)),
        items=items,
    )


def _measure(
    name: str, scored: Sequence[GradedItem], asked: Sequence[_Answer], scale: Scale, settings: Settings
) -> GradedMeasure:
    """Statistics are of grades brought to [0, 1], and told in the scale's units."""
    low, span = scale.values[0], scale.values[-1] - scale.values[0]
    base, candidate = (
        [(values[name] - low) / span for item in scored if (values := getattr(item, side))] for side in ORDERS
    )
    clusters = [item.cluster for item in scored]
    sample = paired_sample(base, candidate, clusters if any(clusters) else None)
    interval = paired_interval(sample, alpha=settings.alpha)
    tested = paired_p(sample, seed=settings.seed)
    ratings = [[one.get(name) if one else None for one in answer.judges] for answer in asked]
    return GradedMeasure(
        name=name,
        base=low + span * sample.base if sample.n else None,
        candidate=low + span * sample.candidate if sample.n else None,
        delta=span * sample.delta if sample.n else None,
        ci=(span * interval.low, span * interval.high) if interval else None,
        p=tested[0] if tested else None,
        p_adjusted=None,
        preferred="neither",
        reliability=krippendorff_alpha(ratings, "ordinal").alpha if name in scale.measures else None,
    )


def _decided(one: GradedMeasure, p_adjusted: float | None, alpha: float) -> GradedMeasure:
    shown = preferred(one.delta, p_adjusted, alpha)
    return one.model_copy(update={"p_adjusted": p_adjusted, "preferred": shown})


def _answer(said: JudgeOutputs, number: int, side: Order, scale: Scale) -> _Answer:
    return _Answer(tuple(_read(texts.get(_id(number, side), ()), scale) for texts in said.texts))


def _read(texts: Sequence[str], scale: Scale) -> dict[str, float] | None:
    """One judge's grades over its repeats."""
    read = [values for values in map(scale.read, texts) if values is not None]
    return _median(read, scale.measures) if read else None


def _median(values: Sequence[Mapping[str, float]], measures: Sequence[str]) -> dict[str, float]:
    return {name: median_low(one[name] for one in values) for name in measures}


def _text(pair: Pair, side: Order, scale: Scale, special: Sequence[str], settings: Settings) -> str:
    item = pair.item
    told = gold_text(item) if settings.reference or scale.mode == "reference" else None
    shown = Shown(
        language=item.language,
        question=neutral(asked_text(item), special),
        notes=neutral(item.rubric or "", special) if scale.mode == "rubric" else "",
        reference=neutral(told, special) if told is not None else None,
        answer=neutral(pair.base if side == "base" else pair.candidate, special),
    )
    return scale.text(shown, fence_for([shown.question, shown.notes, shown.reference or "", shown.answer]))


def _sides(pair: Pair) -> tuple[Order, ...]:
    """Equal answers are judged once."""
    return ("base",) if pair.identical else ORDERS


def _id(number: int, side: Order) -> str:
    return f"{number}:{side}"
