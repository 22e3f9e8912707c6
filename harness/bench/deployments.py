"""What is put under load: a model behind a URL as it is, or weights that are here, on a warm vLLM server."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from harness.candidates.candidate import Candidate, EndpointCandidate, ModelCandidate, ReplayCandidate
from harness.candidates.endpoint import Endpoint
from harness.candidates.fingerprint import Fingerprint, fingerprint
from harness.candidates.workspace import Workspace
from harness.engines.base import Request
from harness.engines.endpoint.asker import Asker
from harness.engines.endpoint.calls import body
from harness.engines.endpoint.faults import Refused
from harness.engines.gpu import visible_gpus
from harness.engines.served import standing
from harness.engines.served.engine import completion_body, load_adapter
from harness.engines.served.names import Served, adapter_name, discover
from harness.engines.vllm_start import memory_wanted
from harness.errors import InputError
from harness.runs.plan import Plan
from harness.runs.planning.weights import engine_adapter
from harness.runs.serving import serve_candidates

#: Fields of the completion API itself; the rest of a body goes beside them.
_PROTOCOL = frozenset({"model", "prompt", "max_tokens", "temperature", "top_p", "stop", "seed"})


@dataclass(frozen=True)
class Deployment:
    """Something that answers, and how it is asked.

    Attributes:
        endpoint: where; of a warm server its address, under the digest that it knows the weights by.
        gpus: how many answer; None where nobody said.
    """

    name: str
    kind: Literal["endpoint", "warm"]
    endpoint: Endpoint
    gpus: int | None
    version: str = ""

    def arguments(self, request: Request, *, ignore_eos: bool) -> dict[str, Any]:
        """Of `completions.create` or `chat.completions.create`, without those of streaming.

        Raises:
            InputError: pictures, which this deployment does not take.
        """
        if self.kind == "warm":
            if request.images:
                raise InputError("a warm server is asked about texts only", where=self.name)
            given = completion_body(self.endpoint.model, request) | {"prompt": list(request.token_ids)}
            if ignore_eos:
                given |= {"stop_token_ids": [], "stop": []}
            extra = {name: value for name, value in given.items() if name not in _PROTOCOL}
            return {name: value for name, value in given.items() if name in _PROTOCOL} | {"extra_body": extra}
        try:
            given = body(self.endpoint, request)
        except Refused as error:
            raise InputError(str(error), where=self.name) from None
        if ignore_eos:
            given["extra_body"] = given.get("extra_body", {}) | {"ignore_eos": True}
            given.pop("stop", None)
        return given


def check_candidates(candidates: Sequence[Candidate]) -> None:
    """Refuse what cannot be put under load.

    Raises:
        InputError: recorded outputs, or weights of two bases, which one server does not hold.
    """
    for candidate in candidates:
        if isinstance(candidate, ReplayCandidate):
            raise InputError(
                f"{candidate.name!r} is a recording: nothing answers there",
                where="CANDIDATE",
                remedy="Name the server that answered: openai:MODEL@URL.",
            )
    models = _models(candidates)
    for other in models[1:]:
        if (other.model.resolve(), other.quantization) != (models[0].model.resolve(), models[0].quantization):
            raise InputError(
                f"{other.name!r} and {models[0].name!r} have different base weights, and a warm server holds one base",
                where="CANDIDATE",
                remedy="Start a server of one of them yourself and name it openai:MODEL@URL.",
            )


@contextmanager
def warm_server(
    candidates: Sequence[Candidate], workspace: Workspace, wait: Callable[[float], None]
) -> Iterator[Served | None]:
    """A server of the candidates whose weights are here: the one that stands, else one for as long as this lasts.

    Raises:
        InputError: a server of other weights stands.
        HarnessError: vLLM does not start.
    """
    models = _models(candidates)
    if not models:
        yield None
        return
    digest = fingerprint(models[0]).model
    named = workspace.content.engine.serve
    found = discover(named) if named else standing.standing_for(digest)
    if found is not None:
        yield found
        return
    if (other := standing.standing()) is not None:
        raise InputError(
            f"a server of other weights stands at {other.url} ({other.place})",
            where=models[0].name,
            remedy="harness serve --stop stops it.",
        )
    bare = ModelCandidate(models[0].name, models[0].model, quantization=models[0].quantization)
    adapters = [one for one in models if one.adapter is not None]
    try:
        yield serve_candidates([bare, *adapters], workspace, port=_free_port(), wait=wait)
    finally:
        standing.stop()


def find_deployments(candidates: Sequence[Candidate], plan: Plan, served: Served | None) -> list[Deployment]:
    """How each candidate is asked; adapters that the warm server does not hold yet are loaded there.

    Raises:
        InputError: the settings of harness.yaml keep the warm server from being asked; an adapter cannot be served.
    """
    return [
        _endpoint(candidate) if isinstance(candidate, EndpointCandidate) else _warm(candidate, index, plan, served)
        for index, candidate in enumerate(candidates)
    ]


def _endpoint(candidate: EndpointCandidate) -> Deployment:
    return Deployment(candidate.name, "endpoint", candidate.endpoint, candidate.endpoint.gpus)


def _warm(candidate: Candidate, index: int, plan: Plan, served: Served | None) -> Deployment:
    assert isinstance(candidate, ModelCandidate)
    assert served is not None
    group = next(group for group in plan.groups if index in group.members)
    if group.choice.served is None:
        raise InputError(
            f"the warm server at {served.url} was started with other settings than engine: of harness.yaml now says",
            where=candidate.name,
            remedy="harness serve --stop stops it; the bench then starts one as the settings say.",
        )
    print_: Fingerprint = plan.candidates[index].fingerprint
    adapter = engine_adapter(candidate, print_)
    name = served.name if adapter is None else adapter_name(adapter.digest)
    endpoint = Endpoint(url=served.url, model=name, api="completion")
    if adapter is not None:
        asker = Asker(endpoint)
        try:
            load_adapter(asker, adapter)
        finally:
            asker.close()
    gpus = _gpus(plan, here=urlsplit(served.url).hostname == "127.0.0.1")
    return Deployment(candidate.name, "warm", endpoint, gpus, served.version)


def _gpus(plan: Plan, *, here: bool) -> int | None:
    """Of a warm server: as many as vLLM was told to use, where it runs on this machine."""
    if not here:
        return None
    return min(memory_wanted(plan.settings)[1], len(visible_gpus()))


def _models(candidates: Sequence[Candidate]) -> list[ModelCandidate]:
    return [candidate for candidate in candidates if isinstance(candidate, ModelCandidate)]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
