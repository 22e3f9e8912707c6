"""What is asked of candidates with weights: prompts rendered and keyed here, grouped by the engine starts they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.answers.direct import conversation
from harness.answers.likelihood import continued
from harness.candidates.candidate import Candidate, ModelCandidate
from harness.candidates.fingerprint import Fingerprint
from harness.candidates.prompt import PromptFormat
from harness.candidates.settings import EngineSettings
from harness.engines.arguments import check_arguments
from harness.engines.base import Adapter, Request, Sampling
from harness.engines.identity import EngineIdentity
from harness.engines.select import choose_engine, choose_server
from harness.engines.served.names import Served, arguments_digest, discover
from harness.engines.served.standing import standing_for
from harness.engines.vllm_start import position_limit, unservable
from harness.errors import InputError
from harness.runs.pictures import Sight, sight_of
from harness.runs.plan import Asked, CandidatePlan, Group, LoadedTask, Options
from harness.runs.planning.sampling import WEIGHED, sampling_of
from harness.scorers.likelihoods import continuations
from harness.suites.spec import Task

#: Window assumed for a model whose config does not state one.
_DEFAULT_WINDOW = 4096


def weight_groups(candidates: Sequence[Candidate], prints: Sequence[Fingerprint], options: Options) -> list[Group]:
    """Candidates by the engine start that serves them: the same base weights and quantisation."""
    members: dict[tuple[str, str | None], list[int]] = {}
    for index, candidate in enumerate(candidates):
        if isinstance(candidate, ModelCandidate):
            members.setdefault((prints[index].model, candidate.quantization), []).append(index)
    models = [c for c in candidates if isinstance(c, ModelCandidate)]
    if not models:
        return []
    # One choice for the whole plan: two engines in one comparison would compare the engines.
    adapters = {candidate.name: candidate.adapter.config for candidate in models if candidate.adapter is not None}
    server = _server(options.settings, list(members), adapters)
    choice = choose_server(server) if server else choose_engine(options.settings, adapters, model=models[0].model)
    check_arguments(options.settings, choice.name, models[0].model)
    groups = []
    for (digest, quantization), indexes in members.items():
        if server and (digest, quantization) != (server.model, server.quantization):
            first = candidates[indexes[0]]
            raise InputError(
                f"the server holds other weights than those of {first.name!r}",
                where=server.url,
                remedy="Ask on engines of this process (leave engine.serve out), or compare what it holds.",
            )
        first = candidates[indexes[0]]
        assert isinstance(first, ModelCandidate)
        identity = EngineIdentity(
            engine=choice.name,
            model=digest,
            tokenizer=first.tokenizer.digest,
            dtype=choice.dtype,
            quantization=quantization,
            args=options.settings.arguments(choice.name),
        )
        groups.append(Group(identity, choice, first.model, tuple(indexes)))
    return groups


def _server(
    settings: EngineSettings, bases: Sequence[tuple[str, str | None]], adapters: Mapping[str, Mapping[str, Any]]
) -> Served | None:
    """The warm server to ask: the one that the settings name; else one of this machine, if it holds just what is asked.

    Args:
        bases: digest and quantisation of every base of the plan.

    Raises:
        InputError: the named server cannot be asked what it holds, or was started with other arguments.
    """
    passed = arguments_digest(settings.arguments("vllm"))
    if settings.serve is not None:
        named = discover(settings.serve)
        if named.arguments != passed:
            raise InputError(
                "the server was started with other arguments than the settings pass to vLLM, so it may give other "
                "answers",
                where=named.url,
                remedy="Start it where this harness.yaml is (harness serve), or take engine.args and engine.vllm out.",
            )
        return named
    if settings.name == "transformers" or len(bases) != 1 or any(map(unservable, adapters.values())):
        return None
    found = standing_for(bases[0][0])
    if found is None or found.quantization != bases[0][1] or settings.dtype not in ("auto", found.dtype):
        return None
    return found if found.arguments == passed else None


def engine_adapter(candidate: ModelCandidate, print_: Fingerprint) -> Adapter | None:
    """The candidate's adapter as an engine takes it."""
    if candidate.adapter is None or print_.adapter is None:
        return None
    return Adapter(candidate.adapter.path, print_.adapter, candidate.adapter.rank)


def window(model: Path) -> int:
    """Longest sequence in tokens that the model's config allows."""
    return position_limit(model) or _DEFAULT_WINDOW


def sampling_for(candidate: ModelCandidate, task: Task, options: Options) -> Sampling:
    """The task's generation settings, with what the candidate overrides, and the ids that end its answers."""
    found = sampling_of(candidate.sampling, task, options)
    return found.model_copy(update={"stop_token_ids": candidate.stop_token_ids})


def ask_weights(
    candidate: ModelCandidate,
    print_: Fingerprint,
    identity: EngineIdentity,
    tasks: tuple[LoadedTask, ...],
    options: Options,
) -> CandidatePlan:
    """Every question to a candidate, as token ids."""
    form = candidate.format(None if options.prompt in (None, "suite") else options.prompt)
    if options.prompt == "suite":
        form = candidate.format("chat")
    adapter = engine_adapter(candidate, print_)
    longest = window(candidate.model)
    sight = sight_of(candidate, form.name, [(loaded.task.name, item) for loaded in tasks for item in loaded.items])
    asked: list[Asked] = []
    for loaded in tasks:
        sampling = sampling_for(candidate, loaded.task, options)
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
