"""How many requests may be in flight: few at first, more while the server keeps pace, half as many when it pushes back.

Additive increase and multiplicative decrease with a slow start, as in TCP's congestion control (Jacobson 1988), with
the latency watched as well: a server that queues what it cannot do answers late long before it refuses.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable

#: In flight at first.
START = 8
#: Latency, as a multiple of the best seen, from which on the number grows no further.
SLOW = 2.0


class Pace:
    """The number itself; no waiting in here.

    Args:
        most: never more than this.
    """

    def __init__(self, most: int, start: int = START) -> None:
        self.most = most
        self._limit = float(min(start, most))
        self._pushed_back = False
        self._latencies: list[float] = []
        self._window = self.limit
        self._best: float | None = None
        self._holding = False

    @property
    def limit(self) -> int:
        """Requests that may be in flight now."""
        return int(self._limit)

    def went_well(self, latency: float) -> None:
        """An answer came after `latency` seconds.

        Medians of as many answers as are in flight are compared, so that one long answer is no slow server.
        """
        self._latencies.append(latency)
        if len(self._latencies) >= self._window:
            median = statistics.median(self._latencies)
            self._look_afresh()
            self._best = median if self._best is None else min(self._best, median)
            self._holding = median > SLOW * self._best
        if not self._holding:
            # Until the first push-back each answer makes room for one more, which doubles the number every round.
            self._limit = min(self.most, self._limit + (1.0 / self._limit if self._pushed_back else 1.0))

    def pushed_back(self) -> None:
        """The server refused for want of capacity."""
        self._pushed_back = True
        self._limit = max(1.0, self._limit / 2)
        self._look_afresh()

    def _look_afresh(self) -> None:
        """The next median is over as many answers as are in flight now, however many more are let in meanwhile."""
        self._latencies.clear()
        self._window = self.limit


class Gate:
    """Lets requests through as `Pace` says; belongs to one event loop."""

    def __init__(self, pace: Pace, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace = pace
        self._clock = clock
        self._inside = 0
        self._changed = asyncio.Condition()
        self._closed_until = 0.0
        self._cut = 0.0

    async def enter(self) -> None:
        """Wait for room."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._inside < self._pace.limit)
            self._inside += 1

    async def leave(self) -> None:
        """Make room."""
        async with self._changed:
            self._inside -= 1
            self._changed.notify_all()

    async def open(self) -> float:
        """Wait until the server may be asked again; gives the time, which is that of sending."""
        while (wait := self._closed_until - self._clock()) > 0:
            await asyncio.sleep(wait)
        return self._clock()

    def went_well(self, sent: float) -> None:
        """What was sent then has been answered now."""
        self._pace.went_well(self._clock() - sent)

    def pushed_back(self, sent: float, pause: float) -> None:
        """What was sent then was refused; nothing is sent for `pause` seconds.

        One push-back is often told to everything that was in flight: the number is halved once for all of it.
        """
        now = self._clock()
        self._closed_until = max(self._closed_until, now + pause)
        if sent >= self._cut:
            self._cut = now
            self._pace.pushed_back()
