"""The record of a run: who answered what, how it was scored, and how the answers came out."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from harness.candidates.candidate import EndpointCandidate, ModelCandidate
from harness.runs.files import CandidateRecord, RunManifest, TaskRecord, now
from harness.runs.plan import CandidatePlan, LoadedTask, Plan
from harness.runs.runner import Answers
from harness.runs.samples import Sample
from harness.scorers.base import votes


def manifest_of(plan: Plan, answers: Answers, index: int) -> RunManifest:
    """What `run.json` says of one candidate's answers."""
    planned = plan.candidates[index]
    samples = answers.samples[index]
    tasks = []
    for loaded in plan.tasks:
        own = [s for s in samples if s.task == loaded.task.name]
        tasks.append(
            TaskRecord(
                name=loaded.task.name,
                role=loaded.task.role,
                goldset=loaded.goldset.name,
                goldset_path=str(loaded.goldset.path),
                goldset_digest=loaded.goldset.digest,
                primary=loaded.task.primary,
                signatures=signatures_of(loaded),
                binary={m: s.binary(m) for s in loaded.task.make_scorers() for m in s.metrics},
                n=len(own),
                errors=sum(bool(s.error) and not s.missing for s in own),
                missing=sum(s.missing for s in own),
                unscored=sum(_unscored(s, loaded.task.primary) for s in own),
                votes=_votes(loaded) if plan.repeats > 1 else (),
            )
        )
    allowed = {loaded.task.name: loaded.task.max_error_rate for loaded in plan.tasks}
    complete = all(t.errors + t.missing + t.unscored <= allowed[t.name] * max(t.n, 1) for t in tasks)
    engine, version = answers.engines[index]
    group = next((g for g in plan.groups if index in g.members), None)
    return RunManifest(
        id="",
        created=now(),
        candidate=_record(planned),
        suite=plan.suite.name,
        suite_digest=plan.suite.digest,
        tasks=tuple(tasks),
        engine=engine,
        engine_version=version,
        dtype=group.identity.dtype if group else None,
        limit=plan.limit,
        repeats=plan.repeats,
        temperature=plan.temperature,
        seed=plan.seed,
        status="complete" if complete else "incomplete",
        warnings=(*plan.warnings, *planned.notes),
    )


def _votes(loaded: LoadedTask) -> tuple[str, ...]:
    return tuple(metric for scorer in loaded.task.make_scorers() if votes(scorer) for metric in scorer.metrics)


def _unscored(sample: Sample, metric: str) -> bool:
    """True when there is an answer but its scorer gave no number."""
    return not sample.error and (metric not in sample.scores or sample.scores[metric].value is None)


def _record(planned: CandidatePlan) -> CandidateRecord:
    candidate, print_ = planned.candidate, planned.fingerprint
    kind: Literal["model", "replay", "endpoint"]
    where: Path | str
    if isinstance(candidate, ModelCandidate):
        kind, where = "model", candidate.model
    elif isinstance(candidate, EndpointCandidate):
        kind, where = "endpoint", candidate.endpoint.url
    else:
        kind, where = "replay", candidate.path
    return CandidateRecord(
        name=candidate.name,
        kind=kind,
        model=print_.model,
        adapter=print_.adapter,
        tokenizer=print_.tokenizer,
        quantization=print_.quantization,
        digest=print_.digest,
        path=str(where),
        adapter_path=str(candidate.adapter.path)
        if isinstance(candidate, ModelCandidate) and candidate.adapter
        else None,
        prompt_format=planned.prompt_format,
    )


def signatures_of(loaded: LoadedTask) -> dict[str, str]:
    """The signature behind each metric of a task."""
    return {metric: scorer.signature for scorer in loaded.task.make_scorers() for metric in scorer.metrics}
