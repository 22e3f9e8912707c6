"""Checkpoints against the base on a suite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness import api
from harness.candidates.adapter import AdapterFolder
from harness.candidates.candidate import ModelCandidate
from harness.candidates.lineage import Evaluation, TaskScore
from harness.candidates.workspace import Workspace
from harness.comparison.results import CandidateComparison
from harness.errors import InputError
from harness.gold.parts import Part
from harness.runs.plan import Plan
from harness.runs.progress import Progress
from harness.runs.runner import Answers, Runner
from harness.selection.distance import Distance, distances
from harness.train.config import EvalConfig
from harness.train.prepare import Prepared


@dataclass(frozen=True)
class Judged:
    """Evaluations in the order of the checkpoints given, and the id of their comparison."""

    evaluations: tuple[Evaluation, ...]
    comparison: str
    suite_digest: str


class Judge:
    """Compares checkpoints with the base as `harness compare` does, all of them in one engine start.

    Args:
        goldsets: local copies of gold sets, by name.

    Raises:
        InputError: the suite, its gold sets or the engine are not to be had, or it has no target. Said before training.
    """

    def __init__(
        self, prepared: Prepared, workspace: Workspace, goldsets: Mapping[str, str], progress: Progress | None
    ) -> None:
        assert prepared.config.eval is not None
        self.config: EvalConfig = prepared.config.eval
        self._prepared = prepared
        self._workspace = workspace
        self._goldsets = dict(goldsets)
        self._progress = progress
        for half in ("dev", "test"):
            plan = api.prepare(self._request((), self._part(half), None, workspace.store)).plan
        if not any(task.role == "target" for task in plan.suite.tasks):
            raise InputError(
                f"suite {self.config.suite!r} has no target: nothing could be chosen by it",
                where="eval.suite",
                remedy="Name a suite with a task of role: target.",
            )

    def glance(self, step: int, adapter: Path) -> Evaluation:
        """A few items of the dev half, and the distance to the base on guards."""
        return self._judged({step: adapter}, self._part("dev"), self.config.items, kept=False).evaluations[0]

    def look(self, checkpoints: Mapping[int, Path]) -> Judged:
        """The whole dev half."""
        return self._judged(checkpoints, self._part("dev"), None, kept=False)

    def test(self, step: int, adapter: Path) -> Judged:
        """The test half, once: runs and comparison go into the workspace's store."""
        return self._judged({step: adapter}, self._part("test"), None, kept=True)

    def _part(self, name: Literal["dev", "test"]) -> Part:
        return Part(name, self.config.dev, self._prepared.config.seed)

    def _judged(self, checkpoints: Mapping[int, Path], part: Part, items: int | None, *, kept: bool) -> Judged:
        name = self._prepared.config.name
        candidates = tuple(
            self._candidate(name if kept else f"{name}-step-{step}", adapter) for step, adapter in checkpoints.items()
        )
        store = self._workspace.store if kept else str(self._prepared.work / "evaluation")
        moved: dict[int, Distance] = {}

        def measure(plan: Plan, runner: Runner, answers: Answers) -> None:
            moved.update(distances(plan, runner, self.config.kl_items, self._prepared.config.seed))

        outcome = api.compare(
            self._request(candidates, part, items, store),
            self._progress,
            also=measure if self.config.kl_items else None,
        )
        compared = outcome.comparison
        evaluations = tuple(
            _evaluation(step, one, moved.get(at))
            for at, (step, one) in enumerate(zip(checkpoints, compared.comparisons, strict=True), 1)
        )
        return Judged(evaluations, compared.id, compared.suite_digest)

    def _candidate(self, name: str, adapter: Path) -> ModelCandidate:
        config, base = self._prepared.config, self._prepared.base
        return ModelCandidate(
            name=name,
            model=base.model,
            adapter=AdapterFolder.open(adapter),
            quantization=base.quantization,
            system=config.system,
            prompt=config.prompt if config.prompt != "chat" else None,
            prompt_folder=self._workspace.folder,
        )

    def _request(
        self, candidates: tuple[ModelCandidate, ...], part: Part, items: int | None, store: str
    ) -> api.Request:
        return api.Request(
            references=(self._prepared.config.base, *candidates),
            suite=self.config.suite,
            limit=items,
            engine=self.config.engine,
            seed=self._prepared.config.seed,
            store=store,
            goldsets=self._goldsets,
            folder=self._workspace.here,
            part=part,
        )


def _evaluation(step: int, compared: CandidateComparison, moved: Distance | None) -> Evaluation:
    return Evaluation(
        step=step,
        scores=tuple(
            TaskScore(
                task=result.task,
                role=result.role,
                n=result.n,
                base=result.base,
                candidate=result.candidate,
                delta=result.delta,
                ci=result.ci,
                verdict=result.verdict or "inconclusive",
            )
            for result in compared.results
            if result.primary
        ),
        kl=moved.kl if moved else None,
        doctor=tuple(f"{f.probe}: {f.detail}" for f in compared.doctor if f.status in ("warn", "fail")),
    )
