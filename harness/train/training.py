"""One training, from its first step to the candidate in its place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from harness.candidates.lineage import FILE_NAME, DataRecord, Lineage, LossPoint, Selection, read_lineage
from harness.errors import InputError
from harness.train.backends.base import Backend, Events, GrpoJob, Job, SftJob, Trained
from harness.train.backends.trainer import last_checkpoint, losses_of, step_of
from harness.train.config import GrpoConfig, SftConfig, VisionConfig
from harness.train.isolation import carry_out, carry_out_apart
from harness.train.prepare import Prepared
from harness.train.prompts import PromptSet
from harness.train.run_state import RunState


class Watcher(Protocol):
    """Is told how training goes."""

    def planned(self, prepared: Prepared) -> None:
        """Everything is read and counted; nothing has started."""
        ...

    def logged(self, point: LossPoint) -> None:
        """A line of the log."""
        ...


class Training:
    """A run that advances in stretches; between two of them nothing of it is in the GPU's memory.

    Stretches change nothing: the losses are those of a run that never stopped.

    Args:
        resume: go on from the last whole checkpoint of a run that was stopped.
        replace: take the place of a candidate of this name, or start a stopped run anew.

    Raises:
        InputError: there is a candidate or a stopped run of this name, or nothing to resume.
    """

    def __init__(self, prepared: Prepared, *, resume: bool = False, replace: bool = False) -> None:
        self.prepared = prepared
        self.checkpoint: Path | None = None
        self._state = self._resumed() if resume else self._begun(replace=replace)
        if prepared.target.exists() and not replace:
            raise _taken(prepared)
        if resume:
            self.checkpoint = last_checkpoint(prepared.work)

    @property
    def step(self) -> int:
        """Steps that are done and saved."""
        return step_of(self.checkpoint) if self.checkpoint else 0

    def advance(self, until: int, logged: Callable[[LossPoint], None]) -> Path:
        """Train up to a step; its whole checkpoint.

        Raises:
            IncompleteError: training failed; says what to do. Checkpoints are kept.
        """
        if self.checkpoint is not None and self.step >= until:
            return self.checkpoint
        clock = _Clock(self._state, logged)
        trained = _carry_out(self.prepared.backend, _job(self.prepared, until, self.checkpoint), clock)
        self._state.device, self._state.versions = trained.device, trained.versions
        self._state.save()
        self.checkpoint = last_checkpoint(self.prepared.work)
        assert self.checkpoint is not None
        assert self.step == until
        return self.checkpoint

    def finish(self, adapter: Path, *, steps: int | None = None, selection: Selection | None = None) -> Lineage:
        """Make an adapter of this run the candidate: it appears in its folder whole, or not at all.

        The run's own folder goes.

        Args:
            adapter: a checkpoint, or a copy of one's adapter.
            steps: that it learned for; default: all so far.
            selection: how it was chosen.
        """
        assert self.checkpoint is not None
        made = self.prepared.work / "adapter"
        shutil.rmtree(made, ignore_errors=True)
        copy_adapter(adapter, made)
        lineage = _lineage(self.prepared, self._state, steps or self.step, losses_of(self.checkpoint), selection)
        (made / FILE_NAME).write_text(lineage.model_dump_json(indent=1, by_alias=True) + "\n", encoding="utf-8")
        _place(made, self.prepared)
        return lineage

    def _begun(self, *, replace: bool) -> RunState:
        work = self.prepared.work
        if work.exists() and not replace:
            raise InputError(
                "a training run of this name was stopped",
                where=str(work),
                remedy="--resume goes on with it; --replace starts anew.",
            )
        if self.prepared.target.exists() and not replace:
            raise _taken(self.prepared)
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        return RunState.begin(work, self.prepared.identity)

    def _resumed(self) -> RunState:
        work = self.prepared.work
        state = RunState.load(work)
        if state is None:
            raise InputError("there is no stopped run to resume", where=str(work), remedy="Leave --resume out.")
        if state.identity != self.prepared.identity:
            raise InputError(
                "the config, the data or the base changed since the run was stopped",
                where=str(work),
                remedy="Undo the change, or start anew with --replace.",
            )
        state.starts += 1
        state.save()
        return state


def already_trained(prepared: Prepared) -> Lineage | None:
    """The lineage of the candidate that stands in the target's place, where it was made of the very same things."""
    lineage = read_lineage(prepared.target)
    return lineage if lineage is not None and lineage.identity == prepared.identity else None


