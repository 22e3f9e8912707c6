"""Everything a server can do wrong: what passes is asked again, what does not is counted, nothing is lost."""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from harness.errors import IncompleteError, InputError
from tests.engines.endpoint.conftest import ask
from tests.engines.endpoint.server import Reply, chat, failed, question, serving

_GOOD = json.dumps(chat("x").content).encode()

#: What goes wrong the first time a question is asked, and is right the second time.
PASSING = {
    "429 with Retry-After": failed(429, "slow down", retry_after="0.1"),
    "429 without": failed(429),
    "500": failed(500),
    "503 with a date": failed(503, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
    "hang": chat("late", wait=1.5),
    "slow drip": chat("drip", drip=0.02),
    "truncated JSON": Reply(raw=_GOOD[:40]),
    "less than promised": Reply(raw=_GOOD[:40], headers={"content-length": str(len(_GOOD))}),
    "wrong model": chat("who?", model="another"),
    "empty choices": Reply(content={"object": "chat.completion", "model": "m", "choices": []}),
    "connection reset": Reply(reset=True),
    "200 with an error body": Reply(content={"error": {"message": "overloaded", "code": 500}}),
    "no JSON at all": Reply(raw=b"<html>bad gateway</html>", headers={"content-type": "text/html"}),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_what_passes_is_asked_again_and_nothing_is_lost(fault: Reply) -> None:
    def script(body: dict[str, Any], nth: int) -> Reply:
        return fault if nth == 0 and question(body) == "q1" else chat("re: " + question(body))

    with serving(script) as server:
        got = ask(server.url, ["q0", "q1", "q2"], timeout=1.0)
    assert {key: done.text for key, done in got.items()} == {f"q{n}": f"re: q{n}" for n in range(3)}
    assert server.seen == {"q0": 1, "q1": 2, "q2": 1}


def test_a_faulty_server_ends_with_exact_counts() -> None:
    """Each question meets another fault first; two never get an answer; the counts are exact."""
    faults = list(PASSING.values())

    def script(body: dict[str, Any], nth: int) -> Reply:
        number = int(question(body)[1:])
        if number in (3, 17):
            return failed(500, "for ever")
        if number == 5:
            return failed(400, "the context is too long")
        return faults[number % len(faults)] if nth == 0 else chat(f"answer {number}")

    texts = [f"q{n}" for n in range(40)]
    with serving(script) as server:
        got = ask(server.url, texts, retries=3, timeout=1.0)
    assert sorted(got) == sorted(texts)
    wrong = {key: done.error for key, done in got.items() if done.finish_reason == "error"}
    assert wrong == {
        "q3": "HTTP 500: for ever (4 attempts)",
        "q17": "HTTP 500: for ever (4 attempts)",
        "q5": "HTTP 400: the context is too long",
    }
    assert all(got[f"q{n}"].text == f"answer {n}" for n in range(40) if n not in (3, 5, 17))
    assert server.seen["q5"] == 1, "what will not pass is asked once"
    assert server.seen["q3"] == 4


def test_retry_after_is_kept_by_everybody() -> None:
    times: list[float] = []

    def script(body: dict[str, Any], nth: int) -> Reply:
        times.append(time.monotonic())
        return failed(429, retry_after="0.6") if len(times) == 1 else chat("ok")

    with serving(script) as server:
        assert len(ask(server.url, [f"q{n}" for n in range(12)], max_concurrency=1)) == 12
    assert times[1] - times[0] >= 0.6


def test_a_server_that_is_gone_ends_the_run_and_keeps_what_was_answered() -> None:
    def script(body: dict[str, Any], nth: int) -> Reply:
        return chat("ok") if question(body) < "q05" else Reply(reset=True)

    with serving(script) as server, pytest.raises(IncompleteError, match="has stopped answering"):
        ask(server.url, [f"q{n:02}" for n in range(60)], retries=1)
    assert sum(server.seen.values()) < 60 * 2, "it did not go through all the others first"


@pytest.mark.parametrize(
    ("models", "says"),
    [
        (Reply(content={"data": [{"id": "qwen2.5:7b"}, {"id": "llama3"}]}), "It serves: llama3, qwen2.5:7b"),
        (failed(401, "Incorrect API key provided: sk-abcdefghijk"), "wants a key"),
        (failed(403), "wants a key"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_asked(models: Reply, says: str) -> None:
    with serving(lambda body, nth: chat("x"), models=models) as server, pytest.raises(InputError) as caught:
        ask(server.url, ["q"])
    assert says in str(caught.value)
    assert "sk-abc" not in str(caught.value)
    assert not server.bodies


def test_a_server_that_lists_no_models_is_asked_all_the_same() -> None:
    with serving(lambda body, nth: chat("x"), models=failed(404)) as server:
        assert ask(server.url, ["q"])["q"].text == "x"


def test_a_key_that_is_refused_while_asking_stops_at_once() -> None:
    with serving(lambda body, nth: failed(401, "expired")) as server, pytest.raises(InputError, match="wants a key"):
        ask(server.url, [f"q{n}" for n in range(50)])
    assert len(server.bodies) <= 8


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (failed(429, "later", retry_after="3600"), "asks to come back in 3600 s"),
        (failed(402, "pay"), "no credit left"),
        (Reply(429, {"error": {"message": "no", "code": "insufficient_quota"}}), "no credit left"),
    ],
)
def test_what_nobody_waits_for_ends_the_run_so_that_it_can_go_on_later(fault: Reply, says: str) -> None:
    with serving(lambda body, nth: fault) as server, pytest.raises(IncompleteError, match=says):
        ask(server.url, [f"q{n}" for n in range(50)])
    assert len(server.bodies) <= 8


def test_nobody_there() -> None:
    with pytest.raises(InputError, match=r"cannot be reached: .*Is the server running"):
        ask("http://127.0.0.1:9/v1", ["q"])


def test_a_certificate_that_nobody_signed(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate),
         "-days", "1", "-subj", "/CN=localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            for _ in range(4):
                try:
                    context.wrap_socket(listening.accept()[0], server_side=True).close()
                except OSError:
                    continue

        threading.Thread(target=accept, daemon=True).start()
        port = listening.getsockname()[1]
        with pytest.raises(InputError, match="TLS certificate is not accepted"):
            ask(f"https://127.0.0.1:{port}/v1", ["q"])
