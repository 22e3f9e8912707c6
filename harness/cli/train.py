"""`harness train`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.errors import EXIT_OK

if TYPE_CHECKING:
    from harness.candidates.workspace import Workspace
    from harness.train.config import TrainConfig
    from harness.train.prepare import Prepared

Config = Annotated[Path, typer.Argument(metavar="CONFIG.yaml", help="What to train on what, and how.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint of a run that was stopped.")]
Replace = Annotated[
    bool, typer.Option("--replace", help="Take the place of a candidate or a stopped run of this name.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan and the first examples; train nothing.")]
AllowLeak = Annotated[
    bool, typer.Option("--allow-leak", help="Train although gold items stand in the data; the lineage says so.")
]
Suite = Annotated[
    str | None, typer.Option("--suite", help="Its gold sets may not stand in the data.", metavar="NAME|FILE")
]


def sft(
    config: Config,
    suite: Suite = None,
    goldset: options.Goldsets = None,
    resume: Resume = False,
    replace: Replace = False,
    dry_run: DryRun = False,
    allow_leak: AllowLeak = False,
) -> int:
    """Train an adapter on questions and answers, and register it as a candidate.

    Shows the plan, and the first examples with what is learned and what is masked, before it starts.

    Exit codes: 0 the candidate stands and is registered; 2 bad input; 3 training broke off, checkpoints
    are kept.
    """
    from harness.train.config import SftConfig

    return _train(config, SftConfig, _Asked(suite, goldset, resume, replace, dry_run, allow_leak))


def vision(
    config: Config,
    suite: Suite = None,
    goldset: options.Goldsets = None,
    resume: Resume = False,
    replace: Replace = False,
    dry_run: DryRun = False,
    allow_leak: AllowLeak = False,
) -> int:
    """Train an adapter on questions with pictures (Qwen2-VL, Qwen2.5-VL), from a sheet of prompt, image and response.

    As `harness train sft`; the config chooses which halves of the model learn.
    """
    from harness.train.config import VisionConfig

    return _train(config, VisionConfig, _Asked(suite, goldset, resume, replace, dry_run, allow_leak))


def grpo(
    config: Config,
    suite: Suite = None,
    goldset: options.Goldsets = None,
    resume: Resume = False,
    replace: Replace = False,
    dry_run: DryRun = False,
    allow_leak: AllowLeak = False,
) -> int:
    """Train an adapter by rewards: each question is answered several times, and what is rewarded more is learned.

    Rewards are those that `harness compare` can score with, or functions of your own (py:FILE.py:FUNCTION).

    Exit codes: those of `harness train sft`.
    """
    from harness.train.config import GrpoConfig

    return _train(config, GrpoConfig, _Asked(suite, goldset, resume, replace, dry_run, allow_leak))


@dataclass(frozen=True)
class _Asked:
    """The options that all kinds of training share."""

    suite: str | None
    goldset: list[str] | None
    resume: bool
    replace: bool
    dry_run: bool
    allow_leak: bool


def _train(config: Path, kind: type[TrainConfig], asked: _Asked) -> int:
    from harness.candidates.workspace import load_workspace
    from harness.cli.train_shown import Printer, tell_plan, tell_trained
    from harness.selection.producing import produce
    from harness.train.config import load_config
    from harness.train.prepare import prepare

    workspace = load_workspace()
    copies = options.goldset_copies(asked.goldset)
    prepared = prepare(
        load_config(config, kind),
        workspace,
        folder=config.resolve().parent,
        suite=asked.suite,
        goldsets=copies,
        allow_leak=asked.allow_leak,
    )
    if asked.dry_run:
        tell_plan(prepared)
        return EXIT_OK
    lineage = produce(prepared, workspace, Printer(), goldsets=copies, resume=asked.resume, replace=asked.replace)
    tell_trained(prepared, lineage, register_trained(prepared, workspace), asked.suite)
    return EXIT_OK


def register_trained(prepared: Prepared, workspace: Workspace) -> Path:
    """Enter what was trained in harness.yaml; the file's path."""
    from harness.candidates.registering import register
    from harness.candidates.workspace import Entry

    config = prepared.config
    folder = workspace.folder if workspace.file else workspace.here
    target = prepared.target.resolve()
    known = workspace.entry(config.base)
    entry = Entry(
        base=config.base if known is not None else None,
        model=None if known is not None else str(prepared.base.model),
        adapter=target.relative_to(folder).as_posix() if target.is_relative_to(folder) else str(target),
        prompt=config.prompt if config.prompt != "chat" else None,
        system=config.system,
    )
    return register(config.name, entry, workspace)
