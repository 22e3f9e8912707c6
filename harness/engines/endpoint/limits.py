"""What an account allows: requests and tokens a minute, and what a run may cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from harness.errors import IncompleteError


class PerMinute:
    """A bucket that fills evenly and may go into debt: the mean stays below the limit whatever one request takes.

    Args:
        limit: units a minute; None is no limit.
    """

    def __init__(
        self,
        limit: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._rate = None if limit is None else limit / 60.0
        self._clock, self._sleep = clock, sleep
        self._level = self._capacity = 0.0 if self._rate is None else max(1.0, self._rate)
        self._filled = clock()
        self._turn = asyncio.Lock()

    async def take(self, units: float) -> None:
        """Wait until so many may be used."""
        if self._rate is None:
            return
        async with self._turn:  # in the order of asking
            self._fill()
            if self._level <= 0:
                await self._sleep(-self._level / self._rate)
                self._fill()
            self._level -= units

    def correct(self, units: float) -> None:
        """What was taken turned out to be so much more (or less, when negative)."""
        self._level -= units

    def _fill(self) -> None:
        assert self._rate is not None
        now = self._clock()
        self._level = min(self._capacity, self._level + (now - self._filled) * self._rate)
        self._filled = now


class Budget:
    """What a run may cost, over all endpoints: a request goes out only when even its longest answer fits.

    Args:
        most: in the currency of the prices; None is no limit.
    """

    def __init__(self, most: float | None = None) -> None:
        self.most = most
        self.spent = 0.0
        self.answers = 0
        self._reserved = 0.0
        self._changed = asyncio.Event()

    async def reserve(self, cost: float) -> None:
        """Set aside what a request costs at most; waits for others that may turn out cheaper.

        Raises:
            IncompleteError: it does not fit, and nothing is in flight that could make room.
        """
        while self.most is not None and self.spent + self._reserved + cost > self.most:
            if not self._reserved:
                raise IncompleteError(
                    f"the limit of {self.most:g} is reached: {self.spent:.4g} was spent on {self.answers:,} answers, "
                    f"and the next may cost {cost:.4g}",
                    where="--max-cost",
                    remedy="What was answered is kept. With a higher limit only what is missing is asked.",
                )
            self._changed.clear()
            await self._changed.wait()
        self._reserved += cost

    def settle(self, reserved: float, cost: float | None) -> None:
        """A request is over: what it did cost, None where it was never answered."""
        self._reserved = max(0.0, self._reserved - reserved)
        if self._reserved < 1e-12:
            self._reserved = 0.0
        if cost is not None:
            self.spent += cost
            self.answers += 1
        self._changed.set()
