"""Asking a server many things at once: one client, one event loop on a thread, and all that can go wrong on the way."""

from __future__ import annotations

import asyncio
import queue
import random
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from harness.candidates.endpoint import Endpoint
from harness.engines.endpoint.calls import Tokens, credentials
from harness.engines.endpoint.client import open_client
from harness.engines.endpoint.faults import Passing, Refused, classify, unreachable
from harness.engines.endpoint.limits import Budget, PerMinute
from harness.engines.endpoint.pace import Gate, Pace
from harness.errors import HarnessError, IncompleteError, InputError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

R = TypeVar("R")

#: So many questions in a row that failed after all their attempts, and the run ends: the server is gone.
GONE_AFTER = 10

_END = object()


@dataclass(frozen=True)
class Job(Generic[R]):
    """One thing to ask.

    Attributes:
        key: comes back with the result.
        send: one attempt; may raise whatever the client raises, `Passing` or `Refused`.
        most: what it may take.
        took: what it did take.
    """

    key: str
    send: Callable[[AsyncOpenAI], Awaitable[R]]
    most: Tokens
    took: Callable[[R], Tokens]


@dataclass(frozen=True)
class Done(Generic[R]):
    """What came of a job: a result, or why there is none. `latency` in seconds, waits between attempts included."""

    key: str
    result: R | None
    latency: float
    error: str = ""


class Asker:
    """Asks one server.

    Args:
        budget: what the run may cost, shared by all its endpoints.

    Raises:
        InputError: a limit on costs without prices, or a header whose variable is not set.
    """

    def __init__(self, endpoint: Endpoint, budget: Budget | None = None) -> None:
        self.endpoint = endpoint
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
        self.run(self._open())

    async def _open(self) -> None:
        endpoint = self.endpoint
        self.client = open_client(endpoint, self._credentials)
        self._gate = Gate(Pace(endpoint.max_concurrency))
        self._requests = PerMinute(endpoint.requests_per_minute)
        self._tokens = PerMinute(endpoint.tokens_per_minute)

    def run(self, coroutine: Any) -> Any:
        """What a coroutine gives, run on the client's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def once(self, send: Callable[[AsyncOpenAI], Awaitable[R]]) -> R:
        """Ask for something that has to be there before anything else is asked; a server just coming up is asked again.

        Raises:
            InputError: the server cannot be reached, or refuses the key.
            openai.APIStatusError: it answers something else than 200 that neither passes nor concerns the key.
        """
        return self.run(self._once(send))  # type: ignore[no-any-return]

    async def _once(self, send: Callable[[AsyncOpenAI], Awaitable[R]]) -> R:
        import openai

        for attempt in range(3):
            try:
                async with asyncio.timeout(min(30.0, self.endpoint.timeout)):
                    return await send(self.client)
            except Exception as error:
                found = self._classified(error)
                if isinstance(error, openai.APIStatusError) and error.status_code in (400, 404, 405, 422, 501):
                    raise
                if not isinstance(found, Passing):
                    raise found from None
                if attempt == 2:
                    raise unreachable(found, self.endpoint) from None
                await asyncio.sleep(found.wait(attempt, self._draw))
        raise AssertionError("unreachable")

    def all(self, jobs: Sequence[Job[R]]) -> Iterator[list[Done[R]]]:
        """What comes of the jobs, as it comes; every job exactly once. Closing the iterator abandons the rest.

        Raises:
            IncompleteError: the server is gone, or the budget is spent.
            InputError: it refuses the key, or asks for a pause that nobody waits for.
        """
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        work = asyncio.run_coroutine_threadsafe(self._all(jobs, done.put), self._loop)
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

    def close(self) -> None:
        """Close connections and the loop; a second call does nothing."""
        if self._loop.is_closed():
            return
        self.run(self.client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    async def _all(self, jobs: Sequence[Job[R]], give: Callable[[Any], None]) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                for job in jobs:
                    await self._gate.enter()
                    tasks.create_task(self._one(job, give))
        except BaseExceptionGroup as group:
            raise _first(group) from None
        finally:
            give(_END)

    async def _one(self, job: Job[R], give: Callable[[Any], None]) -> None:
        try:
            give(await self._done(job))
        finally:
            await self._gate.leave()

    async def _done(self, job: Job[R]) -> Done[R]:
        began = time.perf_counter()
        try:
            found = await self._attempts(job)
        except Refused as error:
            return Done(job.key, None, time.perf_counter() - began, str(error))
        except Passing as error:
            self._failed_in_a_row += 1
            why = f"{error.why} ({self.endpoint.retries + 1} attempts)"
            if self._failed_in_a_row >= GONE_AFTER:
                raise IncompleteError(
                    f"the server has stopped answering: {why}",
                    where=self.endpoint.url,
                    remedy="What was answered is kept. Run it again when the server is back.",
                ) from None
            return Done(job.key, None, time.perf_counter() - began, why)
        self._failed_in_a_row = 0
        return Done(job.key, found, time.perf_counter() - began)

    async def _attempts(self, job: Job[R]) -> R:
        for attempt in range(self.endpoint.retries + 1):
            try:
                return await self._attempt(job)
            except Passing as error:
                if attempt == self.endpoint.retries:
                    raise
                await asyncio.sleep(error.wait(attempt, self._draw))
        raise AssertionError("unreachable")

    async def _attempt(self, job: Job[R]) -> R:
        prices = self.endpoint.prices
        reserved = prices.cost(job.most.prompt, job.most.answer) if prices else 0.0
        await self._budget.reserve(reserved)
        cost: float | None = None
        try:
            await self._requests.take(1.0)
            await self._tokens.take(job.most.total)
            sent = await self._gate.open()
            try:
                # The client's own limit is on the silence between two bytes; a server that drips keeps within it.
                async with asyncio.timeout(self.endpoint.timeout):
                    found = await job.send(self.client)
            except Exception as error:
                raise self._troubled(error, sent) from None
            self._gate.went_well(sent)
            used = job.took(found)
            self._tokens.correct(used.total - job.most.total)
            cost = prices.cost(used.prompt, used.answer) if prices else 0.0
            return found
        finally:
            self._budget.settle(reserved, cost)

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
