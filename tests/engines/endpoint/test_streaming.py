"""Answers that come in pieces: what is measured of them, from servers that stream in different ways or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.candidates.endpoint import Endpoint
from harness.engines.endpoint.calls import Credentials
from harness.engines.endpoint.client import open_client
from harness.engines.endpoint.faults import Passing, Refused
from harness.engines.endpoint.streaming import Streamed, Streamer, Way
from harness.errors import InputError
from tests.engines.endpoint.server import Reply, Script, chat, failed, serving, stream

GIVEN: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "q"}], "max_tokens": 9}


def asked(script: Script, *, settle: bool = True, key: str | None = None, **settings: Any) -> tuple[Streamed, Way]:
    """One answer, and the way in which it was asked for."""

    async def once(url: str) -> tuple[Streamed, Way]:
        endpoint = Endpoint(url=url, **{"model": "m", "timeout": 2.0, **settings})
        found = Credentials(key, {})
        async with open_client(endpoint, found, connections=4) as client:
            streamer = Streamer(endpoint, client, found)
            given = GIVEN if endpoint.api == "chat" else {"model": "m", "prompt": "q", "max_tokens": 9}
            return await (streamer.settle(given) if settle else streamer.ask(given)), streamer.way

    with serving(script) as server:
        return asyncio.run(once(server.url))


def test_times_are_those_of_the_pieces_and_tokens_those_of_the_server() -> None:
    found, way = asked(lambda body, nth: stream(5, first=0.2, each=0.05, usage=(11, 7)))
    assert way == "usage"
    assert (found.tokens, found.prompt_tokens, found.counted) == (7, 11, True)
    # A busy machine is late, never early.
    assert found.first is not None
    assert found.last is not None
    assert found.first >= 0.2
    assert found.last >= 0.2 + 4 * 0.05
    assert found.first + 0.1 < found.last <= found.total


def test_a_server_that_does_not_count_is_counted_by_pieces() -> None:
    """As Ollama did for years: `stream_options` is ignored."""
    found, way = asked(lambda body, nth: stream(5))
    assert (way, found.tokens, found.counted) == ("usage", 5, False)


@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_server_that_refuses_the_option_is_asked_without(status: int) -> None:
    found, way = asked(
        lambda body, nth: failed(status, "stream_options: extra field") if "stream_options" in body else stream(4)
    )
    assert (way, found.tokens, found.counted) == ("plain", 4, False)
    assert found.first is not None


def test_a_server_that_refuses_to_stream_is_asked_for_one_piece() -> None:
    found, way = asked(lambda body, nth: failed(400, "no streaming") if body.get("stream") else chat("x"))
    assert (way, found.tokens, found.counted, found.first, found.last) == ("whole", 5, True, None, None)


def test_a_server_that_ignores_the_wish_answers_in_one_piece() -> None:
    found, way = asked(lambda body, nth: chat("x", wait=0.1))
    assert (way, found.first, found.tokens) == ("usage", None, 5)
    assert found.total >= 0.1


def test_what_refuses_everything_says_why() -> None:
    with pytest.raises(Refused, match="HTTP 400: never"):
        asked(lambda body, nth: failed(400, "never"))


def test_a_completion_is_streamed_too() -> None:
    pieces = [json.dumps({"model": "m", "choices": [{"text": text, "finish_reason": None}]}) for text in "abc"]
    found, _ = asked(lambda body, nth: Reply(pieces=(*((0.0, p) for p in pieces), (0.0, "[DONE]"))), api="completion")
    assert found.tokens == 3


def test_thinking_is_generated_too() -> None:
    piece = json.dumps({"choices": [{"delta": {"reasoning_content": "hm"}}]})
    found, _ = asked(lambda body, nth: Reply(pieces=((0.1, piece), *stream(1, first=0.2).pieces)))
    assert found.first is not None
    assert found.last is not None
    assert 0.1 <= found.first < found.last - 0.1
    assert found.tokens == 2


def test_tokens_without_text_take_their_time() -> None:
    """As vLLM streams what follows an end token: pieces whose text is empty, then the reason."""
    said = [{"content": "", "role": "assistant"}, {"content": "a"}, {"content": ""}, {"content": ""}]
    pieces = [(0.05, json.dumps({"choices": [{"delta": delta}]})) for delta in said]
    end = (0.05, json.dumps({"choices": [{"delta": {"content": ""}, "finish_reason": "length"}]}))
    found, _ = asked(lambda body, nth: Reply(pieces=(*pieces, end)))
    assert found.pieces == 3
    assert found.first is not None
    assert found.last is not None
    assert found.first >= 0.1
    assert found.last >= 0.25


def test_an_end_is_a_reason_or_a_mark() -> None:
    assert asked(lambda body, nth: stream(2, done=False))[0].tokens == 2
    assert asked(lambda body, nth: stream(2, finish=None))[0].tokens == 2


def test_an_empty_answer_is_one() -> None:
    found, _ = asked(lambda body, nth: stream(0, usage=(3, 1)))
    assert (found.first, found.tokens) == (None, 1)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (lambda: stream(3, done=False, finish=None), "broke off before"),
        (lambda: stream(3, done=False, finish=None, reset=True), "broke in the middle"),
        (lambda: Reply(reset=True), "the connection failed"),
        (lambda: stream(3, first=3.0), r"no answer within 0\.3 s"),
        (lambda: stream(2, model="other"), "another model answered: 'other'"),
        (lambda: Reply(pieces=((0.0, '{"half": '),)), "no JSON, or half of it"),
        (lambda: Reply(pieces=((0.0, "[1]"),)), "no JSON object"),
        (lambda: Reply(pieces=((0.0, '{"error": {"message": "out of memory"}}'),)), "error: out of memory"),
        (lambda: failed(429, "slow down"), "HTTP 429: slow down"),
    ],
)
def test_what_is_no_answer(reply: Callable[[], Reply], says: str) -> None:
    with pytest.raises(Passing, match=says):
        asked(lambda body, nth: reply(), settle=False, timeout=0.3)


def test_a_filter_withholds() -> None:
    with pytest.raises(Refused, match="filter withheld"):
        asked(lambda body, nth: stream(1, finish="content_filter"), settle=False)


def test_a_key_that_is_refused_or_told_is_shown_nowhere() -> None:
    with pytest.raises(InputError, match="is not accepted") as refused:
        asked(lambda body, nth: failed(401, "no sk-very-secret-0815"), key="sk-very-secret-0815")
    piece = '{"error": "bad hush-hush-4711"}'
    with pytest.raises(Passing) as told:
        asked(lambda body, nth: Reply(pieces=((0.0, piece),)), settle=False, key="hush-hush-4711")
    assert "0815" not in str(refused.value)
    assert str(told.value).endswith("bad ***")


def in_turn(script: Script, times: int) -> tuple[list[Streamed | Passing], int]:
    """Answers or faults of one question after the other over the same connections, and how many the server read."""

    async def all_of(url: str) -> list[Streamed | Passing]:
        endpoint, found = Endpoint(url=url, model="m", timeout=2.0), Credentials(None, {})
        came: list[Streamed | Passing] = []
        async with open_client(endpoint, found, connections=4) as client:
            streamer = Streamer(endpoint, client, found)
            for _ in range(times):
                try:
                    came.append(await streamer.ask(GIVEN))
                except Passing as fault:
                    came.append(fault)
        return came

    with serving(script) as server:
        return asyncio.run(all_of(server.url)), len(server.bodies)


def test_a_connection_that_the_server_closed_meanwhile_is_no_error_of_its_answers() -> None:
    """llama.cpp's server closes after every stream, and says before that it will not."""
    came, read = in_turn(lambda body, nth: stream(3, closes=True), 6)
    assert [type(one) for one in came] == [Streamed] * 6
    assert read == 6


def test_a_server_that_cuts_a_new_connection_is_not_asked_again() -> None:
    came, read = in_turn(lambda body, nth: stream(3) if nth == 0 else Reply(reset=True), 3)
    assert [type(one) for one in came] == [Streamed, Passing, Passing]
    assert read == 4, "the second question went to the first connection, and once more to a new one"
