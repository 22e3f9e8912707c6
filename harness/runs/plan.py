"""What will be asked of whom, with every completion's key, before anything is started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.answers.direct import conversation
from harness.answers.likelihood import continued
from harness.candidates.candidate import Candidate, ModelCandidate, ReplayCandidate
from harness.candidates.fingerprint import DigestCache, Fingerprint, fingerprint
from harness.candidates.prompt import PromptFormat
from harness.candidates.settings import EngineSettings
from harness.candidates.tokenizer import read_json
from harness.digest import digest_bytes, digest_json
from harness.engines.base import Adapter, Request, Sampling
from harness.engines.identity import EngineIdentity
from harness.engines.replay import ReplayEngine
from harness.engines.select import EngineChoice, choose_engine
from harness.errors import InputError
from harness.gold.goldset import GoldSet, load_goldset
from harness.gold.item import Item
from harness.gold.parts import Part
from harness.gold.sources import NotHere
from harness.runs.drawing import Undrawn, undrawn
from harness.runs.pictures import Sight, sight_of
from harness.scorers.likelihoods import continuations
from harness.suites.choices import check_choices, floor_of
from harness.suites.spec import Suite, Task

#: Window assumed for a model whose config does not state one.
_DEFAULT_WINDOW = 4096

#: Sampling of a request whose options are weighed: none.
WEIGHED = Sampling(max_tokens=1)


@dataclass(frozen=True)
class LoadedTask:
    """A task with its gold set and the items that will be asked."""

    task: Task
    goldset: GoldSet
    items: tuple[Item, ...]

    @property
    def floor(self) -> float:
        """What a model that knows nothing scores on these items."""
        return floor_of(self.task, self.items)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to one candidate.

    Attributes:
        prompt: the rendered text, kept for the reader.
        error: why it cannot be asked (a prompt longer than the model's window), or "".
    """

    task: str
    item: Item
    repeat: int
    prompt: str
    request: Request
    error: str = ""


@dataclass(frozen=True)
class Group:
    """Candidates that share one engine start: the same base weights, quantisation and settings."""

    identity: EngineIdentity
    choice: EngineChoice
    model: Path
    members: tuple[int, ...]


@dataclass(frozen=True)
class CandidatePlan:
    """All questions to one candidate."""

    candidate: Candidate
    fingerprint: Fingerprint
    asked: tuple[Asked, ...]
    prompt_format: str = ""
    notes: tuple[str, ...] = ()
    recording: ReplayEngine | None = None


@dataclass(frozen=True)
class Plan:
    """Everything that a run needs to know.

    Attributes:
        suite: with the tasks that are asked only.
        candidates: the base first, in the order given.
        groups: engine starts needed at most; `members` index into `candidates`. Replays belong to none.
        left_out: optional tasks that are not asked, in words; among the warnings as well.
        temperature: instead of the tasks' own; None leaves them theirs.
        undrawn: repeats that are one and the same answer, in words; among the warnings as well.
    """

    suite: Suite
    tasks: tuple[LoadedTask, ...]
    candidates: tuple[CandidatePlan, ...]
    groups: tuple[Group, ...]
    settings: EngineSettings
    limit: int | None
    repeats: int
    seed: int
    part: Part | None = None
    warnings: tuple[str, ...] = field(default=())
    left_out: tuple[str, ...] = field(default=())
    temperature: float | None = None
    undrawn: tuple[str, ...] = ()

    def keys(self) -> Iterator[str]:
        """Keys of every completion that an engine with weights must give."""
        for group in self.groups:
            for member in group.members:
                yield from (a.request.key for a in self.candidates[member].asked if not a.error)


@dataclass(frozen=True)
class Options:
    """How a plan is made: the command line's options, resolved."""

    settings: EngineSettings = field(default_factory=EngineSettings)
    limit: int | None = None
    repeats: int = 1
    temperature: float | None = None
    seed: int = 0
    prompt: str | None = None
    goldsets: Mapping[str, str] = field(default_factory=dict)
    part: Part | None = None


