"""From a prepared training to a candidate: with `eval:`, measured while it runs and chosen among its checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from harness.candidates.lineage import Evaluation, Lineage, Selection
from harness.candidates.workspace import Workspace
from harness.runs.progress import Progress
from harness.selection.judging import Judge
from harness.selection.rule import choose, finalists, why_stop
from harness.train.prepare import Prepared
from harness.train.training import Training, Watcher, copy_adapter


class Observer(Watcher, Protocol):
    """Is told how training goes, and how its checkpoints do."""

    def evaluating(self, steps: Sequence[int], where: str) -> None:
        """Checkpoints are about to be compared with the base, on a few items or on a half of the suite."""
        ...

    def evaluated(self, evaluation: Evaluation, *, dev: bool) -> None:
        """A checkpoint was compared with the base: on a few items, or on the whole dev half."""
        ...

    def stopping(self, why: str) -> None:
        """Training ends before its last step."""
        ...


def produce(
    prepared: Prepared,
    workspace: Workspace,
    observer: Observer,
    *,
    goldsets: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    resume: bool = False,
    replace: bool = False,
) -> Lineage:
    """Train, and put the candidate in its place.

    With `eval:` training goes in stretches: it stops at each evaluation, frees the GPU, and the checkpoint answers
    beside the base on one engine. What was answered is stored in the run's own folder, so that a resumed run asks
    nothing twice.

    Args:
        goldsets: local copies of gold sets, by name.

    Raises:
        InputError, IncompleteError: as `Training` and `Judge`.
    """
    judge = Judge(prepared, workspace, goldsets or {}, progress) if prepared.config.eval else None
    training = Training(prepared, resume=resume, replace=replace)
    observer.planned(prepared)
    if judge is None:
        return training.finish(training.advance(prepared.plan.steps, observer.logged))
    during, stopped = _trained(training, judge, observer)
    kept = {step: _kept(training, step) for step in finalists(during)}
    observer.evaluating(list(kept), "the whole dev half")
    looked = judge.look(kept)
    for evaluation in looked.evaluations:
        observer.evaluated(evaluation, dev=True)
    choice = choose(looked.evaluations)
    observer.evaluating([choice.step], "the test half")
    tested = judge.test(choice.step, kept[choice.step])
    selection = Selection(
        suite=judge.config.suite,
        suite_digest=tested.suite_digest,
        during=tuple(during),
        dev=looked.evaluations,
        test=tested.evaluations[0],
        comparison=tested.comparison,
        chosen=choice.step,
        why=choice.why,
        stopped=stopped,
        recommended=choice.recommended,
    )
    return training.finish(kept[choice.step], steps=choice.step, selection=selection)


def _trained(training: Training, judge: Judge, observer: Observer) -> tuple[list[Evaluation], str]:
    """Every evaluation until the end or until it is time to stop, and why it was."""
    during: list[Evaluation] = []
    total, every = training.prepared.plan.steps, judge.config.every
    for step in [*range(every, total, every), total]:
        adapter = _kept(training, step)
        if not adapter.exists():
            copy_adapter(training.advance(step, observer.logged), adapter)
        observer.evaluating([step], f"{judge.config.items} items of each task")
        evaluation = judge.glance(step, adapter)
        during.append(evaluation)
        observer.evaluated(evaluation, dev=False)
        why = why_stop(during, judge.config.patience)
        if why and step < total:
            observer.stopping(why)
            return during, why
    return during, ""


def _kept(training: Training, step: int) -> Path:
    """Where the adapter of an evaluated step stays until the choice is made."""
    return training.prepared.work / "evaluated" / f"step-{step}"
