"""The engine of an endpoint: an `Engine` like any other, whose answers come over the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness.candidates.endpoint import Endpoint
from harness.engines.base import Completion, Continuation, Request
from harness.engines.endpoint.asker import Asker, Done, Job
from harness.engines.endpoint.calls import Answered, Tokens, answered, body, longest
from harness.engines.endpoint.limits import Budget
from harness.errors import HarnessError, InputError, did_you_mean

if TYPE_CHECKING:
    from openai import AsyncOpenAI


class EndpointEngine:
    """Asks an endpoint.

    Args:
        version: recorded beside each completion.
        budget: what the run may cost, shared by all its endpoints.

    Raises:
        InputError: the server cannot be reached, refuses the key, or does not have the model.
    """

    name = "openai"

    def __init__(self, endpoint: Endpoint, version: str, budget: Budget | None = None) -> None:
        self.endpoint = endpoint
        self.version = version
        self._asker = Asker(endpoint, budget)
        try:
            if endpoint.verify:
                self._verify()
        except BaseException:
            self.close()
            raise

    def generate(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        """See `Engine.generate`, and `Asker.all` for what ends it.

        The order is a shuffle, so that long and short answers come mixed and the latency tells of the server.
        """
        jobs = [self._job(request) for request in sorted(requests, key=lambda request: request.key)]
        for finished in self._asker.all(jobs):
            yield [_completion(done) for done in finished]

    def logprobs(self, continuations: Sequence[Continuation]) -> list[list[float]]:
        """Not possible: the protocol gives no likelihood of a given text.

        Raises:
            HarnessError: always.
        """
        raise HarnessError("an endpoint gives no likelihoods of given texts", where=self.endpoint.url)

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

    def _job(self, request: Request) -> Job[Answered]:
        most = longest(request)

        async def send(client: AsyncOpenAI) -> Answered:
            given = body(self.endpoint, request)
            api = client.completions if self.endpoint.api == "completion" else client.chat.completions
            raw = await api.with_raw_response.create(**given)
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