def load_tasks(suite: Suite, folder: Path, options: Options) -> tuple[LoadedTask, ...]:
    """Read the gold sets of a suite and draw the items to ask.

    With a part, only the items of that half of every gold set are asked. With a limit, items are drawn by a hash of
    seed and content: the same items for every candidate, on every machine, and a larger limit asks the smaller one's
    items again (from the store). Optional tasks whose gold set is not on this machine are left out.

    Raises:
        InputError: a gold set is missing or broken, does not fit its task, or no task is left.
    """
    if options.limit is not None and options.limit < 1:
        raise InputError("--limit must be at least 1", remedy="Leave it out to ask every item.")
    if options.repeats < 1:
        raise InputError("--repeats must be at least 1")
    loaded = []
    for task in suite.tasks:
        try:
            goldset = load_goldset(task.goldset, folder=folder, overrides=options.goldsets)
        except NotHere:
            if not task.optional:
                raise
            continue
        check_choices(task, goldset)
        items = options.part.of(goldset) if options.part else goldset.items
        loaded.append(LoadedTask(task, goldset, _draw(items, options)))
    if not loaded:
        wanted = " ".join(f"--goldset {name}=PATH" for name in dict.fromkeys(task.goldset for task in suite.tasks))
        raise InputError(
            f"none of the gold sets of suite {suite.name!r} is on this machine", remedy=f"Give a local copy: {wanted}."
        )
    return tuple(loaded)


def _draw(items: Sequence[Item], options: Options) -> tuple[Item, ...]:
    if options.limit is None or options.limit >= len(items):
        return tuple(items)
    order = sorted(items, key=lambda item: digest_bytes(f"{options.seed}:{item.digest}:{item.id}".encode()))
    drawn = {item.id for item in order[: options.limit]}
    return tuple(item for item in items if item.id in drawn)


def make_plan(candidates: Sequence[Candidate], suite: Suite, tasks: tuple[LoadedTask, ...], options: Options) -> Plan:
    """Render every prompt, digest every candidate and key every completion."""
    # A wrong file is found before weights are digested.
    recordings = {i: ReplayEngine(c.path, tasks) for i, c in enumerate(candidates) if isinstance(c, ReplayCandidate)}
    cache = DigestCache()
    prints = [fingerprint(candidate, cache) for candidate in candidates]
    groups = _groups(candidates, prints, options)
    plans: list[CandidatePlan] = []
    for index, (candidate, print_) in enumerate(zip(candidates, prints, strict=True)):
        if isinstance(candidate, ReplayCandidate):
            plans.append(_replayed(candidate, recordings[index], print_, tasks, options))
        else:
            group = next(group for group in groups if index in group.members)
            plans.append(_asked(candidate, print_, group.identity, tasks, options))
    here = {loaded.task.name for loaded in tasks}
    left_out = tuple(
        f"task {task.name!r} was left out: its gold set is not on this machine (--goldset {task.goldset}=PATH adds it)"
        for task in suite.tasks
        if task.name not in here
    )
    same = undrawn(_undrawn(plans, options.repeats), options.repeats)
    warnings = [*left_out, *same, *(warning for loaded in tasks for warning in loaded.goldset.warnings)]
    return Plan(
        suite.only(here),
        tasks,
        tuple(plans),
        tuple(groups),
        options.settings,
        options.limit,
        options.repeats,
        options.seed,
        options.part,
        tuple(dict.fromkeys(warnings)),
        left_out,
        options.temperature,
        same,
    )


