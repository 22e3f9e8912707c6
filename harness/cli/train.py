"""`harness train`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import options
from harness.errors import EXIT_OK

if TYPE_CHECKING:
    from harness.candidates.lineage import Lineage, LossPoint
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
    from harness.train.config import load_config
    from harness.train.prepare import prepare
    from harness.train.training import train

    workspace = load_workspace()
    prepared = prepare(
        load_config(config, kind),
        workspace,
        folder=config.resolve().parent,
        suite=asked.suite,
        goldsets=options.goldset_copies(asked.goldset),
        allow_leak=asked.allow_leak,
    )
    if asked.dry_run:
        _tell_plan(prepared)
        return EXIT_OK
    lineage = train(prepared, Printer(), resume=asked.resume, replace=asked.replace)
    _tell_trained(prepared, lineage, register_trained(prepared, workspace), asked.suite)
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
        typer.echo(f"step {point.step:>6}  loss {point.loss:.4f}{_rewarded(point)}{rate}{norm}")


def _rewarded(point: LossPoint) -> str:
    """What the answers of a step were worth, in all and by reward."""
    if point.reward is None:
        return ""
    each = ", ".join(f"{name} {value:.3f}" for name, value in point.rewards.items())
    length = f"  answers of {point.answer_tokens:.0f} tokens" if point.answer_tokens is not None else ""
    return f"  reward {point.reward:.3f} ± {point.reward_std or 0.0:.3f} ({each}){length}"


def _tell_plan(prepared: Prepared) -> None:
    from harness.cli.tables import print_facts, print_table

    config, data = prepared.config, prepared.material
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
    facts = [("steps", prepared.plan.sentence), ("tokens", data.sentence)]
    if prepared.rewards:
        facts.append(("rewards", ", ".join(f"{reward.name} × {reward.weight:g}" for reward in prepared.rewards)))
    if data.too_long:
        shown = "; ".join(data.too_long[:3])
        facts.append(("left out", f"{len(data.too_long):,} examples longer than {data.longest} tokens: {shown}"))
    facts += [("gold sets", _leak(leak)) for leak in prepared.leaks.leaks]
    facts += [("gold sets", f"{name} is not on this machine: not looked for") for name in prepared.leaks.skipped]
    if not prepared.leaks.leaks and not prepared.leaks.skipped:
        facts.append(("gold sets", "none named: give --suite, or training data is not held against any test"))
    if prepared.form.note:
        facts.append(("note", prepared.form.note))
    facts += [("note", note) for note in _serving(config)]
    print_facts(facts)
    _tell_examples(prepared)


def _leak(leak: Any) -> str:
    if not leak.verbatim and not leak.near:
        return f"{leak.goldset}: none of its {leak.items:,} items stands in the data"
    allowed = ", allowed by --allow-leak" if leak.allowed else ""
    return f"{leak.goldset}: {leak.verbatim} of {leak.items:,} items word for word{allowed}, {leak.near} nearly"


def _serving(config: TrainConfig) -> list[str]:
    """What vLLM will not do with the candidate."""
    from harness.train.config import SERVED_BY_VLLM, VisionConfig

    notes = []
    if config.method not in SERVED_BY_VLLM:
        notes.append(f"vLLM cannot serve {config.method}: this candidate will be asked through transformers")
    if isinstance(config, VisionConfig) and config.finetune_vision_layers:
        notes.append(
            "vLLM leaves adapters of the picture half out: ask this candidate through transformers, or merge it"
        )
    return notes


def _tell_examples(prepared: Prepared) -> None:
    from harness.cli.tables import print_facts
    from harness.train.config import SftConfig, VisionConfig
    from harness.train.prompts import PromptSet
    from harness.train.tokens import shown

    data, tokenizer = prepared.material, prepared.base.tokenizer
    if isinstance(data, PromptSet):
        for number, prompt in enumerate(data.prompts[:3], start=1):
            asked = tokenizer.decode(prompt.ids, skip_special=False)
            print_facts([(f"example {number}", f"asked: {asked!r}"), ("", f"gold: {prompt.gold!r}")])
        return
    assert isinstance(prepared.config, SftConfig | VisionConfig)
    only = prepared.config.completion_only_loss
    for number, sequence in enumerate(data.sequences[:3], start=1):
        masked, learned = shown(sequence, tokenizer, completion_only=only)
        print_facts([(f"example {number}", f"masked: {masked!r}"), ("", f"learned: {learned!r}")])


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


#: What GRPO learns from is the difference within a group.
_ALIKE = (
    "all answers to a question were rewarded alike, at every step, so that nothing was learned: the base never earns "
    "a reward, or always. Look at its answers (harness run), at the system prompt, or add a reward for what is close."
)


def _tell_trained(prepared: Prepared, lineage: Lineage, registered: Path, suite: str | None) -> None:
    from harness.cli.tables import print_facts

    config = prepared.config
    first, last = lineage.losses[0], lineage.losses[-1]
    took = f"{lineage.steps:,} steps in {lineage.seconds:.0f} s"
    gained = (
        f", reward {first.reward:.3f} to {last.reward:.3f}"
        if last.reward is not None and first.reward is not None
        else ""
    )
    alike = last.reward is not None and not any(point.reward_std for point in lineage.losses)
    print_facts(
        [
            ("trained", f"{took}, loss {first.loss:.3f} to {last.loss:.3f}{gained}"),
            *([("warning", _ALIKE)] if alike else []),
            ("candidate", f"{prepared.target} is {config.name!r} in {registered}"),
            ("next", f"harness compare {config.base} {config.name} --suite {suite or 'NAME'}"),
        ]
    )
