"""How a training is shown: its plan, its log, and what came out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.candidates.lineage import Evaluation, Leak, Lineage, LossPoint, Selection
    from harness.train.config import TrainConfig
    from harness.train.prepare import Prepared


class Printer:
    """Prints the plan, then a line a log entry."""

    def __init__(self, *, plan: bool = True) -> None:
        self._plan = plan

    def planned(self, prepared: Prepared) -> None:
        if self._plan:
            tell_plan(prepared)

    def logged(self, point: LossPoint) -> None:
        rate = f"  lr {point.learning_rate:.2e}" if point.learning_rate is not None else ""
        norm = f"  grad norm {point.grad_norm:.3f}" if point.grad_norm is not None else ""
        typer.echo(f"step {point.step:>6}  loss {point.loss:.4f}{_rewarded(point)}{rate}{norm}")

    def evaluating(self, steps: Sequence[int], where: str) -> None:
        typer.echo(f"asking base and step {', '.join(map(str, steps))}: {where} …", err=True)

    def evaluated(self, evaluation: Evaluation, *, dev: bool) -> None:
        where = "the whole dev half" if dev else "a few items"
        typer.echo(f"step {evaluation.step:>6}  {_measured(evaluation)}  [{where}]")
        for warning in evaluation.doctor:
            typer.echo(f"             doctor: {warning}")

    def stopping(self, why: str) -> None:
        typer.echo(f"stopped early: {why}")


def _measured(evaluation: Evaluation) -> str:
    """Gains and losses in points with their intervals, and how far the candidate has moved."""
    from harness.report.numbers import interval, points

    parts = [f"{s.task} {points(s.delta)} {interval(s.ci)} {s.verdict}" for s in evaluation.scores]
    if evaluation.kl is not None:
        parts.append(f"KL to the base {evaluation.kl:.4f} nat/token")
    return "  ".join(parts)


def _rewarded(point: LossPoint) -> str:
    """What the answers of a step were worth, in all and by reward."""
    if point.reward is None:
        return ""
    each = ", ".join(f"{name} {value:.3f}" for name, value in point.rewards.items())
    length = f"  answers of {point.answer_tokens:.0f} tokens" if point.answer_tokens is not None else ""
    return f"  reward {point.reward:.3f} ± {point.reward_std or 0.0:.3f} ({each}){length}"


def tell_plan(prepared: Prepared) -> None:
    """Sources, steps, tokens, leaks, notes and the first examples."""
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
    if warning := _memory(prepared):
        facts.append(("memory", warning))
    print_facts(facts)
    _tell_examples(prepared)


def _leak(leak: Leak) -> str:
    if not leak.verbatim and not leak.near:
        return f"{leak.goldset}: none of its {leak.items:,} items stands in the data"
    allowed = ", allowed by --allow-leak" if leak.allowed else ""
    return f"{leak.goldset}: {leak.verbatim} of {leak.items:,} items word for word{allowed}, {leak.near} nearly"


def _memory(prepared: Prepared) -> str | None:
    """That the card is too small, before anything starts."""
    from harness.train.config import SftConfig
    from harness.train.estimate.warning import free_gpu_memory, memory_warning
    from harness.train.tokens import TokenisedSet

    config, data = prepared.config, prepared.material
    packed = isinstance(config, SftConfig) and config.packing
    longest = None
    if isinstance(data, TokenisedSet) and not packed:
        longest = max(sequence.length for sequence in data.sequences)
    return memory_warning(config, prepared.base.model, free_gpu_memory(), longest=longest)


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


def _chosen(selection: Selection) -> list[tuple[str, str]]:
    """Which checkpoint it is, why, and what the test half says of it."""
    return [
        ("chosen" if selection.recommended else "warning", f"step {selection.chosen}: {selection.why}"),
        ("test half", f"{_measured(selection.test)} (asked once; comparison {selection.comparison})"),
    ]


#: What GRPO learns from is the difference within a group.
_ALIKE = (
    "all answers to a question were rewarded alike, at every step, so that nothing was learned: the base never earns "
    "a reward, or always. Look at its answers (harness run), at the system prompt, or add a reward for what is close."
)


def tell_trained(prepared: Prepared, lineage: Lineage, registered: Path, suite: str | None) -> None:
    """What it took, what was chosen, where it stands, and what to do next."""
    from harness.cli.tables import print_facts

    config = prepared.config
    suite = suite or (config.eval.suite if config.eval else "NAME")
    first, last = lineage.losses[0], lineage.losses[-1]
    took = f"{lineage.steps:,} steps in {lineage.seconds:.0f} s"
    gained = (
        f", reward {first.reward:.3f} to {last.reward:.3f}"
        if last.reward is not None and first.reward is not None
        else ""
    )
    alike = last.reward is not None and not any(point.reward_std for point in lineage.losses)
    chosen = _chosen(lineage.selection) if lineage.selection else []
    print_facts(
        [
            ("trained", f"{took}, loss {first.loss:.3f} to {last.loss:.3f}{gained}"),
            *([("warning", _ALIKE)] if alike else []),
            *chosen,
            ("candidate", f"{prepared.target} is {config.name!r} in {registered}"),
            ("next", f"harness compare {config.base} {config.name} --suite {suite}"),
        ]
    )
