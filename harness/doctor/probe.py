"""What a probe is, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from harness.candidates.adapter import AdapterFolder
from harness.candidates.candidate import ModelCandidate
from harness.doctor.finding import Finding, Status
from harness.doctor.training_evidence import TrainingEvidence, TrainingFiles
from harness.engines.base import Adapter, Continuation
from harness.runs.plan import CandidatePlan, Group, Plan
from harness.runs.planning.weights import engine_adapter
from harness.runs.runner import Answers, Runner


@dataclass(frozen=True)
class Subject:
    """The candidate looked at, in its plan.

    Attributes:
        files: what the user gave of its training; None in a comparison, where nothing large is read.
    """

    plan: Plan
    index: int
    files: TrainingFiles | None = None

    @property
    def planned(self) -> CandidatePlan:
        return self.plan.candidates[self.index]

    @property
    def model(self) -> ModelCandidate | None:
        """The candidate when it is weights on disk, None for recorded outputs and endpoints."""
        candidate = self.planned.candidate
        return candidate if isinstance(candidate, ModelCandidate) else None

    @property
    def adapter(self) -> AdapterFolder | None:
        return self.model.adapter if self.model else None

    @cached_property
    def training(self) -> TrainingEvidence:
        """What lies on disk about its training."""
        folder = self.adapter.path if self.adapter else self.model.model if self.model else None
        return TrainingEvidence(folder, self.files)

    @property
    def group(self) -> Group | None:
        """The engine start that serves it."""
        return next((group for group in self.plan.groups if self.index in group.members), None)

    def engine_adapter(self) -> Adapter | None:
        return engine_adapter(self.model, self.planned.fingerprint) if self.model else None


class Logprobs(Protocol):
    """Whatever gives log-probabilities: an engine, or an engine over the store."""

    def logprobs(self, continuations: list[Continuation]) -> list[list[float]]: ...


#: Opens the other engine (its name, and what gives log-probabilities while it is open), or says why it cannot.
OtherEngine = Callable[[], AbstractContextManager[tuple[str, Logprobs]]]


@dataclass(frozen=True)
class Run:
    """What is at hand once the questions are answered.

    Attributes:
        other: opens the other engine; None where that is too dear.
    """

    runner: Runner
    answers: Answers
    other: OtherEngine | None = None


class Probe(Protocol):
    """Looks for one silent failure.

    Both halves return a finding with status `skip` where there is nothing to look at.
    """

    @property
    def name(self) -> str: ...

    def read(self, subject: Subject) -> Finding:
        """What the files say: no engine, and a fraction of a second unless the user gave training data."""
        ...

    def ask(self, subject: Subject, run: Run) -> Finding:
        """What the answers and the engine say."""
        ...


class Reporting:
    """What probes share: findings in their own name."""

    name: str

    def finding(self, status: Status, detail: str, remedy: str = "") -> Finding:
        return Finding(probe=self.name, status=status, detail=detail, remedy=remedy)


_ORDER: tuple[Status, ...] = ("skip", "pass", "warn", "fail")


def worst(probe: str, findings: list[Finding]) -> Finding:
    """One finding of several of the same probe: the worst status, with everything that was seen at it.

    Where something is wrong, what is right beside it is left out.
    """
    status = max((f.status for f in findings), key=_ORDER.index, default="skip")
    told = [f for f in findings if f.status == status or (status == "fail" and f.status == "warn")]
    told.sort(key=lambda f: -_ORDER.index(f.status))
    return Finding(
        probe=probe,
        status=status,
        detail="; ".join(dict.fromkeys(f.detail for f in told if f.detail)) or "there was nothing to look at",
        remedy=" ".join(dict.fromkeys(f.remedy for f in told if f.remedy)),
    )