def stopped(prepared: Prepared) -> bool:
    """True where this very training was stopped half-way and can go on."""
    state = RunState.load(prepared.work)
    return state is not None and state.identity == prepared.identity


def copy_adapter(checkpoint: Path, target: Path) -> None:
    """What serving needs of a checkpoint: PEFT's own files, without the optimiser's and the trainer's.

    They appear together, or not at all.
    """
    made = target.with_name(f".{target.name}")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    for file in checkpoint.glob("adapter_*"):
        shutil.copyfile(file, made / file.name)  # not its mode: safetensors keeps its files to their owner
    made.rename(target)


class _Clock:
    """Events of a stretch; what it took so far is remembered with every checkpoint."""

    def __init__(self, state: RunState, logged: Callable[[LossPoint], None]) -> None:
        self._state = state
        self.logged = logged
        self._before = state.seconds

    def saved(self, checkpoint: Path, seconds: float, peak_memory: int | None) -> None:
        self._state.seconds = self._before + seconds
        if peak_memory is not None:
            self._state.peak_memory = max(peak_memory, self._state.peak_memory or 0)
        self._state.save()


def _carry_out(backend: Backend, job: Job, events: Events) -> Trained:
    from harness.engines.gpu import visible_gpus

    return (carry_out_apart if visible_gpus() else carry_out)(backend, job, events)


def _job(prepared: Prepared, until: int, checkpoint: Path | None) -> Job:
    config, material = prepared.config, prepared.material
    common: dict[str, Any] = {
        "base": prepared.base.model,
        "steps": prepared.plan.steps,
        "until": until,
        "work": prepared.work,
        "checkpoint": checkpoint,
    }
    if isinstance(material, PromptSet):
        assert isinstance(config, GrpoConfig)
        return GrpoJob(config=config, prompts=material.prompts, rewards=prepared.rewards, **common)
    assert isinstance(config, SftConfig | VisionConfig)
    return SftJob(config=config, sequences=material.sequences, vision=prepared.vision, **common)


def _taken(prepared: Prepared) -> InputError:
    return InputError(
        f"candidate {prepared.config.name!r} exists already",
        where=str(prepared.target),
        remedy="Choose another name, or give --replace.",
    )


def _lineage(
    prepared: Prepared, state: RunState, steps: int, losses: tuple[LossPoint, ...], selection: Selection | None
) -> Lineage:
    config, material = prepared.config, prepared.material
    taken = {part.name: part.taken for part in prepared.mixture.parts}
    return Lineage(
        schema=1,
        name=config.name,
        kind=config.kind,
        identity=prepared.identity,
        backend=prepared.backend.name,
        method=config.method,
        parent=config.base,
        parent_digest=prepared.parent_digest,
        tokenizer_digest=prepared.base.tokenizer.digest,
        prompt=config.prompt,
        config=config.written(),
        data=tuple(
            DataRecord(
                name=source.name,
                path=config.data[source.name].path,
                digest=source.digest,
                rows=source.rows,
                available=len(source.examples),
                taken=taken.get(source.name, 0),
                dropped=source.dropped,
            )
            for source in prepared.sources
        ),
        leaks=prepared.leaks.leaks,
        examples=prepared.plan.rows,
        too_long=len(material.too_long),
        tokens=material.tokens,
        learned_tokens=None if isinstance(material, PromptSet) else material.learned,
        rewards={reward.name: reward.weight for reward in prepared.rewards},
        steps=steps,
        seed=config.seed,
        losses=losses,
        versions=state.versions,
        device=state.device,
        seconds=round(state.seconds, 1),
        starts=state.starts,
        peak_memory=state.peak_memory,
        gpu_hours=0.0 if state.peak_memory is None else round(state.seconds / 3600, 4),
        started=state.started,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        selection=selection,
    )


def _place(made: Path, prepared: Prepared) -> None:
    """The finished candidate takes its place in one step; its checkpoints go."""
    target = prepared.target
    old = prepared.work / "replaced"
    if target.exists():
        target.rename(old)
    made.rename(target)
    shutil.rmtree(prepared.work, ignore_errors=True)
