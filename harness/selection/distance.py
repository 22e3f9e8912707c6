"""How far a candidate has moved from its base on questions that it should still answer alike.

The estimate is Monte Carlo: the base answers each question once at temperature 1, and both sides say how likely that
answer is. With y drawn from the base, log p_base(y) - log p_candidate(y) has the Kullback-Leibler divergence
KL(base || candidate) over answers as its expectation (Kullback and Leibler 1951). Its sum over the questions is divided
by the number of tokens. The forward direction, on purpose: it grows when the candidate loses what the base would have
said. Texts are scored as the tokenizer writes them, which is nearly always how they were drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.candidates.candidate import ModelCandidate
from harness.doctor.material import end_token, own_format, spread
from harness.doctor.probe import Subject
from harness.engines.base import Continuation, Sampling
from harness.runs.plan import Asked, Plan
from harness.runs.runner import Runner

#: Answers longer than this are drawn no further: enough tokens for a mean, cheap on a 7B model.
LONGEST = 128


@dataclass(frozen=True)
class Distance:
    """KL(base || candidate) in nats a token, over `tokens` tokens of `answers` answers that the base drew."""

    kl: float
    answers: int
    tokens: int


def distances(plan: Plan, runner: Runner, count: int, seed: int) -> dict[int, Distance]:
    """The distance of every candidate of a plan to its base, by index; empty where no guard is asked.

    Draws and log-probabilities go through the completion store: the same again asks no engine.

    Args:
        count: questions of guards, spread over the tasks.
        seed: of the draws.
    """
    guards = {loaded.task.name for loaded in plan.tasks if loaded.task.role == "guard"}
    asked = spread([one for one in plan.candidates[0].asked if one.task in guards and not one.request.options], count)
    if not asked:
        return {}
    drawn = _drawn(plan, runner, asked, seed)
    base = _likelihood(runner, 0, drawn)
    tokens = sum(len(one.continuation_ids) for one in drawn)
    found = {}
    for index in range(1, len(plan.candidates)):
        adapter = Subject(plan, index).engine_adapter()
        own = _likelihood(runner, index, [replace(one, adapter=adapter) for one in drawn])
        found[index] = Distance((base - own) / max(tokens, 1), len(drawn), tokens)
    return found


def _drawn(plan: Plan, runner: Runner, asked: Sequence[Asked], seed: int) -> list[Continuation]:
    """The base's answers at temperature 1, with the end where it ended them itself."""
    engine = runner.engine_of(0)
    candidate = plan.candidates[0].candidate
    assert isinstance(candidate, ModelCandidate)
    end = end_token(candidate, own_format(Subject(plan, 0)))
    requests = []
    for one in asked:
        greedy = one.request
        sampling = Sampling(
            max_tokens=min(greedy.sampling.max_tokens, LONGEST),
            temperature=1.0,
            seed=seed,
            stop_token_ids=greedy.sampling.stop_token_ids,
        )
        key = engine.identity.completion_key(greedy.token_ids, sampling, None, images=greedy.images)
        requests.append(replace(greedy, key=key, sampling=sampling, adapter=None))
    answers = {done.key: done for finished in engine.generate(requests) for done in finished}
    drawn = []
    for request in requests:
        done = answers[request.key]
        ids = candidate.tokenizer.encode(done.text)[:LONGEST] if done.finish_reason != "error" else ()
        if done.finish_reason == "stop" and end is not None:
            ids = (*ids, end)
        if ids:
            drawn.append(Continuation(request.token_ids, tuple(ids), None, request.images))
    return drawn


def _likelihood(runner: Runner, index: int, continuations: Sequence[Continuation]) -> float:
    """Sum of log-probabilities."""
    return sum(map(sum, runner.engine_of(index).logprobs(continuations)))
