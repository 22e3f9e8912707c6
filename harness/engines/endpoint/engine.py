"""The engine of an endpoint: an `Engine` like any other, whose answers come over the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness.candidates.endpoint import Endpoint
from harness.engines.base import Completion, Continuation, Request, Sampling
from harness.engines.endpoint.asker import Asker, Done, Job
from harness.engines.endpoint.calls import Answered, Tokens, answered, body, longest, refuses_schema
from harness.engines.endpoint.faults import Refused
from harness.engines.endpoint.likelihood import Weighed, options_of, weighed, weighing_body
from harness.engines.endpoint.limits import Budget
from harness.errors import HarnessError, InputError, did_you_mean
from harness.gold.item import Message
from harness.scorers.likelihoods import NOT_FINITE, weighed_text

if TYPE_CHECKING:
    from openai import AsyncOpenAI


class EndpointEngine:
    """Asks an endpoint.

    Args:
        version: recorded beside each completion.
        budget: what the run may cost, shared by all its endpoints.
        weighs: a task whose options will be weighed; whether the server can is found out before anything is asked.

    Raises:
        InputError: the server cannot be reached, refuses the key, does not have the model, or gives no likelihoods.
    """

    name = "openai"

    def __init__(
        self, endpoint: Endpoint, version: str, budget: Budget | None = None, *, weighs: str | None = None
    ) -> None:
        self.endpoint = endpoint
        self.version = version
        self._holds = True  # answers to a JSON schema, until the server says otherwise
        self._asker = Asker(endpoint, budget)
        try:
            if endpoint.verify:
                self._verify()
            if weighs is not None:
                self._must_weigh(weighs)
        except BaseException:
            self.close()
            raise

    def generate(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        """See `Engine.generate`, and `Asker.all` for what ends it.

        The order is a shuffle, so that long and short answers come mixed and the latency tells of the server. Requests
        with `option_texts` are weighed: their answer is the JSON of `OptionLikelihoods`.
        """
        ordered = sorted(requests, key=lambda request: request.key)
        for finished in self._asker.all([self._job(request) for request in ordered if not request.option_texts]):
            yield [_completion(done) for done in finished]
        yield from self._weigh([request for request in ordered if request.option_texts])

    def logprobs(self, continuations: Sequence[Continuation]) -> list[list[float]]:
        """Not possible: nobody here knows the token ids of the server's model.

        Raises:
            HarnessError: always.
        """
        raise HarnessError("an endpoint gives no likelihoods of given token ids", where=self.endpoint.url)

    def close(self) -> None:
        """Close connections; a second call does nothing."""
        self._asker.close()

    def _verify(self) -> None:
        """The model is there, as far as the server says what it has."""
        import openai

        async def listed(client: AsyncOpenAI) -> list[str]:
            return [model.id async for model in client.models.list()]

        try:
            served = self._asker.once(listed)
        except openai.APIStatusError:
            return  # not every application lists models
        if served and self.endpoint.model not in served:
            raise InputError(
                f"the server has no model {self.endpoint.model!r}",
                where=self.endpoint.url,
                remedy=f"{did_you_mean(self.endpoint.model, served)} It serves: {', '.join(sorted(served)[:20])}.",
            )

    def _must_weigh(self, task: str) -> None:
        """Ask for the likelihoods of a sum.

        Raises:
            InputError: the server does not give them.
        """
        turns = (Message(role="user", content="1 + 1 ="),)
        probe = Request("", "", task, 0, Sampling(max_tokens=1), messages=turns)
        try:
            (done,) = (one for finished in self._asker.all([self._weighing("", probe, "2")]) for one in finished)
            why = done.error
        except InputError as error:
            if "HTTP 404" not in error.what:
                raise
            why = error.what
        if why:
            other = "chat" if self.endpoint.api == "completion" else "completion"
            raise InputError(
                f"task {task!r} weighs options, and the server gives no likelihoods of given texts ({why})",
                where=self.endpoint.url,
                remedy=f"Leave the task out, let it answer with a letter (answer: generate), or try 'api: {other}'. "
                "vLLM's server gives them with both.",
            )

    def _weigh(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        """Each question alone and with each of its options; an answer is whole when all of these are there."""
        by_key = {request.key: request for request in requests}
        jobs = [
            self._weighing(f"{request.key} {number}", request, text)
            for request in requests
            for number, text in enumerate((None, *request.continuation_texts))
        ]
        parts: dict[str, dict[int, Done[Weighed]]] = {}
        for finished in self._asker.all(jobs):
            whole = []
            for done in finished:
                key, _, number = done.key.rpartition(" ")
                found = parts.setdefault(key, {})
                found[int(number)] = done
                if len(found) == 1 + len(by_key[key].continuation_texts):
                    whole.append(_likelihoods(by_key[key], [found[n] for n in sorted(parts.pop(key))]))
            if whole:
                yield whole

    def _weighing(self, key: str, request: Request, continuation: str | None) -> Job[Weighed]:
        most = Tokens(longest(request).prompt + len(continuation or ""), 1)

        async def send(client: AsyncOpenAI) -> Weighed:
            given = weighing_body(self.endpoint, request, continuation)
            api = client.completions if self.endpoint.api == "completion" else client.chat.completions
            raw = await api.with_raw_response.create(**given)
            return weighed(self.endpoint, raw.text, given.get("prompt", ""))

        return Job(key, send, most, lambda found: Tokens(len(found.tokens), 1))

    def _job(self, request: Request) -> Job[Answered]:
        import openai

        most = longest(request)

        async def send(client: AsyncOpenAI) -> Answered:
            api = client.completions if self.endpoint.api == "completion" else client.chat.completions
            held = self._holds and bool(request.sampling.json_schema)
            try:
                raw = await api.with_raw_response.create(**body(self.endpoint, request, held=held))
            except openai.APIStatusError as error:
                if not (held and refuses_schema(error)):
                    raise
                self._holds = False  # nobody asks it for that again
                raw = await api.with_raw_response.create(**body(self.endpoint, request, held=False))
            return answered(self.endpoint, raw.text)

        def took(found: Answered) -> Tokens:
            prompt = most.prompt if found.prompt_tokens is None else found.prompt_tokens
            return Tokens(prompt, most.answer if found.completion_tokens is None else found.completion_tokens)

        return Job(request.key, send, most, took)


def _completion(done: Done[Answered]) -> Completion:
    found = done.result
    if found is None:
        return Completion(done.key, "", "error", 0, 0, done.latency, done.error)
    prompt, answer = found.prompt_tokens or 0, found.completion_tokens or 0
    return Completion(done.key, found.text, found.finish_reason, prompt, answer, done.latency)


def _likelihoods(request: Request, parts: Sequence[Done[Weighed]]) -> Completion:
    """The answer of a question whose options were weighed: the question alone first, then with each option."""
    latency = max(done.latency for done in parts)
    results = [done.result for done in parts if done.result is not None]
    why = next((done.error for done in parts if done.error), "")
    values: list[list[float]] = []
    if not why:
        try:
            values = options_of(results[0], results[1:])
        except Refused as error:
            why = str(error)
    text = weighed_text(request.option_texts, values) if not why else None
    if text is None:
        return Completion(request.key, "", "error", 0, 0, latency, why or NOT_FINITE)
    return Completion(request.key, text, "stop", len(results[0].tokens), sum(map(len, values)), latency)
