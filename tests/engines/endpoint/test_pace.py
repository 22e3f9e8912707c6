"""How many requests are in flight: few, then more, then as the server can."""

from __future__ import annotations

from harness.engines.endpoint.pace import SLOW, START, Pace
from tests.engines.endpoint.conftest import ask
from tests.engines.endpoint.server import Reply, chat, failed, serving


def answers(pace: Pace, count: int, latency: float) -> None:
    for _ in range(count):
        pace.went_well(latency)


def test_it_doubles_every_round_while_latency_holds() -> None:
    pace = Pace(64)
    seen = [pace.limit]
    for _ in range(4):
        answers(pace, pace.limit, 1.0)
        seen.append(pace.limit)
    assert seen == [START, 16, 32, 64, 64]


def test_it_grows_no_further_once_answers_come_late_and_goes_on_when_they_do_not() -> None:
    pace = Pace(64)
    answers(pace, START, 1.0)
    assert pace.limit == 16
    answers(pace, 16, SLOW + 0.5)
    late = pace.limit
    assert late < 40, "one round of late answers is enough"
    answers(pace, 5 * late, SLOW + 0.5)
    assert pace.limit == late
    answers(pace, 2 * late, 1.0)
    assert pace.limit > late


def test_one_long_answer_is_no_slow_server() -> None:
    pace = Pace(64)
    for _ in range(6):
        answers(pace, pace.limit - 1, 1.0)
        pace.went_well(100.0)
    assert pace.limit == 64


def test_a_push_back_halves_it_and_from_then_on_it_grows_slowly() -> None:
    pace = Pace(64)
    answers(pace, 200, 1.0)
    pace.pushed_back()
    assert pace.limit == 32
    answers(pace, 32, 1.0)
    assert pace.limit in (32, 33)


def test_it_never_stops_altogether() -> None:
    pace = Pace(64)
    for _ in range(20):
        pace.pushed_back()
    assert pace.limit == 1


def test_a_server_that_takes_ten_at_a_time_is_given_hardly_more() -> None:
    """It answers 429 above ten in flight: everything is answered, with few refusals."""
    refused = 0

    def script(body: dict[str, object], nth: int) -> Reply:
        nonlocal refused
        if server.inside > 10:
            refused += 1
            return failed(429)
        return chat("ok", wait=0.01)

    with serving(script) as server:
        got = ask(server.url, [f"q{n}" for n in range(400)], retries=30)
    assert {done.text for done in got.values()} == {"ok"}
    assert refused < 60
    assert server.most <= 64


def test_what_is_in_flight_never_exceeds_what_was_allowed() -> None:
    with serving(lambda body, nth: chat("ok", wait=0.02)) as server:
        ask(server.url, [f"q{n}" for n in range(60)], max_concurrency=5)
    assert server.most == 5
