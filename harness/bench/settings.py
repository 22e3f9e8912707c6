"""How a load is made."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import InputError

#: Requests of one round at one concurrency, at least; and for each request in flight, so that a level is a level for
#: most of its time and not a way up and a way down.
FEWEST, TURNS = 20, 4
#: Beyond this one process of this client is what is measured.
MOST_CONCURRENT = 1024


@dataclass(frozen=True)
class LoadSettings:
    """What is sent to each deployment.

    Attributes:
        concurrency: requests in flight, one level after the other. A request that is answered is followed by the next
            at once (closed loop), so the number stays what it is.
        requests: in one round at one level; None takes `TURNS` for each in flight, and `FEWEST` at least.
        rounds: how often each level is measured; deployments take turns, and intervals stand on the rounds.
        max_tokens: of each answer; None leaves what the suite's tasks say.
        ignore_eos: answers go on to `max_tokens` (an extension of vLLM, llama.cpp and SGLang; others ignore it).
        repeat_prompts: ask the suite's questions as they are, so that a server's cache of prefixes may help.
        seed: decides which questions are asked and in which order.
    """

    concurrency: tuple[int, ...] = (1, 8, 64)
    requests: int | None = None
    rounds: int = 5
    max_tokens: int | None = None
    ignore_eos: bool = False
    repeat_prompts: bool = False
    seed: int = 0

    def count(self, level: int) -> int:
        """Requests of one round at `level` in flight."""
        return self.requests if self.requests is not None else max(FEWEST, TURNS * level)

    def check(self) -> None:
        """Refuse what makes no sense.

        Raises:
            InputError: an option out of its range.
        """
        if not self.concurrency:
            raise InputError("names no number", where="--concurrency", remedy="Write --concurrency 1,8,64.")
        for level in self.concurrency:
            if not 1 <= level <= MOST_CONCURRENT:
                raise InputError(f"must lie between 1 and {MOST_CONCURRENT}, not {level}", where="--concurrency")
        if len(set(self.concurrency)) != len(self.concurrency):
            raise InputError("names a number twice", where="--concurrency")
        if self.rounds < 1:
            raise InputError(f"must be at least 1, not {self.rounds}", where="--rounds")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise InputError(f"must be at least 1, not {self.max_tokens}", where="--max-tokens")
        most = max(self.concurrency)
        if self.requests is not None and self.requests < most:
            raise InputError(
                f"{self.requests} requests never bring {most} in flight",
                where="--requests",
                remedy=f"Give {TURNS * most} or more, or lower --concurrency.",
            )


def levels_of(text: str) -> tuple[int, ...]:
    """`1,8,64` as numbers.

    Raises:
        InputError: anything else.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isdecimal() and part.isascii() for part in parts):
        raise InputError(f"{text!r} is no list of numbers", where="--concurrency", remedy="Write --concurrency 1,8,64.")
    return tuple(int(part) for part in parts)
