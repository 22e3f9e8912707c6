"""What is asked of candidates behind URLs, and under which keys it is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.answers.direct import conversation
from harness.candidates.candidate import Candidate, EndpointCandidate
from harness.candidates.fingerprint import Fingerprint
from harness.digest import digest_json
from harness.engines.base import Request
from harness.engines.identity import EngineIdentity
from harness.engines.versions import installed
from harness.errors import InputError
from harness.gold.item import Message
from harness.runs.plan import (
    Asked,
    CandidatePlan,
    EndpointGroup,
    LoadedTask,
    Options,
    Plan,
    plan_digest,
    sampling_of,
)
from harness.runs.samples import Sample
from harness.runs.store import CompletionStore

#: What stands for the prompt format of whoever writes its prompts elsewhere.
FORMAT = "endpoint"


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
    """Every question to an endpoint, as a conversation: the server writes its own prompt.

    Raises:
        InputError: a task weighs options, for which nobody but an engine with weights has the likelihoods.
    """
    asked: list[Asked] = []
    for loaded in tasks:
        if loaded.task.answer == "loglikelihood":
            raise InputError(
                f"task {loaded.task.name!r} compares the likelihoods of options, which an endpoint does not give",
                where=candidate.name,
                remedy="Leave the task out, or let it answer with a letter (answer: generate).",
            )
        for item in loaded.items:
            turns = conversation(item, loaded.task, system=candidate.system)
            for repeat in range(options.repeats):
                sampling = sampling_of(candidate.sampling, loaded.task, options.seed)
                key = identity.completion_key(
                    (), sampling, None, repeat=repeat, images=item.image_files, messages=turns
                )
                request = Request(
                    key, item.id, loaded.task.name, repeat, sampling, messages=turns, images=item.image_files
                )
                asked.append(Asked(loaded.task.name, item, repeat, shown(turns), request))
    note = f"answers come from {candidate.endpoint.label}: nothing proves which weights and which template answer there"
    return CandidatePlan(candidate, print_, tuple(asked), FORMAT, (note,))


def shown(turns: Sequence[Message]) -> str:
    """A conversation for the reader."""
    if len(turns) == 1:
        return turns[0].content
    return "\n\n".join(f"{turn.role}: {turn.content}" for turn in turns)


class Session:
    """What stands in for a version of the servers of a plan: the one sitting in which they were asked.

    Nobody can say whether a server still has the weights that it had yesterday. So answers of a session are used to
    resume that session and for nothing else, by the same rule that keeps two versions of vLLM apart. All endpoints of
    a comparison share one: when the candidate's server breaks off, the base is not asked again.
    """

    def __init__(self, plan: Plan, store: CompletionStore, *, fresh: bool) -> None:
        keys = sorted(
            asked.request.key
            for group in plan.endpoints
            for member in group.members
            for asked in plan.candidates[member].asked
        )
        self._plan, self._store = plan, store
        self._asked = digest_json([plan_digest(plan), [group.endpoint.digest for group in plan.endpoints], keys])
        self._name = store.session(self._asked, fresh=fresh) if plan.endpoints else ""

    def version(self, group: EndpointGroup) -> str:
        """What is recorded beside each completion of an endpoint."""
        return f"{installed()['openai']} (openai, {group.endpoint.label}, session {self._name})"

    def answered(self, samples: Mapping[int, Sequence[Sample]]) -> None:
        """Everything was asked: the session is over, unless so much failed that it will be run again.

        Args:
            samples: by index of candidate.
        """
        far = [sample for group in self._plan.endpoints for member in group.members for sample in samples[member]]
        allowed = {loaded.task.name: loaded.task.max_error_rate for loaded in self._plan.tasks}
        counts = Counter(sample.task for sample in far)
        failed = Counter(sample.task for sample in far if sample.error)
        if far and all(failed[task] <= allowed[task] * counts[task] for task in failed):
            self._store.end_session(self._asked)


def again(request: Request, identity: EngineIdentity) -> Request:
    """The same question a second time."""
    key = identity.completion_key(
        (), request.sampling, None, variant="again", images=request.images, messages=request.messages
    )
    return replace(request, key=key)
