"""An engine that answers from the completion store and starts the real one only for what is missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from harness.engines.base import Completion, Continuation, Engine, Request
from harness.engines.identity import EngineIdentity
from harness.errors import InputError
from harness.runs.store import CompletionStore
from harness.scorers.likelihoods import NOT_FINITE, weighed_text

#: Requests with options that are weighed in one call of the engine: enough to fill its batches, few enough that a
#: killed run loses seconds.
WEIGHED_TOGETHER = 64


def settle_version(store: CompletionStore, keys: Iterable[str], installed: str, *, fresh: bool = False) -> str:
    """One engine version for all of `keys`, so that no comparison mixes two.

    Where one version has answered everything, nothing needs to be generated and that version is used (the installed
    one first). Otherwise the installed one answers, and what others answered is generated again.
    """
    wanted = set(keys)
    if fresh or not wanted:
        return installed
    complete = [version for version, found in store.versions(wanted).items() if found >= wanted]
    return installed if installed in complete or not complete else max(complete)


class StoredEngine:
    """The `Engine` protocol over a store and an engine opened on first need.

    Args:
        open_engine: starts the real engine.
        version: whose answers are used: the installed engine's, unless `settle_version` found another's complete.
        fresh: ignore what is stored (what is generated is stored all the same).
    """

    def __init__(
        self,
        identity: EngineIdentity,
        open_engine: Callable[[], Engine],
        version: str,
        store: CompletionStore,
        *,
        fresh: bool = False,
        on_start: Callable[[float | None], None] = lambda seconds: None,
    ) -> None:
        self.identity = identity
        self._open = open_engine
        self._version = version
        self._store = store
        self._fresh = fresh
        self._on_start = on_start
        self._engine: Engine | None = None
        self._startup = 0.0
        self._generated: set[str] = set()

    @property
    def name(self) -> str:
        return self.identity.engine

    @property
    def version(self) -> str:
        """The version whose completions are used."""
        return self._version

    @property
    def started(self) -> bool:
        """True once the real engine was started."""
        return self._engine is not None

    def missing(self, keys: Iterable[str]) -> set[str]:
        """Which of `keys` would have to be generated."""
        wanted = set(keys)
        if self._fresh:
            return wanted - self._generated
        return wanted - self._store.versions(wanted).get(self._version, set())

    def generate(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        """Stored completions first, then new ones as they finish, each stored before it is yielded."""
        missing = self.missing(request.key for request in requests)
        stored = {request.key for request in requests} - missing
        if stored:
            yield list(self._store.get(stored, self._version))
        todo = {request.key: request for request in requests if request.key in missing}  # twins are asked once
        if not todo:
            return
        engine = self._start()
        for kind, given in _by_kind(todo.values()).items():
            began, count = time.perf_counter(), 0
            # An endpoint weighs by itself: nobody here knows its token ids.
            for finished in _weighed(engine, given) if given[0].options else engine.generate(given):
                self._keep(finished)
                count += len(finished)
                yield finished
            if count >= 8:  # fewer say nothing about the rate
                rate = count / max(time.perf_counter() - began, 1e-9)
                self._store.put_speed(self.name + kind, self.identity.model, self._startup, rate)

    def seconds(self, requests: Iterable[Request]) -> float | None:
        """How long these would take, start included; None where this machine has not done their like before."""
        total, startup = 0.0, 0.0
        for kind, given in _by_kind(requests).items():
            speed = self._store.speed(self.name + kind, self.identity.model)
            if speed is None:
                return None
            startup = max(startup, speed[0])
            total += len(given) / speed[1]
        return total + startup

    def _keep(self, finished: Sequence[Completion]) -> None:
        self._store.put(finished, self._version)
        self._generated.update(c.key for c in finished if c.finish_reason != "error")

    def logprobs(self, continuations: Sequence[Continuation], *, variant: str = "") -> list[list[float]]:
        """As the protocol asks; `variant` keeps a second measurement under other conditions apart."""
        keys = [self.identity.continuation_key(c, variant=variant) for c in continuations]
        known = {} if self._fresh else self._store.get_logprobs(keys, self._version)
        todo = {key: c for key, c in zip(keys, continuations, strict=True) if key not in known}
        if todo:
            new = dict(zip(todo, self._start().logprobs(list(todo.values())), strict=True))
            self._store.put_logprobs(new, self._version)
            known = {**known, **new}
        return [known[key] for key in keys]

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _start(self) -> Engine:
        if self._engine is None:
            self._on_start(None)
            began = time.perf_counter()
            self._engine = self._open()
            self._startup = time.perf_counter() - began
            self._version = self._engine.version
            self._on_start(self._startup)
        return self._engine


def _by_kind(requests: Iterable[Request]) -> dict[str, list[Request]]:
    """Requests that generate ("") apart from those whose options are weighed, which go at another speed."""
    found: dict[str, list[Request]] = {}
    for request in requests:
        found.setdefault(" options" if request.option_texts else "", []).append(request)
    return dict(sorted(found.items()))


def _weighed(engine: Engine, requests: Sequence[Request]) -> Iterator[list[Completion]]:
    """The likelihoods of the options of each request, a batch at a time; texts of like length are weighed together."""
    ordered = sorted(requests, key=lambda r: (r.adapter.digest if r.adapter else "", -len(r.token_ids)))
    for start in range(0, len(ordered), WEIGHED_TOGETHER):
        batch = ordered[start : start + WEIGHED_TOGETHER]
        try:
            yield _weigh(engine, batch)
        except InputError:  # one that the engine refuses must not cost the others
            for request in batch:
                try:
                    yield _weigh(engine, [request])
                except InputError as error:
                    yield [_failed(request, str(error))]


def _weigh(engine: Engine, batch: Sequence[Request]) -> list[Completion]:
    began = time.perf_counter()
    rows = iter(
        engine.logprobs([Continuation(r.token_ids, option, r.adapter, r.images) for r in batch for option in r.options])
    )
    values = [[next(rows) for _ in request.options] for request in batch]
    latency = (time.perf_counter() - began) / len(batch)
    return [_answer(request, found, latency) for request, found in zip(batch, values, strict=True)]


def _answer(request: Request, logprobs: list[list[float]], latency: float) -> Completion:
    text = weighed_text(request.option_texts, logprobs)
    if text is None:
        return _failed(request, NOT_FINITE)
    tokens = sum(map(len, logprobs))
    return Completion(request.key, text, "stop", len(request.token_ids), tokens, latency)


def _failed(request: Request, why: str) -> Completion:
    return Completion(request.key, "", "error", len(request.token_ids), 0, 0.0, why)
