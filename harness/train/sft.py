"""Supervised fine-tuning: from a config to a candidate with a lineage."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from harness.candidates.candidate import ModelCandidate
from harness.candidates.fingerprint import DigestCache, fingerprint
from harness.candidates.lineage import FILE_NAME, DataRecord, Lineage, LossPoint, read_lineage
from harness.candidates.prompt import PromptFormat, prompt_format
from harness.candidates.reference import resolve
from harness.candidates.workspace import Workspace
from harness.digest import digest_json
from harness.errors import InputError
from harness.train.backends.base import Backend, SftJob, Trained, choose_backend
from harness.train.config import TrainConfig
from harness.train.data import SourceData, read_source
from harness.train.leaks import LeakCheck, check_leaks
from harness.train.mixing import Mixture, mix
from harness.train.plan import TrainPlan, make_plan
from harness.train.run_state import RunState
from harness.train.tokens import TokenisedSet, end_of_answer, tokenise


class Watcher(Protocol):
    """Is told how training goes."""

    def planned(self, prepared: Prepared) -> None:
        """Everything is read and counted; nothing has started."""
        ...

    def logged(self, point: LossPoint) -> None:
        """A line of the log."""
        ...


@dataclass(frozen=True)
class Prepared:
    """All that is known before training starts.

    Attributes:
        target: where the candidate will stand; `work` holds its checkpoints until then.
        identity: digest of whatever decides the result; a run is resumed only with the same.
    """

    config: TrainConfig
    base: ModelCandidate
    form: PromptFormat
    sources: tuple[SourceData, ...]
    mixture: Mixture
    data: TokenisedSet
    plan: TrainPlan
    leaks: LeakCheck
    backend: Backend
    target: Path
    work: Path
    identity: str
    parent_digest: str


def prepare(
    config: TrainConfig,
    workspace: Workspace,
    *,
    folder: Path,
    suite: str | None = None,
    goldsets: Mapping[str, str] | None = None,
    allow_leak: bool = False,
) -> Prepared:
    """Read, clean, mix, check and tokenise; nothing is written.

    Args:
        folder: where paths in the config start.
        suite: whose gold sets may not stand in the training data.
        goldsets: local copies of gold sets, by name.

    Raises:
        InputError: names the key, the file or the row, and what to do.
    """
    backend = choose_backend(config.backend)
    base = _base(config, workspace)
    target = workspace.here / config.output / config.name
    _check_entry(config.name, target, workspace)
    sources = tuple(
        read_source(name, source, folder, deduplicate=config.deduplicate) for name, source in config.data.items()
    )
    used = [source for source in sources if not config.mix or config.mix.get(source.name)]
    leaks = check_leaks(
        [file for source in used for file in source.files],
        suite=suite,
        goldsets=config.goldsets,
        copies=goldsets or {},
        here=folder,
        allowed=allow_leak,
    )
    limits = {name: source.rows for name, source in config.data.items() if source.rows is not None}
    mixture = mix(used, config.mix, config.seed, limits)
    form = _format(config, base, workspace)
    end = end_of_answer(base.tokenizer, base.stop_token_ids)
    data = tokenise(
        mixture.examples, form, base.tokenizer, end=end, longest=config.max_seq_length, system=config.system
    )
    parent = fingerprint(base, DigestCache()).digest
    return Prepared(
        config=config,
        base=base,
        form=form,
        sources=sources,
        mixture=mixture,
        data=data,
        plan=make_plan(config, mixture, data),
        leaks=leaks,
        backend=backend,
        target=target,
        work=target.with_name(f"{target.name}.training"),
        identity=digest_json([config.written(), [source.digest for source in sources], parent]),
        parent_digest=parent,
    )


def train(prepared: Prepared, watcher: Watcher, *, resume: bool = False, replace: bool = False) -> Lineage:
    """Train what was prepared; the candidate appears in its folder whole, or not at all.

    Args:
        resume: go on from the last whole checkpoint of a run that was stopped.
        replace: take the place of a candidate of this name, or start a stopped run anew.

    Raises:
        InputError: there is a candidate or a stopped run of this name, or nothing to resume.
        IncompleteError: training failed; says what to do. Checkpoints are kept.
    """
    state, checkpoint = _open(prepared, resume=resume, replace=replace)
    watcher.planned(prepared)
    before = state.seconds
    started = time.monotonic()

    def saved(_: Path) -> None:
        state.save(seconds=before + time.monotonic() - started)

    made = prepared.work / "adapter"
    shutil.rmtree(made, ignore_errors=True)
    trained = prepared.backend.sft(
        SftJob(
            config=prepared.config,
            base=prepared.base.model,
            sequences=prepared.data.sequences,
            steps=prepared.plan.steps,
            work=prepared.work,
            checkpoint=checkpoint,
            target=made,
            logged=watcher.logged,
            saved=saved,
        )
    )
    lineage = _lineage(prepared, trained, state, before + trained.seconds)
    (made / FILE_NAME).write_text(lineage.model_dump_json(indent=1, by_alias=True) + "\n", encoding="utf-8")
    (made / "README.md").unlink(missing_ok=True)  # PEFT's empty model card
    for file in made.iterdir():
        file.chmod(0o644)  # safetensors keeps its files to their owner
    _place(made, prepared)
    return lineage


def already_trained(prepared: Prepared) -> Lineage | None:
    """The lineage of the candidate that stands in the target's place, where it was made of the very same things."""
    lineage = read_lineage(prepared.target)
    return lineage if lineage is not None and lineage.identity == prepared.identity else None


