"""Requests under load, and what was seen of each."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.engines.endpoint.faults import Passing, Refused
from harness.engines.endpoint.streaming import Streamed
from harness.errors import HarnessError

#: So many failures in a row beyond those in flight, and a round ends: the deployment is gone, and each further request
#: may cost its whole timeout.
GONE_AFTER = 10


#: Of answers of so many tokens and more it can be said whether they came token by token; no model makes tokens in less
#: time than this many seconds each, and a piece of more tokens than this was waited for.
LONG_ENOUGH, IMPOSSIBLE, IN_A_PIECE = 4, 2e-4, 2


class Asks(Protocol):
    """Sends one request and watches its answer come (`Streamer.ask`)."""

    async def ask(self, given: dict[str, Any]) -> Streamed:
        """The answer, or `Passing`, `Refused`, `HarnessError`."""
        ...


@dataclass(frozen=True, slots=True)
class Measured:
    """One request. Times in seconds.

    Attributes:
        sent: since the round began.
        first: from sending to the first text; None where it came in one piece, had no text, or failed.
        last: from sending to the last token.
        total: from sending to the answer's end, or to the failure.
        tokens: of the answer; 0 where it failed.
        counted: whether the server counted them, or each piece was taken for one.
        pieces: in which the tokens came.
        error: why there is no answer, or "".
    """

    sent: float
    first: float | None
    last: float | None
    total: float
    tokens: int
    counted: bool = True
    pieces: int = 0
    error: str = ""

    @property
    def per_token(self) -> float | None:
        """Seconds from one token to the next, over all after the first; None where fewer than two came apart."""
        if self.first is None or self.last is None or self.tokens < 2:
            return None
        return (self.last - self.first) / (self.tokens - 1)

    @property
    def held_back(self) -> bool | None:
        """Whether tokens came together that were made one after the other; None where that cannot be said."""
        if self.per_token is None or self.tokens < LONG_ENOUGH:
            return None
        return self.per_token < IMPOSSIBLE or self.tokens > IN_A_PIECE * self.pieces


@dataclass(frozen=True)
class Round:
    """One level of one deployment, measured once.

    Attributes:
        seconds: from the first request to the end of the last answer.
        busy: share of that time in which this process computed: near 1 it was the client that was measured.
        unsent: requests that were given up after too many failures in a row.
    """

    requests: tuple[Measured, ...]
    seconds: float
    busy: float
    unsent: int = 0

    @property
    def answered(self) -> tuple[Measured, ...]:
        return tuple(one for one in self.requests if not one.error)

    @property
    def tokens(self) -> int:
        """Of all answers."""
        return sum(one.tokens for one in self.answered)


async def closed_loop(asks: Asks, given: Sequence[dict[str, Any]], *, concurrency: int, timeout: float) -> Round:
    """Send everything, always `concurrency` at once: who is answered sends the next.

    Args:
        timeout: seconds for one answer, to its last byte.
    """
    waiting = deque(given)
    measured: list[Measured] = []
    failed_in_a_row = 0
    began, used = time.perf_counter(), time.process_time()

    async def worker() -> None:
        nonlocal failed_in_a_row
        while waiting and failed_in_a_row < GONE_AFTER + concurrency:
            one = await _one(asks, waiting.popleft(), began, timeout)
            measured.append(one)
            failed_in_a_row = failed_in_a_row + 1 if one.error else 0

    await asyncio.gather(*(worker() for _ in range(min(concurrency, len(given)))))
    seconds = max(time.perf_counter() - began, 1e-9)
    busy = (time.process_time() - used) / seconds
    return Round(tuple(measured), seconds, busy, len(waiting))


async def _one(asks: Asks, given: dict[str, Any], began: float, timeout: float) -> Measured:
    sent = time.perf_counter()
    try:
        # The client's own limit is on the silence between two bytes; a server that drips keeps within it.
        async with asyncio.timeout(timeout):
            found = await asks.ask(given)
    except (Passing, Refused) as error:
        return _failed(sent, began, str(error))
    except HarnessError as error:
        return _failed(sent, began, error.what)
    except TimeoutError:
        return _failed(sent, began, f"no answer within {timeout:g} s")
    times = (sent - began, found.first, found.last, found.total)
    return Measured(*times, found.tokens, found.counted, found.pieces)


def _failed(sent: float, began: float, why: str) -> Measured:
    return Measured(sent - began, None, None, time.perf_counter() - sent, 0, error=why)
