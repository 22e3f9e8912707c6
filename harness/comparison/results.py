"""A comparison: verdicts on every task of a suite for each candidate against one base."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from harness.comparison.pairing import Pair, Pairing, Side, pair
from harness.comparison.repeats import OverRepeats, over_repeats
from harness.comparison.statistics import PairedStatistics, holm, items_needed, paired_statistics
from harness.comparison.statistics.verdict import Verdict, VerdictInput, VerdictResult, reach_verdict
from harness.digest import digest_json
from harness.doctor.finding import Finding
from harness.errors import InputError
from harness.runs.samples import Sample
from harness.scorers.base import Scorer
from harness.suites.spec import Suite, Task

SCHEMA = 1

#: A metric between 0 and 1 that moves by less than this on one item is "different", not gained or lost.
FLIP = 0.1


class Sides(BaseModel):
    """One count for each side."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: int = 0
    candidate: int = 0


class SliceResult(BaseModel):
    """The primary metric over the items that share one metadata value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    value: str
    n: int
    base: float
    candidate: float
    delta: float
    ci: tuple[float, float] | None
    uninformative: bool = False


class TaskResult(BaseModel):
    """One metric of one task; the verdict stands on the primary metric.

    Attributes:
        n: paired items that both sides answered and that could be scored: the one denominator of both means.
        p_adjusted: after Holm over the primary metrics of the candidate; None for other metrics.
        mde: smallest difference that this many items could have shown with 80% power.
        noise: share of the base's answers, asked again in another batching, whose score changed.
        over_repeats: what several sampled answers to each item say beyond their mean; absent where there are none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    role: Literal["target", "guard"]
    metric: str
    primary: bool
    signature: str
    n: int
    unpaired: int
    identical: bool
    errors: Sides
    unextracted: Sides
    unscored: Sides
    missing: Sides
    base: float | None
    candidate: float | None
    delta: float | None
    ci: tuple[float, float] | None
    ci_method: str | None = None
    p: float | None
    p_adjusted: float | None
    test: str | None = None
    margin: float
    mde: float | None
    noise: float | None
    verdict: Verdict | None
    note: str = ""
    note_code: str = ""
    note_params: dict[str, float | int] = Field(default_factory=dict)
    require: Literal["improve", "hold"]
    max_error_rate: float
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    different: int = Field(0, description="answers whose text differs, whatever their scores")
    slices: tuple[SliceResult, ...] = ()
    over_repeats: OverRepeats | None = None

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = handler(self)
        if self.over_repeats is None:  # as in `Comparison`
            found.pop("over_repeats", None)
        return found


class GateResult(BaseModel):
    """Whether the candidate may be released, by the suite's policy (`harness.comparison.gate`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passed: bool
    exit_code: int
    reasons: tuple[str, ...] = ()


class RunIds(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    base: str
    candidate: str


class CandidateComparison(BaseModel):
    """One candidate against the base."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidate: str
    results: tuple[TaskResult, ...]
    doctor: tuple[Finding, ...] = ()
    gate: GateResult
    run_ids: RunIds
    prompts_differ: bool = False
    warnings: tuple[str, ...] = ()


