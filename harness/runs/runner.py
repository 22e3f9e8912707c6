"""Carry out a plan: one engine start a base model, everything stored and scored as it arrives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from harness.candidates.candidate import ModelCandidate
from harness.candidates.vision import Vision, vision_of
from harness.engines.base import Adapter, Completion, Engine, EngineSpec, Request
from harness.engines.endpoint.limits import Budget
from harness.engines.replay import ReplayEngine
from harness.engines.select import open_engine
from harness.errors import InputError
from harness.runs.plan import Asked, CandidatePlan, EndpointGroup, Group, Plan
from harness.runs.planning.weights import engine_adapter, window
from harness.runs.progress import Progress
from harness.runs.samples import Sample
from harness.runs.scoring import score_sample
from harness.runs.session import Session
from harness.runs.store import CompletionStore
from harness.runs.stored_engine import StoredEngine, settle_version

#: Items that the base is asked a second time in another batching, to see how repeatable its answers are.
NOISE_ITEMS = 32


@dataclass(frozen=True)
class Answers:
    """What the candidates of a plan answered.

    Attributes:
        samples: by index of candidate, in the order of the plan.
        engines: engine name and version, by index of candidate.
        again: the base's answers to a few items in another batching, by task; pairs with its first answers.
    """

    samples: dict[int, list[Sample]]
    engines: dict[int, tuple[str, str]]
    again: dict[str, list[Sample]]


class Runner:
    """Answers a plan's questions; engines stay open until it is closed, so that the doctor can use them too.

    Args:
        max_cost: what endpoints may charge for it all, in the currency of their prices.
    """

    def __init__(
        self,
        plan: Plan,
        store: CompletionStore,
        progress: Progress,
        *,
        fresh: bool = False,
        measure_noise: bool = True,
        max_cost: float | None = None,
    ) -> None:
        self.plan = plan
        self.store = store
        self.progress = progress
        self._scorers = {loaded.task.name: loaded.task.make_scorers() for loaded in plan.tasks}
        again = _again_requests(plan) if measure_noise else []
        keys = [*plan.keys(), *(request.key for _, request in again)]
        self._again = again
        self.engines: list[StoredEngine] = [self._stored_engine(group, keys, fresh=fresh) for group in plan.groups]
        self.budget = Budget(max_cost)
        self._session = Session(plan, store, fresh=fresh)
        self.endpoints: list[StoredEngine] = [self._asked_far_away(group, fresh=fresh) for group in plan.endpoints]

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        for engine in (*self.engines, *self.endpoints):
            engine.close()
        if self.budget.spent:
            self.progress.finished()
            self.progress.charged(self.budget.spent, self.budget.answers)

    def _all(self) -> Iterator[tuple[StoredEngine, Group | EndpointGroup]]:
        """Whoever is asked, with the candidates that are asked there."""
        yield from zip(self.engines, self.plan.groups, strict=True)
        yield from zip(self.endpoints, self.plan.endpoints, strict=True)

    def engine_of(self, candidate: int) -> StoredEngine:
        """The engine that serves a candidate with weights."""
        return next(e for e, g in zip(self.engines, self.plan.groups, strict=True) if candidate in g.members)

    def announce(self) -> None:
        """Tell the progress what will be done, with the time it took last time."""
        cached: dict[int, int] = {}
        times: list[float | None] = []
        for engine, group in self._all():
            missing_here: dict[str, Request] = {}
            for member in group.members:
                requests = {a.request.key: a.request for a in self.plan.candidates[member].asked if not a.error}
                missing = engine.missing(requests)
                cached[member] = len(requests) - len(missing)
                missing_here |= {key: requests[key] for key in missing}
            if missing_here:
                times.append(engine.seconds(missing_here.values()))
        known = [time for time in times if time is not None]
        self.progress.planned(self.plan, cached, sum(known) if len(known) == len(times) else None)

    def answer(self) -> Answers:
        """Ask every question of the plan; base and adapters of one group share one batch."""
        samples: dict[int, dict[tuple[str, str, int], Sample]] = {i: {} for i in range(len(self.plan.candidates))}
        engines: dict[int, tuple[str, str]] = {}
        again: dict[str, list[Sample]] = {}
        for index, planned in enumerate(self.plan.candidates):
            if (engine := planned.recording) is not None:
                self._replay(index, planned, engine, samples[index])
                engines[index] = (engine.name, engine.version)
        for stored, group in self._all():
            self._group(stored, group, samples)
            if 0 in group.members and self._again:
                for task, sample in self._ask_again(stored):
                    again.setdefault(task, []).append(sample)
            engines.update((member, (stored.name, stored.version)) for member in group.members)
        self.progress.finished()
        ordered = {
            index: [samples[index][(a.task, a.item.id, a.repeat)] for a in planned.asked]
            for index, planned in enumerate(self.plan.candidates)
        }
        self._session.answered(ordered)
        return Answers(ordered, engines, again)

    def _group(
        self, engine: StoredEngine, group: Group | EndpointGroup, samples: dict[int, dict[tuple[str, str, int], Sample]]
    ) -> None:
        wanted: dict[str, list[tuple[int, Asked]]] = {}
        for member in group.members:
            for asked in self.plan.candidates[member].asked:
                if asked.error:
                    failed = Completion(
                        asked.request.key, "", "error", len(asked.request.token_ids), 0, 0.0, asked.error
                    )
                    self._keep(samples, member, [(asked, failed)], stored=False)
                else:
                    # Two candidates of one identity share the answer.
                    wanted.setdefault(asked.request.key, []).append((member, asked))
        requests = [asked[0][1].request for asked in wanted.values()]
        stored = not engine.missing(wanted) if requests else True
        for number, finished in enumerate(engine.generate(requests)):
            by_member: dict[int, list[tuple[Asked, Completion]]] = {}
            for completion in finished:
                for member, asked in wanted[completion.key]:
                    by_member.setdefault(member, []).append((asked, completion))
            for member, pairs in by_member.items():
                self._keep(samples, member, pairs, stored=stored or (number == 0 and not engine.started))

    def _keep(
        self,
        samples: dict[int, dict[tuple[str, str, int], Sample]],
        member: int,
        pairs: list[tuple[Asked, Completion]],
        *,
        stored: bool,
    ) -> None:
        scored = [score_sample(asked, completion, self._scorers[asked.task]) for asked, completion in pairs]
        samples[member].update(((s.task, s.item_id, s.repeat), s) for s in scored)
        self.progress.answered(member, scored, stored=stored)

    def _replay(
        self,
        index: int,
        planned: CandidatePlan,
        engine: ReplayEngine,
        samples: dict[tuple[str, str, int], Sample],
    ) -> None:
        asked = {a.request.key: a for a in planned.asked}
        for finished in engine.generate([a.request for a in planned.asked]):
            pairs = [(asked[c.key], c) for c in finished]
            self._keep({index: samples}, index, pairs, stored=True)

    def _ask_again(self, engine: StoredEngine) -> Iterator[tuple[str, Sample]]:
        by_key = {request.key: (asked, request) for asked, request in self._again}
        for finished in engine.generate([request for _, request in self._again]):
            for completion in finished:
                asked, _ = by_key[completion.key]
                yield asked.task, score_sample(asked, completion, self._scorers[asked.task])

    def _stored_engine(self, group: Group, keys: list[str], *, fresh: bool) -> StoredEngine:
        members = [self.plan.candidates[m] for m in group.members]
        reason = group.choice.reason
        name = group.choice.name

        def started(seconds: float | None) -> None:
            if seconds is None:
                self.progress.starting(name, reason)
            else:
                self.progress.started(name, seconds)

        def start() -> Engine:
            for other in self.engines:  # two 7B models do not fit one card; whoever is needed again starts again
                other.close()
            return open_engine(group.choice, engine_spec(group, members, self.plan))

        return StoredEngine(
            group.identity,
            start,
            settle_version(self.store, keys, group.choice.version, fresh=fresh),
            self.store,
            fresh=fresh,
            on_start=started,
        )

    def _asked_far_away(self, group: EndpointGroup, *, fresh: bool) -> StoredEngine:
        version = self._session.version(group)

        def connect() -> Engine:
            from harness.engines.endpoint.engine import EndpointEngine

            asked = (asked for member in group.members for asked in self.plan.candidates[member].asked)
            weighs = next((one.task for one in asked if one.request.option_texts), None)
            return EndpointEngine(group.endpoint, version, self.budget, weighs=weighs)

        def started(seconds: float | None) -> None:
            if seconds is None:
                self.progress.starting(group.identity.engine, group.endpoint.label)
            else:
                self.progress.started(group.identity.engine, seconds)

        return StoredEngine(group.identity, connect, version, self.store, fresh=fresh, on_start=started)


def engine_spec(group: Group, members: list[CandidatePlan], plan: Plan) -> EngineSpec:
    """One engine start for a group: the window that its longest question needs and every adapter of it."""
    requests = [a.request for m in members for a in m.asked if not a.error]
    pictures = max((len(request.images) for request in requests), default=0)
    vision = vision_of(group.model) if pictures else None
    needed = max((_tokens(request, vision) for request in requests), default=0)
    first = members[0].candidate
    assert isinstance(first, ModelCandidate)
    limit = window(group.model)
    # Reference answers scored by the doctor are a little longer than what is generated; 64 tokens of room.
    length = plan.settings.max_model_len or min(limit, max(256, needed + 64))
    adapters: dict[str, Adapter] = {}
    for member in members:
        assert isinstance(member.candidate, ModelCandidate)
        adapter = engine_adapter(member.candidate, member.fingerprint)
        if adapter is not None:
            adapters.setdefault(adapter.digest, adapter)
    if length < min(needed, limit):
        raise InputError(
            f"max_model_len {length} is too short: the longest question and its answer need {needed} tokens",
            where="engine.max_model_len",
            remedy="Raise it or leave it out.",
        )
    return EngineSpec(
        model=group.model,
        tokenizer=first.tokenizer,
        dtype=group.choice.dtype,
        quantization=group.identity.quantization,
        device=group.choice.device,
        max_model_len=length,
        adapters=tuple(adapters.values()),
        settings=plan.settings,
        vision=vision,
        max_images=pictures,
    )


def _tokens(request: Request, vision: Vision | None) -> int:
    """Room that a prompt and its answer need."""
    prompt = vision.length(request.token_ids, request.images) if vision else len(request.token_ids)
    return prompt + max([request.sampling.max_tokens, *map(len, request.options)])


def _again_requests(plan: Plan) -> list[tuple[Asked, Request]]:
    """The base's questions that are asked twice: spread over the tasks, greedy only, in reverse order.

    Another order and another number of sequences in flight is another batching, which is what moves greedy answers.
    """
    base = plan.candidates[0]
    groups: tuple[Group | EndpointGroup, ...] = (*plan.groups, *plan.endpoints)
    group = next((g for g in groups if 0 in g.members), None)
    if group is None:
        return []
    greedy = [a for a in base.asked if a.repeat == 0 and not a.error and a.request.sampling.temperature == 0]
    drawn: list[Asked] = []
    for loaded in plan.tasks:
        of_task = [a for a in greedy if a.task == loaded.task.name]
        step = max(1, len(of_task) * len(plan.tasks) // NOISE_ITEMS)
        drawn += of_task[::step]
    return [
        (
            asked,
            replace(
                asked.request,
                key=group.identity.completion_key(
                    asked.request.token_ids,
                    asked.request.sampling,
                    asked.request.adapter,
                    variant="again",
                    images=asked.request.images,
                    options=asked.request.options,
                    messages=asked.request.messages,
                    continuations=asked.request.continuation_texts,
                ),
            ),
        )
        for asked in reversed(drawn)
    ]
