"""From candidates and tasks to a plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.candidates.candidate import Candidate, EndpointCandidate, ReplayCandidate
from harness.candidates.fingerprint import DigestCache, fingerprint
from harness.engines.base import Request
from harness.engines.replay import ReplayEngine
from harness.runs.drawing import Undrawn, undrawn
from harness.runs.plan import CandidatePlan, Group, LoadedTask, Options, Plan
from harness.runs.planning.endpoints import ask_endpoint, endpoint_groups
from harness.runs.planning.recorded import look_up
from harness.runs.planning.weights import ask_weights, weight_groups
from harness.suites.spec import Suite


def make_plan(candidates: Sequence[Candidate], suite: Suite, tasks: tuple[LoadedTask, ...], options: Options) -> Plan:
    """Render every prompt, digest every candidate and key every completion."""
    # A wrong file is found before weights are digested.
    recordings = {i: ReplayEngine(c.path, tasks) for i, c in enumerate(candidates) if isinstance(c, ReplayCandidate)}
    cache = DigestCache()
    prints = [fingerprint(candidate, cache) for candidate in candidates]
    groups = weight_groups(candidates, prints, options)
    endpoints = endpoint_groups(candidates)
    plans: list[CandidatePlan] = []
    for index, (candidate, print_) in enumerate(zip(candidates, prints, strict=True)):
        if isinstance(candidate, ReplayCandidate):
            plans.append(look_up(candidate, recordings[index], print_, tasks, options))
        elif isinstance(candidate, EndpointCandidate):
            identity = next(group.identity for group in endpoints if index in group.members)
            plans.append(ask_endpoint(candidate, print_, identity, tasks, options))
        else:
            group = next(group for group in groups if index in group.members)
            plans.append(ask_weights(candidate, print_, group.identity, tasks, options))
    here = {loaded.task.name for loaded in tasks}
    left_out = tuple(
        f"task {task.name!r} was left out: its gold set is not on this machine (--goldset {task.goldset}=PATH adds it)"
        for task in suite.tasks
        if task.name not in here
    )
    same = undrawn(_undrawn(plans, options.repeats), options.repeats)
    warnings = [
        *left_out,
        *same,
        *_free(groups, tasks),
        *(warning for loaded in tasks for warning in loaded.goldset.warnings),
    ]
    return Plan(
        suite=suite.only(here),
        tasks=tasks,
        candidates=tuple(plans),
        groups=tuple(groups),
        settings=options.settings,
        limit=options.limit,
        repeats=options.repeats,
        seed=options.seed,
        part=options.part,
        warnings=tuple(dict.fromkeys(warnings)),
        left_out=left_out,
        endpoints=endpoints,
        temperature=options.temperature,
        undrawn=same,
    )


def _free(groups: Sequence[Group], tasks: Sequence[LoadedTask]) -> Iterator[str]:
    """Tasks whose answers were to be held to a schema, where an engine cannot."""
    if any(group.choice.name == "transformers" for group in groups):
        for loaded in tasks:
            if loaded.task.generation.json_schema:
                yield f"task {loaded.task.name!r}: transformers cannot hold answers to its json_schema; vLLM can"


def _undrawn(plans: Sequence[CandidatePlan], repeats: int) -> Iterator[Undrawn]:
    """Tasks whose repeats share an answer, by candidate."""
    if repeats == 1:
        return
    for planned in plans:
        if isinstance(planned.candidate, ReplayCandidate):
            continue
        own = planned.candidate.sampling.temperature == 0
        first: dict[str, Request] = {}
        for asked in planned.asked:
            first.setdefault(asked.task, asked.request)
        for task, request in first.items():
            if request.sampling.temperature == 0:
                yield Undrawn(planned.candidate.name, task, weighed=bool(request.option_texts), own=own)