class Comparison(BaseModel):
    """`comparison.json`.

    Attributes:
        temperature: what `--temperature` put in the place of the tasks' own; absent where it was not given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema")
    id: str = ""
    suite: str
    suite_digest: str
    base: str
    alpha: float
    seed: int
    limit: int | None = None
    part: Literal["dev", "test"] | None = None
    repeats: int = 1
    temperature: float | None = None
    engine: str = ""
    engine_version: str = ""
    harness_version: str = ""
    comparisons: tuple[CandidateComparison, ...] = Field(min_length=1)

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = handler(self)
        # The id is a digest of the content: those of older comparisons stay what they were.
        if self.temperature is None:
            found.pop("temperature", None)
        return found

    def with_id(self) -> Comparison:
        """The same comparison under the digest of its content."""
        content = digest_json(self.model_dump(mode="json", by_alias=True, exclude={"id"}))
        return self.model_copy(update={"id": f"{self.suite}-{content[:12]}"})

    def to_json(self) -> str:
        """The JSON of the contract."""
        return self.model_dump_json(by_alias=True, indent=1) + "\n"


def compare_runs(
    suite: Suite,
    base: Sequence[Sample],
    candidate: Sequence[Sample],
    *,
    again: Mapping[str, Sequence[Sample]],
    signatures: Mapping[str, Mapping[str, str]],
    candidate_signatures: Mapping[str, Mapping[str, str]] | None = None,
    floors: Mapping[str, float] | None = None,
    alpha: float,
    seed: int,
) -> tuple[TaskResult, ...]:
    """Results of every metric of every task, with verdicts on the primary ones.

    Args:
        base, candidate: samples of both runs.
        again: by task, the base's answers to a few items asked a second time.
        signatures: by task and metric.
        candidate_signatures: those of the candidate's run where it was scored apart; default: the same.
        floors: by task, what a model that knows nothing scores; default: what the suite states.

    Raises:
        InputError: the two runs were scored differently.
    """
    _same_rulers(signatures, candidate_signatures or signatures)
    drafts: list[_Draft] = []
    for task in suite.tasks:
        pairing = pair([s for s in base if s.task == task.name], [s for s in candidate if s.task == task.name])
        for metric, signature in signatures[task.name].items():
            floor = (floors or {}).get(task.name, task.floor or 0.0)
            drafts.append(_Draft(task, metric, signature, pairing, floor=floor, alpha=alpha, seed=seed))
    adjusted = holm([draft.p if draft.primary else None for draft in drafts])
    family = sum(draft.primary and draft.p is not None for draft in drafts)
    return tuple(
        draft.finish(p, family=family, noise=_noise(draft.pairing, again.get(draft.task.name, ()), draft.metric))
        for draft, p in zip(drafts, adjusted, strict=True)
    )


def _same_rulers(base: Mapping[str, Mapping[str, str]], candidate: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse to compare numbers that were made in different ways, such as generated letters with likelihoods."""
    for task in {**base, **candidate}:
        ours, theirs = base.get(task, {}), candidate.get(task, {})
        for metric in {**ours, **theirs}:
            if ours.get(metric) != theirs.get(metric):
                raise InputError(
                    f"metric {metric!r} of task {task!r} was not scored in the same way on both sides: "
                    f"{ours.get(metric, 'not at all')} against {theirs.get(metric, 'not at all')}",
                    remedy="Score both sides with one suite; what was generated is kept and not asked for again.",
                )


