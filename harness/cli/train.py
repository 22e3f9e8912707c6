"""`harness train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import options
from harness.errors import EXIT_OK

if TYPE_CHECKING:
    from harness.candidates.lineage import Lineage, LossPoint
    from harness.candidates.workspace import Workspace
    from harness.train.sft import Prepared

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
    from harness.candidates.workspace import load_workspace
    from harness.train.config import load_config
    from harness.train.sft import prepare, train

    workspace = load_workspace()
    prepared = prepare(
        load_config(config),
        workspace,
        folder=config.resolve().parent,
        suite=suite,
        goldsets=options.goldset_copies(goldset),
        allow_leak=allow_leak,
    )
    if dry_run:
        _tell_plan(prepared)
        return EXIT_OK
    lineage = train(prepared, Printer(), resume=resume, replace=replace)
    _tell_trained(prepared, lineage, register_trained(prepared, workspace))
    return EXIT_OK


class Printer:
    """Prints the plan, then a line a log entry."""

    def __init__(self, *, plan: bool = True) -> None:
        self._plan = plan

    def planned(self, prepared: Prepared) -> None:
        if self._plan:
            _tell_plan(prepared)

    def logged(self, point: LossPoint) -> None:
        rate = f"  lr {point.learning_rate:.2e}" if point.learning_rate is not None else ""
        norm = f"  grad norm {point.grad_norm:.3f}" if point.grad_norm is not None else ""
        typer.echo(f"step {point.step:>6}  loss {point.loss:.4f}{rate}{norm}")


def _tell_plan(prepared: Prepared) -> None:
    from harness.cli.tables import print_facts, print_table

    config, data = prepared.config, prepared.data
    print_facts(
        [
            ("candidate", f"{config.name}: {config.method} on {config.base}, prompt format {prepared.form.name}"),
            ("backend", prepared.backend.name),
        ]
    )
    taken = {part.name: part for part in prepared.mixture.parts}
    rows = []
    for source in prepared.sources:
        part = taken.get(source.name)
        dropped = ", ".join(f"{number:,} {why}" for why, number in source.dropped.items())
        passes = (
            f"{part.taken:,} ({part.passes:.1f} passes)"
            if part and part.passes > 1
            else f"{part.taken if part else 0:,}"
        )
        rows.append([source.name, f"{source.rows:,}", dropped or "none", f"{len(source.examples):,}", passes])
    print_table(("source", "rows", "left out", "examples", "in an epoch"), rows)
    facts = [
        ("steps", prepared.plan.sentence),
        ("tokens", f"{data.tokens:,} an epoch, of which {data.learned:,} are learned"),
    ]
    if data.too_long:
        shown = "; ".join(data.too_long[:3])
        facts.append(
            ("left out", f"{len(data.too_long):,} examples longer than {config.max_seq_length} tokens: {shown}")
        )
    facts += [("gold sets", _leak(leak)) for leak in prepared.leaks.leaks]
    facts += [("gold sets", f"{name} is not on this machine: not looked for") for name in prepared.leaks.skipped]
    if not prepared.leaks.leaks and not prepared.leaks.skipped:
        facts.append(("gold sets", "none named: give --suite, or training data is not held against any test"))
    if prepared.form.note:
        facts.append(("note", prepared.form.note))
    if not _served(config.method):
        facts.append(("note", f"vLLM cannot serve {config.method}: this candidate will be asked through transformers"))
    print_facts(facts)
    _tell_examples(prepared)


def _leak(leak: Any) -> str:
    if not leak.verbatim and not leak.near:
        return f"{leak.goldset}: none of its {leak.items:,} items stands in the data"
    allowed = ", allowed by --allow-leak" if leak.allowed else ""
    return f"{leak.goldset}: {leak.verbatim} of {leak.items:,} items word for word{allowed}, {leak.near} nearly"


def _served(method: str) -> bool:
    from harness.train.config import SERVED_BY_VLLM

    return method in SERVED_BY_VLLM


def _tell_examples(prepared: Prepared) -> None:
    from harness.cli.tables import print_facts
    from harness.train.tokens import shown

    only = prepared.config.completion_only_loss
    for number, sequence in enumerate(prepared.data.sequences[:3], start=1):
        masked, learned = shown(sequence, prepared.base.tokenizer, completion_only=only)
        print_facts([(f"example {number}", f"masked:  {masked!r}"), ("", f"learned: {learned!r}")])


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


def _tell_trained(prepared: Prepared, lineage: Lineage, registered: Path) -> None:
    from harness.cli.tables import print_facts

    config = prepared.config
    first, last = lineage.losses[0], lineage.losses[-1]
    took = f"{lineage.steps:,} steps in {lineage.seconds:.0f} s"
    print_facts(
        [
            ("trained", f"{took}, loss {first.loss:.3f} to {last.loss:.3f}"),
            ("candidate", f"{prepared.target} is {config.name!r} in {registered}"),
            ("next", f"harness compare {config.base} {config.name} --suite medical"),
        ]
    )
