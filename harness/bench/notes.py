"""What a reader has to know beside the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.bench.deployments import Deployment
from harness.bench.results import DeploymentResult, LevelResult, Note
from harness.bench.settings import LoadSettings

#: A client that computes for more than this share of a round delays what it measures.
BUSY = 0.7
#: Beyond this share of answers that came at once the times of tokens are those of whoever holds them back.
HELD_BACK = 0.1
#: Answers whose mean lengths differ by more than this are not the same work.
LENGTHS = 0.05


def deployment_notes(
    deployment: Deployment, levels: Sequence[LevelResult], *, streamed: bool, counted: bool, unfit: int
) -> tuple[Note, ...]:
    """Of one deployment."""
    return tuple(_deployment(deployment, levels, streamed=streamed, counted=counted, unfit=unfit))


def _deployment(
    deployment: Deployment, levels: Sequence[LevelResult], *, streamed: bool, counted: bool, unfit: int
) -> Iterator[Note]:
    if not streamed:
        yield Note(code="one-piece")
    if not counted:
        yield Note(code="pieces")
    if deployment.gpus is None:
        yield Note(code="no-gpus")
    if deployment.endpoint.requests_per_minute or deployment.endpoint.tokens_per_minute:
        yield Note(code="limits")
    if unfit:
        yield Note(code="unfit", params={"count": unfit})
    for level in levels:
        if not level.answered:
            why = level.reasons[0].why if level.reasons else ""
            yield Note(code="no-success", params={"concurrency": level.concurrency, "why": why})
        if level.unsent:
            yield Note(code="unsent", params={"concurrency": level.concurrency, "count": level.unsent})
        if level.held_back is not None and level.held_back > HELD_BACK:
            yield Note(code="bursts", params={"concurrency": level.concurrency, "share": level.held_back})
        if level.client_busy > BUSY:
            yield Note(code="client", params={"concurrency": level.concurrency, "busy": level.client_busy})


def bench_notes(results: Sequence[DeploymentResult], settings: LoadSettings, *, incomplete: bool) -> tuple[Note, ...]:
    """Of the whole bench."""
    found = []
    if settings.rounds == 1:
        found.append(Note(code="rounds"))
    if settings.repeat_prompts:
        found.append(Note(code="repeated"))
    if incomplete:
        found.append(Note(code="quality-errors"))
    found += _lengths(results)
    return tuple(found)


def _lengths(results: Sequence[DeploymentResult]) -> Iterator[Note]:
    """Deployments that answered at another length than the first: their times are not of the same work."""
    first = results[0].levels
    for other in results[1:]:
        for ours, theirs in zip(other.levels, first, strict=True):
            if not ours.output_tokens or not theirs.output_tokens:
                continue
            if abs(ours.output_tokens / theirs.output_tokens - 1) > LENGTHS:
                params = {"name": other.name, "ours": ours.output_tokens, "theirs": theirs.output_tokens}
                yield Note(code="lengths", params=params)
                break