class _Draft:
    """A metric of a task before its p value is adjusted with the others'."""

    def __init__(
        self, task: Task, metric: str, signature: str, pairing: Pairing, *, floor: float, alpha: float, seed: int
    ) -> None:
        self.task = task
        self.floor = floor
        self.metric = metric
        self.primary = metric == task.primary
        self.signature = signature
        self.pairing = pairing
        self.alpha = alpha
        self.seed = seed
        self.scored = [p for p in pairing.pairs if _values(p, metric) is not None]
        self.statistics = _statistics(self.scored, metric, alpha, seed)
        self.p = self.statistics.p if self.statistics else None

    def finish(self, p_adjusted: float | None, *, family: int, noise: float | None) -> TaskResult:
        stats = self.statistics
        identical = bool(self.scored) and all(p.same_answer for p in self.pairing.pairs)
        verdict = self._verdict(identical, p_adjusted, family) if self.primary else VerdictResult("held")
        differences = _differences(self.scored, self.metric)
        threshold = FLIP if stats is not None and not stats.sample.binary else 0.0
        gained = sorted((d for d in differences if d[1] > threshold), key=lambda d: (-d[1], d[0]))
        lost = sorted((d for d in differences if d[1] < -threshold), key=lambda d: (d[1], d[0]))
        return TaskResult(
            task=self.task.name,
            role=self.task.role,
            metric=self.metric,
            primary=self.primary,
            signature=self.signature,
            n=len(self.scored),
            unpaired=len(self.pairing.unpaired),
            identical=identical,
            errors=_count(self.pairing, lambda side: not side.answered and not side.missing),
            unextracted=_count(self.pairing, lambda side: side.unextracted(self.metric)),
            unscored=_count(self.pairing, lambda side: side.unscored(self.metric)),
            missing=_count(self.pairing, lambda side: side.missing),
            base=stats.sample.base if stats else None,
            candidate=stats.sample.candidate if stats else None,
            delta=stats.sample.delta if stats else None,
            ci=(stats.ci.low, stats.ci.high) if stats and stats.ci else None,
            ci_method=stats.ci.method if stats and stats.ci else None,
            p=self.p,
            p_adjusted=p_adjusted if self.primary else None,
            test=stats.test if stats else None,
            margin=self.task.margin,
            mde=stats.mde if stats else None,
            noise=noise,
            verdict=verdict.verdict if self.primary else None,
            note=verdict.note,
            note_code=verdict.note_code,
            note_params=verdict.note_params,
            require=self.task.must,
            max_error_rate=self.task.max_error_rate,
            gained=tuple(d[0] for d in gained),
            lost=tuple(d[0] for d in lost),
            different=sum(not p.same_answer for p in self.pairing.pairs),
            slices=tuple(self._slices()) if self.primary else (),
            over_repeats=over_repeats(self.scored, self.metric, self._scorer, alpha=self.alpha),
        )

    def _scorer(self) -> Scorer:
        return next(scorer for scorer in self.task.make_scorers() if self.metric in scorer.metrics)

    def _verdict(self, identical: bool, p_adjusted: float | None, family: int) -> VerdictResult:
        stats = self.statistics
        needed = (
            items_needed(stats.sample, margin=self.task.margin, alpha=self.alpha, family=max(family, 1))
            if stats
            else None
        )
        return reach_verdict(
            VerdictInput(
                role=self.task.role,
                identical=identical,
                n=len(self.scored),
                delta=stats.sample.delta if stats else 0.0,
                ci=(stats.ci.low, stats.ci.high) if stats and stats.ci else None,
                p_adjusted=p_adjusted,
                alpha=self.alpha,
                margin=self.task.margin,
                base=stats.sample.base if stats else 0.0,
                candidate=stats.sample.candidate if stats else 0.0,
                base_ci=(stats.base_ci.low, stats.base_ci.high) if stats and stats.base_ci else None,
                candidate_ci=(stats.candidate_ci.low, stats.candidate_ci.high)
                if stats and stats.candidate_ci
                else None,
                floor=self.floor,
                items_needed=needed,
            )
        )

    def _slices(self) -> list[SliceResult]:
        found: list[SliceResult] = []
        for key in self.task.slices:
            values: dict[str, list[Pair]] = {}
            for scored in self.scored:
                values.setdefault(scored.slices.get(key, "-"), []).append(scored)
            for value, pairs in sorted(values.items()):
                stats = _statistics(pairs, self.metric, self.alpha, self.seed)
                if stats is None:
                    continue
                sample = stats.sample
                limit = self.floor + self.task.margin
                at_floor = max(sample.base, sample.candidate) <= limit
                at_ceiling = min(sample.base, sample.candidate) >= 1.0 - self.task.margin
                blind = at_floor if self.task.role == "guard" else at_floor or at_ceiling
                found.append(
                    SliceResult(
                        key=key,
                        value=value,
                        n=sample.n,
                        base=sample.base,
                        candidate=sample.candidate,
                        delta=sample.delta,
                        ci=(stats.ci.low, stats.ci.high) if stats.ci else None,
                        uninformative=blind,
                    )
                )
        return found


def _values(pair_: Pair, metric: str) -> tuple[float, float] | None:
    if not (pair_.base.answered and pair_.candidate.answered):
        return None
    base, candidate = pair_.base.value(metric), pair_.candidate.value(metric)
    return None if base is None or candidate is None else (base, candidate)


def _statistics(pairs: Sequence[Pair], metric: str, alpha: float, seed: int) -> PairedStatistics | None:
    if not pairs:
        return None
    values = [_values(p, metric) for p in pairs]
    base = [v[0] for v in values if v is not None]
    candidate = [v[1] for v in values if v is not None]
    clusters = [p.cluster for p in pairs] if any(p.cluster is not None for p in pairs) else None
    return paired_statistics(base, candidate, clusters, alpha=alpha, seed=seed)


def _differences(pairs: Sequence[Pair], metric: str) -> list[tuple[str, float]]:
    found = []
    for scored in pairs:
        values = _values(scored, metric)
        assert values is not None
        if values[1] != values[0]:
            found.append((scored.item_id, values[1] - values[0]))
    return found


def _count(pairing: Pairing, test: Callable[[Side], bool]) -> Sides:
    return Sides(base=sum(test(p.base) for p in pairing.pairs), candidate=sum(test(p.candidate) for p in pairing.pairs))


def _noise(pairing: Pairing, again: Sequence[Sample], metric: str) -> float | None:
    """Share of re-asked items whose score is another in another batching."""
    first = {p.item_id: p.base.samples[0] for p in pairing.pairs}
    compared = [(first[s.item_id], s) for s in again if s.item_id in first and not s.error]
    if not compared:
        return None
    return sum(_score(a, metric) != _score(b, metric) for a, b in compared) / len(compared)


def _score(sample: Sample, metric: str) -> float | None:
    return sample.scores[metric].value if metric in sample.scores else None
