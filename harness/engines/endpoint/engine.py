"""The engine of an endpoint: an `Engine` like any other, whose answers come over the network.

The requests run in an event loop on a thread of its own; what finishes is handed over at once, so that it is stored
before the next is awaited.
"""

from __future__ import annotations

import asyncio
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.candidates.endpoint import Endpoint
from harness.engines.base import Completion, Continuation, Request
from harness.engines.endpoint.calls import Answered, answered, body, credentials, longest
from harness.engines.endpoint.faults import Passing, Refused, classify, unreachable
from harness.engines.endpoint.limits import Budget, PerMinute
from harness.engines.endpoint.pace import Gate, Pace
from harness.errors import HarnessError, IncompleteError, InputError, did_you_mean

if TYPE_CHECKING:
    from openai import AsyncOpenAI

#: So many questions in a row that failed after all their attempts, and the run ends: the server is gone.
GONE_AFTER = 10

_END = object()


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
        self._budget = budget or Budget()
        if self._budget.most is not None and endpoint.prices is None:
            raise InputError(
                f"--max-cost needs to know what {endpoint.label} costs",
                where="endpoint.prices",
                remedy="Give prices: {input: …, output: …} per million tokens in harness.yaml.",
            )
        self._credentials = credentials(endpoint)
        self._secrets = self._credentials.secrets
        self._draw = random.Random(0)
        self._failed_in_a_row = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="endpoint", daemon=True)
        self._thread.start()
        try:
            self._run(self._open())
        except BaseException:
            self.close()
            raise

    def generate(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        """See `Engine.generate`. The order is a shuffle, so that long and short answers come mixed and the latency
        tells of the server.

        Raises:
            IncompleteError: the server is gone, or the budget is spent.
            InputError: it refuses the key, or asks for a pause that nobody waits for.
        """
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        shuffled = sorted(requests, key=lambda request: request.key)
        work = asyncio.run_coroutine_threadsafe(self._all(shuffled, done), self._loop)
        try:
            while (first := done.get()) is not _END:
                finished, ended = [first], False
                while not done.empty():
                    if (more := done.get()) is _END:
                        ended = True
                        break
                    finished.append(more)
                yield finished
                if ended:
                    break
            work.result()
        finally:
            work.cancel()

    def logprobs(self, continuations: Sequence[Continuation]) -> list[list[float]]:
        """Not possible: the protocol gives no likelihood of a given text.

        Raises:
            HarnessError: always.
        """
        raise HarnessError("an endpoint gives no likelihoods of given texts", where=self.endpoint.url)

    def close(self) -> None:
        """Close connections and the loop; a second call does nothing."""
        if self._loop.is_closed():
            return
        client = getattr(self, "_client", None)
        if client is not None:
            self._run(client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _open(self) -> None:
        import openai

        endpoint = self.endpoint
        host = urlsplit(endpoint.url).hostname or ""
        self._client: AsyncOpenAI = openai.AsyncOpenAI(
            base_url=endpoint.url,
            api_key=self._credentials.key or "none",
            default_headers=self._credentials.headers,
            max_retries=0,  # retried here, where the pace is known
            timeout=openai.Timeout(endpoint.timeout, connect=min(10.0, endpoint.timeout)),
            # A proxy of the environment does not reach this machine's own servers.
            http_client=openai.DefaultAsyncHttpxClient(trust_env=host not in ("127.0.0.1", "localhost", "::1")),
        )
        self._gate = Gate(Pace(endpoint.max_concurrency))
        self._requests = PerMinute(endpoint.requests_per_minute)
        self._tokens = PerMinute(endpoint.tokens_per_minute)
        if endpoint.verify:
            await self._verify()

    async def _verify(self) -> None:
        """The model is there, as far as the server says what it has."""
        import openai

        try:
            served = [model.id async for model in await self._listed()]
        except (openai.NotFoundError, openai.UnprocessableEntityError, openai.BadRequestError):
            return  # not every application lists models
        except openai.APIStatusError as error:
            if error.status_code in (405, 501):
                return
            found = self._classified(error)
            raise (unreachable(found, self.endpoint) if isinstance(found, Passing) else found) from None
        except Exception as error:
            found = self._classified(error)
            raise (unreachable(found, self.endpoint) if isinstance(found, Passing) else found) from None
        if served and self.endpoint.model not in served:
            raise InputError(
                f"the server has no model {self.endpoint.model!r}",
                where=self.endpoint.url,
                remedy=f"{did_you_mean(self.endpoint.model, served)} It serves: {', '.join(sorted(served)[:20])}.",
            )

    async def _listed(self) -> Any:
        """Its models; a server that is just coming up is asked again."""
        for attempt in range(3):
            try:
                async with asyncio.timeout(min(30.0, self.endpoint.timeout)):
                    return await self._client.models.list()
            except Exception as error:
                found = self._classified(error)
                if not isinstance(found, Passing) or attempt == 2:
                    raise
                await asyncio.sleep(found.wait(attempt, self._draw))
        raise AssertionError("unreachable")

    async def _all(self, requests: Sequence[Request], done: queue.SimpleQueue[Any]) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                for request in requests:
                    await self._gate.enter()
                    tasks.create_task(self._one(request, done.put))
        except BaseExceptionGroup as group:
            raise _first(group) from None
        finally:
            done.put(_END)

    async def _one(self, request: Request, give: Callable[[Completion], None]) -> None:
        try:
            give(await self._completion(request))
        finally:
            await self._gate.leave()

    async def _completion(self, request: Request) -> Completion:
        began = time.perf_counter()
        try:
            found = await self._attempts(request)
        except Refused as error:
            return Completion(request.key, "", "error", 0, 0, time.perf_counter() - began, str(error))
        except Passing as error:
            self._failed_in_a_row += 1
            why = f"{error.why} ({self.endpoint.retries + 1} attempts)"
            if self._failed_in_a_row >= GONE_AFTER:
                raise IncompleteError(
                    f"the server has stopped answering: {why}",
                    where=self.endpoint.url,
                    remedy="What was answered is kept. Run it again when the server is back.",
                ) from None
            return Completion(request.key, "", "error", 0, 0, time.perf_counter() - began, why)
        self._failed_in_a_row = 0
        took = time.perf_counter() - began
        return Completion(
            request.key, found.text, found.finish_reason, found.prompt_tokens or 0, found.completion_tokens or 0, took
        )

    async def _attempts(self, request: Request) -> Answered:
        for attempt in range(self.endpoint.retries + 1):
            try:
                return await self._attempt(request)
            except Passing as error:
                if attempt == self.endpoint.retries:
                    raise
                await asyncio.sleep(error.wait(attempt, self._draw))
        raise AssertionError("unreachable")

    async def _attempt(self, request: Request) -> Answered:
        prompt, answer = longest(self.endpoint, request)
        prices = self.endpoint.prices
        reserved = prices.cost(prompt, answer) if prices else 0.0
        await self._budget.reserve(reserved)
        cost: float | None = None
        try:
            await self._requests.take(1.0)
            await self._tokens.take(float(prompt + answer))
            async with self._gate.sending() as sent:
                try:
                    found = await self._sent(request)
                except Exception as error:
                    raise self._troubled(error, sent) from None
            self._gate.went_well(sent)
            used = (
                prompt if found.prompt_tokens is None else found.prompt_tokens,
                answer if found.completion_tokens is None else found.completion_tokens,
            )
            self._tokens.correct(float(sum(used) - prompt - answer))
            cost = prices.cost(*used) if prices else 0.0
            return found
        finally:
            self._budget.settle(reserved, cost)

    async def _sent(self, request: Request) -> Answered:
        given = body(self.endpoint, request)
        api = self._client.completions if self.endpoint.api == "completion" else self._client.chat.completions
        # The client's own limit is on the silence between two bytes; a server that drips keeps within it for ever.
        async with asyncio.timeout(self.endpoint.timeout):
            raw = await api.with_raw_response.create(**given)
        return answered(self.endpoint, raw.text)

    def _troubled(self, error: Exception, sent: float) -> Exception:
        found = self._classified(error)
        if isinstance(found, Passing) and found.overloaded:
            self._gate.pushed_back(sent, found.retry_after or 0.0)
        return found

    def _classified(self, error: Exception) -> Exception:
        return classify(error, self.endpoint, self._secrets, has_key=self._credentials.key is not None)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What ended the others: an error of ours before anything else."""
    leaves = list(_leaves(group))
    return next((error for error in leaves if isinstance(error, HarnessError)), leaves[0])


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
