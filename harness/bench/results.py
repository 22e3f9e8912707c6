"""What a bench of deployments came to: `bench.json` in the store, and what `--json` prints. Times are in seconds."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.comparison.statistics.verdict import Role, Verdict

SCHEMA = 1
FILE = "bench.json"
REQUESTS = "requests.jsonl"

#: What is said of a deployment against the first one at a level.
Speed = Literal["faster", "slower", "not shown"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Estimate(_Model):
    """A number with its interval; an end is None where it cannot be told, and both with a single round."""

    value: float
    low: float | None = None
    high: float | None = None


class Quantiles(_Model):
    """Percentiles over all requests of all rounds; `n` is how many requests had such a time."""

    n: int
    p50: Estimate
    p95: Estimate
    p99: Estimate


class Ratio(_Model):
    """A number of this deployment over the first one's, round by round (geometric mean)."""

    value: float
    low: float | None = None
    high: float | None = None
    p: float | None = None


class Against(_Model):
    """This deployment against the first one at one level. A ratio above 1 is more: good for rates, bad for times.

    Attributes:
        p_adjusted: of output tokens a second being equal; Holm over all levels of all deployments.
        speed: what that shows at the level asked for.
    """

    requests_per_second: Ratio | None
    output_tokens_per_second: Ratio | None
    first_token: Ratio | None
    per_token: Ratio | None
    latency: Ratio | None
    p_adjusted: float | None = None
    speed: Speed = "not shown"


class ErrorCount(_Model):
    """Requests that failed for one reason."""

    why: str
    count: int


class LevelResult(_Model):
    """One deployment with so many requests in flight.

    Attributes:
        planned: requests that should have been sent; each was answered, failed, or was never sent.
        unsent: given up after too many failures in a row.
        requests_per_second, output_tokens_per_second: answered ones, over the whole of each round.
        tokens_per_second_per_gpu: None where the number of GPUs is not known or 0.
        first_token: time to first token (TTFT); per_token: time per output token after it (TPOT); latency: to the
            end of the answer. The medians of the rounds are what ratios are made of.
        output_tokens: mean length of an answer.
        held_back: share of streamed answers whose tokens came together; None where that cannot be said.
        client_busy: largest share of a round that this client itself computed.
    """

    concurrency: int
    planned: int
    answered: int
    errors: int
    unsent: int
    reasons: tuple[ErrorCount, ...]
    error_rate: float | None
    requests_per_second: Estimate | None
    output_tokens_per_second: Estimate | None
    tokens_per_second_per_gpu: float | None
    first_token: Quantiles | None
    per_token: Quantiles | None
    latency: Quantiles | None
    output_tokens: float | None
    held_back: float | None
    client_busy: float
    against_first: Against | None = None


class TaskQuality(_Model):
    """How well a deployment answers a task (its primary metric), and the difference from the first one, paired."""

    task: str
    role: Role
    metric: str
    n: int
    score: float | None
    ci: tuple[float, float] | None = None
    errors: int = 0
    delta: float | None = None
    delta_ci: tuple[float, float] | None = None
    p_adjusted: float | None = None
    verdict: Verdict | None = None


NoteCode = Literal[
    "pieces", "one-piece", "unfit", "client", "rounds", "repeated", "unsent", "limits", "lengths", "no-gpus",
    "no-success", "quality-errors", "bursts",
]  # fmt: skip


class Note(_Model):
    """Something that a reader has to know; the words stand in `report/bench_words.py`."""

    code: NoteCode
    params: dict[str, str | int | float] = Field(default_factory=dict)


class DeploymentResult(_Model):
    """One deployment.

    Attributes:
        kind: `endpoint` is asked as it is; `warm` is a vLLM server of weights that are here, named by digests.
        model, url: what was asked where.
        gpus: how many answer; None where nobody said.
        counted: tokens are those of the server's own count, or one for each piece.
    """

    name: str
    kind: Literal["endpoint", "warm"]
    model: str
    url: str
    version: str = ""
    gpus: int | None
    streamed: bool
    counted: Literal["server", "pieces"]
    notes: tuple[Note, ...]
    levels: tuple[LevelResult, ...]
    quality: tuple[TaskQuality, ...] = ()


class ServingBench(_Model):
    """Deployments under the same load, and on the same suite.

    Attributes:
        load_digest: of the questions and their order; equal digests are the same load.
        comparison: id of the comparison that the quality is from; None where none was made.
        client: who sent the load: its processors and versions.
    """

    schema_version: Literal[1] = Field(1, alias="schema")
    id: str = ""
    created: datetime
    harness_version: str
    suite: str
    suite_digest: str
    limit: int | None
    alpha: float
    seed: int
    rounds: int
    max_tokens: int | None
    ignore_eos: bool
    repeat_prompts: bool
    load_digest: str
    load_seconds: float
    comparison: str | None
    client: str
    notes: tuple[Note, ...] = ()
    deployments: tuple[DeploymentResult, ...]

    def to_json(self) -> str:
        return self.model_dump_json(by_alias=True, indent=1) + "\n"

    @property
    def complete(self) -> bool:
        """False where some level of some deployment has no answer at all, or the suite was not answered."""
        if any(note.code == "quality-errors" for note in self.notes):
            return False
        return all(level.answered for one in self.deployments for level in one.levels)
