"""One answer, scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.engines.base import Completion
from harness.engines.replay import MISSING
from harness.runs.plan import Asked
from harness.scorers.base import Score, Scorer


@dataclass(frozen=True, slots=True)
class Sample:
    """A row of `samples.parquet`: one item, one repeat, one candidate.

    Attributes:
        scores: by metric; empty when the answer failed (`error`).
        error: why there is no answer, or "". "missing" for a recorded output that is not there.
    """

    task: str
    item_id: str
    item_digest: str
    repeat: int
    prompt: str
    output: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    latency: float
    error: str
    completion_key: str
    cluster: str | None = None
    slices: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[str, Score] = field(default_factory=dict)

    @property
    def missing(self) -> bool:
        return self.error == MISSING


def score_sample(asked: Asked, completion: Completion, scorers: list[Scorer]) -> Sample:
    """Score what came back. A scorer that raises leaves its metrics unscored: a fault of ours is no wrong answer."""
    scores: dict[str, Score] = {}
    if completion.finish_reason != "error":
        for scorer in scorers:
            scores.update((score.metric, score) for score in _scored(scorer, asked, completion.text))
    return Sample(
        task=asked.task,
        item_id=asked.item.id,
        item_digest=asked.item.digest,
        repeat=asked.repeat,
        prompt=asked.prompt,
        output=completion.text,
        finish_reason=completion.finish_reason,
        prompt_tokens=completion.prompt_tokens,
        completion_tokens=completion.completion_tokens,
        latency=completion.latency,
        error=completion.error,
        completion_key=completion.key,
        cluster=asked.item.cluster,
        slices={key: str(value) for key, value in asked.item.metadata.items() if isinstance(value, str | int | bool)},
        scores=scores,
    )


def _scored(scorer: Scorer, asked: Asked, text: str) -> tuple[Score, ...]:
    try:
        return scorer.score(asked.item, text)
    except Exception as error:  # any scorer may be a user's own
        note = f"{type(error).__name__}: {error}"
        return tuple(Score(metric, None, note=note) for metric in scorer.metrics)