def stopped(prepared: Prepared) -> bool:
    """True where this very training was stopped half-way and can go on."""
    state = RunState.load(prepared.work)
    return state is not None and state.identity == prepared.identity


def _base(config: TrainConfig, workspace: Workspace) -> ModelCandidate:
    try:
        found = resolve(config.base, workspace)
    except InputError as error:
        raise InputError(error.what, where=error.where or "base", remedy=error.remedy) from None
    if not isinstance(found, ModelCandidate):
        raise InputError(f"{config.base!r} is a recording: there is nothing to train", where="base")
    if found.adapter is not None:
        raise InputError(f"{config.base!r} is an adapter", where="base", remedy="Merge it first, or train on its base.")
    return found


def _check_entry(name: str, target: Path, workspace: Workspace) -> None:
    """The name must be free in harness.yaml, or be this candidate's from before."""
    entry = workspace.entry(name)
    if entry is None or (
        entry.adapter is not None and (workspace.folder / entry.adapter).resolve() == target.resolve()
    ):
        return
    raise InputError(
        "stands for something else, and would be overwritten",
        where=f"{workspace.file}: candidates.{name}",
        remedy="Give the config another name.",
    )


def _format(config: TrainConfig, base: ModelCandidate, workspace: Workspace) -> PromptFormat:
    return prompt_format(config.prompt, folder=workspace.folder, model=base.model, adapter=None)


def _open(prepared: Prepared, *, resume: bool, replace: bool) -> tuple[RunState, Path | None]:
    from harness.train.backends.trainer import last_checkpoint

    target, work = prepared.target, prepared.work
    if target.exists() and not replace:
        raise InputError(
            f"candidate {prepared.config.name!r} exists already",
            where=str(target),
            remedy="Choose another name, or give --replace.",
        )
    if not resume:
        if work.exists() and not replace:
            raise InputError(
                "a training run of this name was stopped",
                where=str(work),
                remedy="--resume goes on with it; --replace starts anew.",
            )
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        return RunState.begin(work, prepared.identity), None
    state = RunState.load(work)
    if state is None:
        raise InputError("there is no stopped run to resume", where=str(work), remedy="Leave --resume out.")
    if state.identity != prepared.identity:
        raise InputError(
            "the config, the data or the base changed since the run was stopped",
            where=str(work),
            remedy="Undo the change, or start anew with --replace.",
        )
    state.start_again()
    return state, last_checkpoint(work)


def _lineage(prepared: Prepared, trained: Trained, state: RunState, seconds: float) -> Lineage:
    config = prepared.config
    taken = {part.name: part.taken for part in prepared.mixture.parts}
    return Lineage(
        schema=1,
        name=config.name,
        kind="sft",
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
        examples=len(prepared.data.sequences),
        too_long=len(prepared.data.too_long),
        tokens=prepared.data.tokens,
        learned_tokens=prepared.data.learned,
        steps=prepared.plan.steps,
        seed=config.seed,
        losses=trained.losses,
        versions=trained.versions,
        device=trained.device,
        seconds=round(seconds, 1),
        starts=state.starts,
        peak_memory=trained.peak_memory,
        gpu_hours=0.0 if trained.peak_memory is None else round(seconds / 3600, 4),
        started=state.started,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _place(made: Path, prepared: Prepared) -> None:
    """The finished candidate takes its place in one step; its checkpoints go."""
    target = prepared.target
    old = prepared.work / "replaced"
    if target.exists():
        target.rename(old)
    made.rename(target)
    shutil.rmtree(prepared.work, ignore_errors=True)
