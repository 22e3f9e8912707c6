"""What will be asked of whom, before anything is started: the nouns of a plan (`planning/` makes one)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.candidates.candidate import Candidate, ModelCandidate
from harness.candidates.endpoint import Endpoint
from harness.candidates.fingerprint import Fingerprint
from harness.candidates.settings import EngineSettings
from harness.digest import digest_json
from harness.engines.base import Request
from harness.engines.identity import EngineIdentity
from harness.engines.replay import ReplayEngine
from harness.engines.select import EngineChoice
from harness.gold.goldset import GoldSet
from harness.gold.item import Item
from harness.gold.parts import Part
from harness.suites.choices import floor_of
from harness.suites.spec import Suite, Task


@dataclass(frozen=True)
class LoadedTask:
    """A task with its gold set and the items that will be asked."""

    task: Task
    goldset: GoldSet
    items: tuple[Item, ...]

    @property
    def floor(self) -> float:
        """What a model that knows nothing scores on these items."""
        return floor_of(self.task, self.items)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to one candidate.

    Attributes:
        prompt: the rendered text, kept for the reader.
        error: why it cannot be asked (a prompt longer than the model's window), or "".
    """

    task: str
    item: Item
    repeat: int
    prompt: str
    request: Request
    error: str = ""


@dataclass(frozen=True)
class Group:
    """Candidates that share one engine start: the same base weights, quantisation and settings."""

    identity: EngineIdentity
    choice: EngineChoice
    model: Path
    members: tuple[int, ...]


@dataclass(frozen=True)
class EndpointGroup:
    """Candidates that are asked at one endpoint."""

    identity: EngineIdentity
    endpoint: Endpoint
    members: tuple[int, ...]


@dataclass(frozen=True)
class CandidatePlan:
    """All questions to one candidate."""

    candidate: Candidate
    fingerprint: Fingerprint
    asked: tuple[Asked, ...]
    prompt_format: str = ""
    notes: tuple[str, ...] = ()
    recording: ReplayEngine | None = None

    @property
    def written_elsewhere(self) -> bool:
        """True when nobody here knows its prompts: it answered before, or its server writes them."""
        return not isinstance(self.candidate, ModelCandidate)


@dataclass(frozen=True)
class Plan:
    """Everything that a run needs to know.

    Attributes:
        suite: with the tasks that are asked only.
        candidates: the base first, in the order given.
        groups: engine starts needed at most; `members` index into `candidates`. Those without weights belong to none.
        endpoints: servers that are asked.
        left_out: optional tasks that are not asked, in words; among the warnings as well.
        temperature: instead of the tasks' own; None leaves them theirs.
        undrawn: repeats that are one and the same answer, in words; among the warnings as well.
    """

    suite: Suite
    tasks: tuple[LoadedTask, ...]
    candidates: tuple[CandidatePlan, ...]
    groups: tuple[Group, ...]
    settings: EngineSettings
    limit: int | None
    repeats: int
    seed: int
    part: Part | None = None
    warnings: tuple[str, ...] = field(default=())
    left_out: tuple[str, ...] = field(default=())
    endpoints: tuple[EndpointGroup, ...] = ()
    temperature: float | None = None
    undrawn: tuple[str, ...] = ()

    def keys(self) -> Iterator[str]:
        """Keys of every completion that an engine with weights must give."""
        for group in self.groups:
            for member in group.members:
                yield from (a.request.key for a in self.candidates[member].asked if not a.error)


@dataclass(frozen=True)
class Options:
    """How a plan is made: the command line's options, resolved."""

    settings: EngineSettings = field(default_factory=EngineSettings)
    limit: int | None = None
    repeats: int = 1
    temperature: float | None = None
    seed: int = 0
    prompt: str | None = None
    goldsets: Mapping[str, str] = field(default_factory=dict)
    part: Part | None = None


def plan_digest(plan: Plan) -> str:
    """Digest of what is asked: suite, gold sets and options (who answers is not in it)."""
    return digest_json(
        {
            "suite": plan.suite.digest,
            "goldsets": {loaded.task.name: loaded.goldset.digest for loaded in plan.tasks},
            "limit": plan.limit,
            "repeats": plan.repeats,
            "seed": plan.seed,
            **({"temperature": plan.temperature} if plan.temperature is not None else {}),
            **({"part": [plan.part.name, plan.part.dev, plan.part.seed]} if plan.part else {}),
        }
    )
