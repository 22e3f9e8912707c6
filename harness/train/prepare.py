"""All that is known before training starts: data read, cleaned, mixed, checked and tokenised; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.candidates.candidate import ModelCandidate
from harness.candidates.fingerprint import DigestCache, fingerprint
from harness.candidates.prompt import PromptFormat, prompt_format
from harness.candidates.reference import resolve
from harness.candidates.vision import Vision, vision_of
from harness.candidates.workspace import Workspace
from harness.digest import digest_json
from harness.errors import InputError
from harness.train.backends.base import Backend, choose_backend
from harness.train.config import GrpoConfig, TrainConfig, VisionConfig
from harness.train.data import SourceData, read_source
from harness.train.leaks import LeakCheck, check_leaks
from harness.train.mixing import Mixture, mix
from harness.train.plan import TrainPlan, make_plan
from harness.train.prompts import PromptSet, render_prompts
from harness.train.rewards import Reward, find_rewards
from harness.train.tokens import TokenisedSet, end_of_answer, tokenise


@dataclass(frozen=True)
class Prepared:
    """One training, ready to start.

    Attributes:
        material: sequences with their answers, or questions that are answered while training.
        rewards: what answers are worth; empty where they are given.
        target: where the candidate will stand; `work` holds its checkpoints until then.
        identity: digest of whatever decides the result; a run is resumed only with the same.
    """

    config: TrainConfig
    base: ModelCandidate
    vision: Vision | None
    form: PromptFormat
    sources: tuple[SourceData, ...]
    mixture: Mixture
    material: TokenisedSet | PromptSet
    rewards: tuple[Reward, ...]
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
    """Read, clean, mix, check and tokenise.

    Args:
        folder: where paths in the config start.
        suite: whose gold sets may not stand in the training data, besides those of `eval:`.
        goldsets: local copies of gold sets, by name.

    Raises:
        InputError: names the key, the file or the row, and what to do.
    """
    backend = choose_backend(config.backend)
    base = _base(config, workspace)
    vision = _sight(config, base)
    rewards = find_rewards(config.rewards, folder) if isinstance(config, GrpoConfig) else ()
    target = workspace.here / config.output / config.name
    _check_entry(config.name, target, workspace)
    sources = tuple(
        read_source(name, source, folder, deduplicate=config.deduplicate, pictures=vision is not None)
        for name, source in config.data.items()
    )
    used = [source for source in sources if not config.mix or config.mix.get(source.name)]
    suites = dict.fromkeys(name for name in (suite, config.eval.suite if config.eval else None) if name is not None)
    leaks = check_leaks(
        [file for source in used for file in source.files],
        suites=tuple(suites),
        goldsets=config.goldsets,
        copies=goldsets or {},
        here=folder,
        allowed=allow_leak,
    )
    limits = {name: source.rows for name, source in config.data.items() if source.rows is not None}
    mixture = mix(used, config.mix, config.seed, limits)
    form = prompt_format(config.prompt, folder=workspace.folder, model=base.model, adapter=None)
    material = _material(config, mixture, base, form, vision)
    parent = fingerprint(base, DigestCache()).digest
    decided = [config.written(), [source.digest for source in sources], parent]
    return Prepared(
        config=config,
        base=base,
        vision=vision,
        form=form,
        sources=sources,
        mixture=mixture,
        material=material,
        rewards=rewards,
        plan=make_plan(config, material),
        leaks=leaks,
        backend=backend,
        target=target,
        work=target.with_name(f"{target.name}.training"),
        identity=digest_json([*decided, [reward.digest for reward in rewards]] if rewards else decided),
        parent_digest=parent,
    )


def _material(
    config: TrainConfig, mixture: Mixture, base: ModelCandidate, form: PromptFormat, vision: Vision | None
) -> TokenisedSet | PromptSet:
    if isinstance(config, GrpoConfig):
        room = config.max_seq_length - config.max_completion_length
        return render_prompts(mixture.examples, form, base.tokenizer, longest=room, system=config.system)
    return tokenise(
        mixture.examples,
        form,
        base.tokenizer,
        end=end_of_answer(base.tokenizer, base.stop_token_ids),
        longest=config.max_seq_length,
        system=config.system,
        vision=vision,
    )


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


def _sight(config: TrainConfig, base: ModelCandidate) -> Vision | None:
    """How the base sees, where it is trained with pictures."""
    if not isinstance(config, VisionConfig):
        return None
    found = vision_of(base.model)
    if found is None:
        raise InputError(
            f"{config.base!r} is no vision model that is understood here",
            where="base",
            remedy="Qwen2-VL and Qwen2.5-VL are; a text model is trained with 'harness train sft'.",
        )
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
