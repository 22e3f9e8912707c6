"""What is asked of candidates behind URLs, and under which keys it is stored."""

from __future__ import annotations

from collections.abc import Sequence

from harness.answers.direct import conversation
from harness.answers.likelihood import separator
from harness.candidates.candidate import Candidate, EndpointCandidate
from harness.candidates.fingerprint import Fingerprint
from harness.candidates.prompt import TextFormat
from harness.engines.base import Request
from harness.engines.identity import EngineIdentity
from harness.engines.versions import installed
from harness.errors import InputError
from harness.gold.item import Message
from harness.runs.plan import Asked, CandidatePlan, EndpointGroup, LoadedTask, Options
from harness.runs.planning.sampling import WEIGHED, sampling_of
from harness.scorers.likelihoods import continuations

#: A question that a completion API is told as it stands.
_TOLD = TextFormat("told", "{question}")

#: What stands for the prompt format of whoever writes its prompts elsewhere.
FORMAT = "endpoint"


def check_max_cost(candidates: Sequence[Candidate], max_cost: float | None) -> None:
    """A limit on costs needs somebody who charges.

    Raises:
        InputError: nobody does: the limit would be kept by doing nothing, and be taken for a limit on something else.
    """
    if max_cost is not None and not any(isinstance(candidate, EndpointCandidate) for candidate in candidates):
        names = ", ".join(candidate.name for candidate in candidates)
        raise InputError(
            f"nothing here can be charged: no endpoint is among those asked ({names})",
            where="--max-cost",
            remedy="Leave it out; it limits what openai:MODEL@URL, or an entry with 'endpoint', may cost.",
        )


def endpoint_groups(candidates: Sequence[Candidate]) -> tuple[EndpointGroup, ...]:
    """Candidates by the endpoint that they are asked at.

    Raises:
        InputError: the client is not installed.
    """
    members: dict[str, list[int]] = {}
    for index, candidate in enumerate(candidates):
        if isinstance(candidate, EndpointCandidate):
            members.setdefault(candidate.endpoint.model_dump_json(), []).append(index)
    if members and "openai" not in installed():
        raise InputError(
            "endpoints are asked through the package openai, which is not installed",
            remedy="pip install 'finetune-harness[endpoint]'.",
        )
    groups = []
    for indexes in members.values():
        first = candidates[indexes[0]]
        assert isinstance(first, EndpointCandidate)
        identity = EngineIdentity(engine="openai", model=first.endpoint.digest, tokenizer="", dtype="")
        groups.append(EndpointGroup(identity, first.endpoint, tuple(indexes)))
    return tuple(groups)


def ask_endpoint(
    candidate: EndpointCandidate,
    print_: Fingerprint,
    identity: EngineIdentity,
    tasks: tuple[LoadedTask, ...],
    options: Options,
) -> CandidatePlan:
    """Every question to an endpoint, as a conversation: the server writes its own prompt."""
    asked: list[Asked] = []
    for loaded in tasks:
        sampling = sampling_of(candidate.sampling, loaded.task, options)
        weighs = loaded.task.answer == "loglikelihood"
        if weighs:
            sampling = WEIGHED
        for item in loaded.items:
            turns = conversation(item, loaded.task, system=candidate.system)
            named = continuations(item, *loaded.task.reads) if weighs else ()
            # A chat template stands between question and answer; a text to be continued has nothing there.
            glue = separator(turns[-1].content, _TOLD) if candidate.endpoint.api == "completion" else ""
            texts = tuple(glue + text for text in named)
            for repeat in range(options.repeats):
                drawn = repeat if sampling.temperature > 0 else 0  # greedy repeats are one answer
                key = identity.completion_key(
                    (), sampling, None, repeat=drawn, images=item.image_files, messages=turns, continuations=texts
                )
                request = Request(
                    key,
                    item.id,
                    loaded.task.name,
                    repeat,
                    sampling,
                    messages=turns,
                    images=item.image_files,
                    option_texts=named,
                    continuation_texts=texts,
                )
                asked.append(Asked(loaded.task.name, item, repeat, shown(turns), request))
    note = f"answers come from {candidate.endpoint.label}: nothing proves which weights and which template answer there"
    return CandidatePlan(candidate, print_, tuple(asked), FORMAT, (note,))


def shown(turns: Sequence[Message]) -> str:
    """A conversation for the reader."""
    if len(turns) == 1:
        return turns[0].content
    return "\n\n".join(f"{turn.role}: {turn.content}" for turn in turns)
