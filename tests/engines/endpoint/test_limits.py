"""What an account and a run allow."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.engines.endpoint.limits import Budget, PerMinute
from harness.errors import IncompleteError, InputError
from tests.engines.endpoint.conftest import ask
from tests.engines.endpoint.server import Reply, chat, failed, serving

#: A unit a token: 5 tokens of an answer cost 5, prompts nothing.
PRICES = {"input": 0.0, "output": 1e6}


class Clock:
    """Time that passes by sleeping alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def times(limit: float | None, takes: list[float], corrections: list[float] | None = None) -> list[float]:
    """When each take went through."""
    clock = Clock()

    async def run() -> list[float]:
        bucket, found = PerMinute(limit, clock, clock.sleep), []
        for units, more in zip(takes, corrections or [0.0] * len(takes), strict=True):
            await bucket.take(units)
            bucket.correct(more)
            found.append(clock.now)
        return found

    return asyncio.run(run())


def test_requests_a_minute_are_spread_evenly() -> None:
    found = times(120, [1.0] * 121)
    assert found[-1] == pytest.approx(60, abs=1.5)
    assert found[60] == pytest.approx(30, abs=1.5)


def test_a_request_larger_than_the_limit_goes_through_and_is_paid_back() -> None:
    assert times(600, [3000.0, 10.0, 10.0])[1] == pytest.approx(299, abs=2)


def test_what_was_taken_too_much_is_given_back() -> None:
    assert times(60, [61.0, 1.0], [-60.0, 0.0])[1] == pytest.approx(0.0, abs=1.1)


def test_without_a_limit_nobody_waits() -> None:
    assert times(None, [1e9] * 3) == [0.0] * 3


def test_the_limit_of_a_run_is_never_exceeded_and_what_fits_is_asked() -> None:
    """Answers may take 16 tokens and take 5: 24 fit into 120, and the limit is approached as the others turn out."""
    budget = Budget(130.0)
    with serving(lambda body, nth: chat("ok", tokens=(10, 5), wait=0.01)) as server:
        with pytest.raises(IncompleteError, match=r"--max-cost: the limit of 130 is reached: .* was spent on"):
            ask(server.url, [f"q{n}" for n in range(100)], budget=budget, prices=PRICES)
        asked = len(server.bodies)
    assert budget.spent == 5.0 * asked <= 130.0
    assert budget.spent > 130.0 - 16.0 - 5.0


def test_a_limit_that_is_not_reached_changes_nothing() -> None:
    budget = Budget(1000.0)
    with serving(lambda body, nth: chat("ok")) as server:
        assert len(ask(server.url, [f"q{n}" for n in range(20)], budget=budget, prices=PRICES)) == 20
    assert (budget.spent, budget.answers) == (100.0, 20)


def test_a_limit_without_prices_is_refused() -> None:
    with serving(lambda body, nth: chat("ok")) as server, pytest.raises(InputError, match=r"endpoint\.prices"):
        ask(server.url, ["q"], budget=Budget(1.0))


def test_failures_cost_nothing() -> None:
    def script(body: dict[str, Any], nth: int) -> Reply:
        return failed(500) if nth < 2 else chat("ok")

    budget = Budget(1000.0)
    with serving(script) as server:
        ask(server.url, ["a", "b"], budget=budget, prices=PRICES)
    assert (budget.spent, budget.answers) == (10.0, 2)
