"""From an answer to a sample."""

from __future__ import annotations

from harness.engines.base import Completion
from harness.runs.plan import Asked
from harness.runs.samples import Sample
from harness.scorers.base import Score, Scorer


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