def _groups(candidates: Sequence[Candidate], prints: Sequence[Fingerprint], options: Options) -> list[Group]:
    members: dict[tuple[str, str | None], list[int]] = {}
    for index, candidate in enumerate(candidates):
        if isinstance(candidate, ModelCandidate):
            members.setdefault((prints[index].model, candidate.quantization), []).append(index)
    models = [c for c in candidates if isinstance(c, ModelCandidate)]
    if not models:
        return []
    # One choice for the whole plan: two engines in one comparison would compare the engines.
    adapters = {candidate.name: candidate.adapter.config for candidate in models if candidate.adapter is not None}
    choice = choose_engine(options.settings, adapters, model=models[0].model)
    groups = []
    for (digest, quantization), indexes in members.items():
        first = candidates[indexes[0]]
        assert isinstance(first, ModelCandidate)
        identity = EngineIdentity(
            engine=choice.name,
            model=digest,
            tokenizer=first.tokenizer.digest,
            dtype=choice.dtype,
            quantization=quantization,
            args=options.settings.args,
        )
        groups.append(Group(identity, choice, first.model, tuple(indexes)))
    return groups


def engine_adapter(candidate: ModelCandidate, print_: Fingerprint) -> Adapter | None:
    """The candidate's adapter as an engine takes it."""
    if candidate.adapter is None or print_.adapter is None:
        return None
    return Adapter(candidate.adapter.path, print_.adapter, candidate.adapter.rank)


def window(model: Path) -> int:
    """Longest sequence in tokens that the model's config allows."""
    config = read_json(model / "config.json")
    found = config.get("max_position_embeddings") or config.get("text_config", {}).get("max_position_embeddings")
    return int(found) if found else _DEFAULT_WINDOW


def sampling_for(candidate: ModelCandidate, task: Task, seed: int, *, temperature: float | None = None) -> Sampling:
    """The task's generation settings, with what the candidate overrides.

    Args:
        temperature: instead of the task's, for every candidate that does not state its own.
    """
    values = task.generation.model_dump()
    if temperature is not None:
        values["temperature"] = temperature
    values.update(candidate.sampling.model_dump(exclude_none=True))
    # Greedy decoding has no seed: the same question must have the same key whatever the seed of the comparison.
    return Sampling(**values, seed=seed if values["temperature"] > 0 else 0, stop_token_ids=candidate.stop_token_ids)


def _asked(
    candidate: ModelCandidate,
    print_: Fingerprint,
    identity: EngineIdentity,
    tasks: tuple[LoadedTask, ...],
    options: Options,
) -> CandidatePlan:
    form = candidate.format(None if options.prompt in (None, "suite") else options.prompt)
    if options.prompt == "suite":
        form = candidate.format("chat")
    adapter = engine_adapter(candidate, print_)
    longest = window(candidate.model)
    sight = sight_of(candidate, form.name, [(loaded.task.name, item) for loaded in tasks for item in loaded.items])
    asked: list[Asked] = []
    for loaded in tasks:
        sampling = sampling_for(candidate, loaded.task, options.seed, temperature=options.temperature)
        texts = [
            form.render(conversation(item, loaded.task, system=candidate.system), len(item.image_files))
            for item in loaded.items
        ]
        if loaded.task.answer == "loglikelihood":
            asked += _weighed(candidate, adapter, identity, form, sight, loaded, texts, options.repeats)
            continue
        for item, text, ids in zip(
            loaded.items, texts, candidate.tokenizer.encode_batch(texts, special=form.special), strict=True
        ):
            error = sight.fault(ids, item)
            length = 0 if error else sight.length(ids, item)
            room = longest - length
            if room < 1:
                error = f"the prompt has {length} tokens, the model's window is {longest}"
            fitted = (
                sampling if sampling.max_tokens <= room else sampling.model_copy(update={"max_tokens": max(room, 1)})
            )
            for repeat in range(options.repeats):
                # Engines seed each draw by its key, so the repeat in it makes repeats differ, whatever their number.
                # Greedy decoding draws nothing: all repeats are one answer, which is asked once.
                drawn = repeat if fitted.temperature > 0 else 0
                key = identity.completion_key(ids, fitted, adapter, repeat=drawn, images=item.image_files)
                request = Request(
                    key,
                    item.id,
                    loaded.task.name,
                    repeat,
                    fitted,
                    token_ids=ids,
                    adapter=adapter,
                    images=item.image_files,
                )
                asked.append(Asked(loaded.task.name, item, repeat, text, request, error))
    return CandidatePlan(candidate, print_, tuple(asked), form.name, (form.note,) if form.note else ())


