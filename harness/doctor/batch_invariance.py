"""Does it answer the same alone and in a batch? Padding and cache faults change answers with the batch size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.doctor.finding import Finding
from harness.doctor.material import references, spread
from harness.doctor.numbers import distance, mean, more_often, show
from harness.doctor.probe import Reporting, Run, Subject, worst
from harness.engines.base import Adapter, Request
from harness.runs.plan import Asked
from harness.runs.stored_engine import StoredEngine

#: Greedy answers asked one at a time: each is a whole generation, so not too many.
ITEMS = 16

#: Changed answers beyond the base's: share, and one-sided exact McNemar p.
MORE_CHANGED, SURE = 0.2, 0.05
FAR_MORE_CHANGED, VERY_SURE = 0.4, 0.01

#: In half precision long greedy answers part somewhere for many items; from this share on, and only in float32, it is
#: the engine. In float32 a changed answer takes a tie to a millionth.
ENGINE_CHANGED = 0.25

#: Nats a token. Half precision moves log-probabilities by about a hundredth; ten times that is no rounding.
DRIFT = 0.1
DRIFT_FACTOR = 5.0

_REMEDY = (
    "Use the other engine, or engine.batch_size: 1 (transformers) to be safe; look for padding faults in the model."
)
_OWN_REMEDY = (
    "Only the adapter does this: compare lora_alpha / r in adapter_config.json with what it was trained with, since a "
    "scale far too large magnifies rounding in half precision; or see engine.dtype: float32. " + _REMEDY
)


@dataclass(frozen=True, slots=True)
class _Change:
    """How one party's answers and log-probabilities move between one at a time and many."""

    changed: tuple[bool, ...]
    drift: float

    @property
    def rate(self) -> float:
        return mean([float(c) for c in self.changed])


class BatchInvariance(Reporting):
    """Greedy answers and log-probabilities, one at a time against many, candidate against bare base."""

    name = "batch-invariance"

    def read(self, subject: Subject) -> Finding:
        """See `Probe.read`."""
        return self.finding("skip", "only an engine can tell")

    def ask(self, subject: Subject, run: Run) -> Finding:
        """See `Probe.ask`."""
        if subject.model is None:
            return self.finding("skip", "its weights are not here, nor its batches")
        greedy = [a for a in subject.planned.asked if a.request.sampling.temperature == 0 and not a.request.options]
        asked = spread(greedy, ITEMS)
        if not asked:
            return self.finding("skip", "no question is answered greedily")
        engine = run.runner.engine_of(subject.index)
        adapter = subject.engine_adapter()
        mine = self._change(subject, run, engine, asked, adapter)
        if adapter is None:
            return self._alone(subject, mine, "the candidate's")
        base = self._change(subject, run, engine, asked, None)
        beyond, alone = self._beyond(mine, base), self._alone(subject, base, "the base's own")
        return beyond if alone.status == "pass" else worst(self.name, [beyond, alone])

    def _beyond(self, mine: _Change, base: _Change) -> Finding:
        n = len(mine.changed)
        gained = sum(a and not b for a, b in zip(mine.changed, base.changed, strict=True))
        lost = sum(b and not a for a, b in zip(mine.changed, base.changed, strict=True))
        more, p = (gained - lost) / n, more_often(gained, lost)
        told = (
            f"asked one at a time, {sum(mine.changed)} of {n} answers change ({sum(base.changed)} of the base's) and "
            f"log-probabilities move by {show(mine.drift)} nat/token ({show(base.drift)})"
        )
        if (more >= FAR_MORE_CHANGED and p <= VERY_SURE) or mine.drift > max(DRIFT_FACTOR * base.drift, DRIFT):
            return self.finding("fail", told, _OWN_REMEDY)
        if more >= MORE_CHANGED and p <= SURE:
            return self.finding("warn", told, _OWN_REMEDY)
        return self.finding("pass", told)

    def _alone(self, subject: Subject, change: _Change, whose: str) -> Finding:
        """What is wrong whoever is compared with it."""
        told = (
            f"asked one at a time, {sum(change.changed)} of {len(change.changed)} of {whose} answers change and "
            f"log-probabilities move by {show(change.drift)} nat/token"
        )
        exact = subject.group is not None and subject.group.identity.dtype == "float32"
        if change.drift > DRIFT or (exact and change.rate > ENGINE_CHANGED):
            return self.finding("warn", f"{told}: the engine depends on the batch", _REMEDY)
        return self.finding("pass", told)

    def _change(
        self, subject: Subject, run: Run, engine: StoredEngine, asked: Sequence[Asked], adapter: Adapter | None
    ) -> _Change:
        requests = [_request(engine, one, adapter) for one in asked]
        many = _texts(engine, requests)
        changed = []
        for one, together in zip(asked, requests, strict=True):
            alone = _request(engine, one, adapter, variant="alone")
            texts = many.get(together.key), _texts(engine, [alone]).get(alone.key)
            changed.append(None not in texts and texts[0] != texts[1])
        continuations = [r.after(adapter) for r in references(subject, run)]
        apart = [engine.logprobs([c], variant="again")[0] for c in continuations]
        return _Change(tuple(changed), distance(engine.logprobs(continuations), apart))


def _request(engine: StoredEngine, one: Asked, adapter: Adapter | None, *, variant: str = "") -> Request:
    """The question as put to the candidate, or the same prompt to its bare base."""
    asked = one.request
    key = engine.identity.completion_key(asked.token_ids, asked.sampling, adapter, variant=variant, images=asked.images)
    return replace(asked, key=key, adapter=adapter)


def _texts(engine: StoredEngine, requests: Sequence[Request]) -> dict[str, str]:
    """Answers by key; those that failed are left out."""
    return {c.key: c.text for done in engine.generate(requests) for c in done if c.finish_reason != "error"}
