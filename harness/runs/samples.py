"""One answer, scored: a row of `samples.parquet`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.errors import MISSING
from harness.scorers.base import Score


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