def _weighed(
    candidate: ModelCandidate,
    adapter: Adapter | None,
    identity: EngineIdentity,
    form: PromptFormat,
    sight: Sight,
    loaded: LoadedTask,
    texts: Sequence[str],
    repeats: int,
) -> list[Asked]:
    """The items of a task whose options are weighed. Nothing is drawn, so sampling and repeats change no key."""
    (reads,) = loaded.task.reads
    named = [continuations(item, reads) for item in loaded.items]
    longest = window(candidate.model)
    asked = []
    for item, text, options, ids in zip(
        loaded.items, texts, named, continued(texts, named, candidate.tokenizer, form), strict=True
    ):
        error = sight.fault(ids.prompt, item)
        needed = 0 if error else sight.length(ids.prompt, item) + max(len(option) for option in ids.options)
        if not ids.prompt or not all(ids.options):
            error = "the tokenizer leaves nothing of the prompt or of an option: they cannot be told apart"
        elif needed >= longest:  # vLLM answers with one token more
            error = f"the prompt and its longest option have {needed} tokens, the model's window is {longest}"
        key = identity.completion_key(ids.prompt, WEIGHED, adapter, images=item.image_files, options=ids.options)
        for repeat in range(repeats):
            request = Request(
                key,
                item.id,
                loaded.task.name,
                repeat,
                WEIGHED,
                token_ids=ids.prompt,
                adapter=adapter,
                images=item.image_files,
                options=ids.options,
                option_texts=options,
            )
            asked.append(Asked(loaded.task.name, item, repeat, text, request, error))
    return asked


def _replayed(
    candidate: ReplayCandidate,
    recording: ReplayEngine,
    print_: Fingerprint,
    tasks: tuple[LoadedTask, ...],
    options: Options,
) -> CandidatePlan:
    asked = []
    for loaded in tasks:
        for item in loaded.items:
            for repeat in range(options.repeats):
                # Recorded outputs are read each time and never stored, so the key is only a label.
                key = f"{print_.model}:{loaded.task.name}:{item.id}:{repeat}"
                request = Request(key, item.id, loaded.task.name, repeat, Sampling())
                asked.append(Asked(loaded.task.name, item, repeat, "", request))
    notes = recording.notes
    if recording.repeats > options.repeats:
        notes += (f"holds up to {recording.repeats} answers to an item; --repeats {recording.repeats} uses them all",)
    return CandidatePlan(candidate, print_, tuple(asked), "recorded", notes, recording)


def _undrawn(plans: Sequence[CandidatePlan], repeats: int) -> Iterator[Undrawn]:
    """Tasks whose repeats share an answer, by candidate."""
    if repeats == 1:
        return
    for planned in plans:
        if not isinstance(planned.candidate, ModelCandidate):
            continue
        own = planned.candidate.sampling.temperature == 0
        first: dict[str, Request] = {}
        for asked in planned.asked:
            first.setdefault(asked.task, asked.request)
        for task, request in first.items():
            if request.sampling.temperature == 0:
                yield Undrawn(planned.candidate.name, task, weighed=bool(request.options), own=own)


def plan_digest(plan: Plan) -> str:
    """Digest of what is asked: suite, gold sets and options (who answers is not in it)."""
    return digest_json(
        {
            "suite": plan.suite.digest,
            "goldsets": {loaded.task.name: loaded.goldset.digest for loaded in plan.tasks},
            "limit": plan.limit,
            "repeats": plan.repeats,
            "seed": plan.seed,
            **({"temperature": plan.temperature} if plan.temperature is not None else {}),
            **({"part": [plan.part.name, plan.part.dev, plan.part.seed]} if plan.part else {}),
        }
    )
