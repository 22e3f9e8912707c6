"""What is sent: the conversation, the sampling, pictures, headers; and that no key is told to anybody else."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.candidates.endpoint import Endpoint, parse_reference
from harness.engines.base import Request, Sampling
from harness.engines.endpoint.engine import EndpointEngine
from harness.engines.endpoint.faults import Secrets
from harness.errors import InputError
from harness.gold.images import open_image
from harness.gold.item import Message
from tests.engines.endpoint.conftest import ask
from tests.engines.endpoint.server import Reply, chat, failed, serving


def sent(request: Request, **settings: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Body and headers of a request."""
    with serving(lambda body, nth: chat("ok") if "messages" in body else _continued()) as server:
        engine = EndpointEngine(Endpoint(url=server.url, model="m", **settings), "v")
        try:
            ((done,),) = engine.generate([request])
        finally:
            engine.close()
    assert done.text == "ok"
    return server.bodies[0], server.headers[0]


def _continued() -> Reply:
    return Reply(content={"model": "m", "choices": [{"index": 0, "text": "ok", "finish_reason": "length"}]})


def one(sampling: Sampling | None = None, *turns: tuple[str, str], **more: Any) -> Request:
    messages = tuple(Message(role=role, content=text) for role, text in turns or (("user", "近视？"),))  # type: ignore[arg-type]
    return Request("k", "i", "t", 0, sampling or Sampling(max_tokens=7), messages=messages, **more)


def test_a_greedy_question_says_so_and_nothing_that_a_plain_server_does_not_know() -> None:
    body, _ = sent(one(None, ("system", "s"), ("user", "近视？")))
    turns = [{"role": "system", "content": "s"}, {"role": "user", "content": "近视？"}]
    assert body == {"model": "m", "max_tokens": 7, "temperature": 0.0, "messages": turns}


def test_sampling_is_passed_on() -> None:
    sampling = Sampling(max_tokens=7, temperature=0.5, top_p=0.9, top_k=20, repetition_penalty=1.1, seed=3, stop=("#",))
    body, _ = sent(one(sampling))
    wanted = {"temperature": 0.5, "top_p": 0.9, "stop": ["#"], "top_k": 20, "repetition_penalty": 1.1}
    assert wanted.items() <= body.items()
    again, _ = sent(replace(one(sampling), key="another repeat"))
    assert again["seed"] != body["seed"], "repeats draw with other numbers"


def test_the_completion_api_gets_a_text() -> None:
    body, _ = sent(one(), api="completion")
    assert (body["prompt"], "messages" in body) == ("近视？", False)


def test_extra_fields_and_headers_of_an_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_TOKEN", "geheim-1234")
    body, headers = sent(one(), extra_body={"inputs": {"kb": 7}}, headers={"X-App": "APP_TOKEN"})
    assert body["inputs"] == {"kb": 7}
    assert headers["x-app"] == "geheim-1234"


def test_the_key_comes_from_the_variable_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong-one")
    monkeypatch.setenv("CLINIC_KEY", "sk-clinic-777")
    _, headers = sent(one(), key_env="CLINIC_KEY")
    assert headers["authorization"] == "Bearer sk-clinic-777"


def test_pictures_stand_where_their_marks_are(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (8, 8), "red").save(tmp_path / "a.png")
    Image.new("RGB", (8, 8), "blue").save(tmp_path / "b.bmp")
    images = tuple(open_image(name, tmp_path, where="x") for name in ("a.png", "b.bmp"))
    body, _ = sent(one(None, ("user", "<image>left<image>right?"), images=images))
    first, left, second, right = body["messages"][0]["content"]
    assert (left["text"], right["text"]) == ("left", "right?")
    head, _, content = first["image_url"]["url"].partition(",")
    assert (head, base64.b64decode(content)) == ("data:image/png;base64", (tmp_path / "a.png").read_bytes())
    assert second["image_url"]["url"].startswith("data:image/png;base64,"), "what servers do not know is converted"


def test_a_header_whose_variable_is_not_set_is_named() -> None:
    with pytest.raises(InputError, match=r"endpoint\.headers\.X-App: the environment variable NOT_SET is not set"):
        EndpointEngine(Endpoint(url="http://127.0.0.1:9/v1", model="m", headers={"X-App": "NOT_SET"}), "v")


def test_no_error_tells_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-4711")
    monkeypatch.setenv("APP_TOKEN", "hush-hush-42")
    said = "bad key sk-secret-4711 and token hush-hush-42, also sk-another-99999"
    with serving(lambda body, nth: failed(400, said)) as server:
        got = ask(server.url, ["q"], headers={"X-App": "APP_TOKEN"})
    assert got["q"].error == "HTTP 400: bad key *** and token ***, also ***"


def test_abandoning_leaves_nothing_in_flight() -> None:
    with serving(lambda body, nth: chat("ok", wait=0.05)) as server:
        engine = EndpointEngine(Endpoint(url=server.url, model="m", max_concurrency=4), "v")
        answers = engine.generate([one_of(n) for n in range(500)])
        next(answers)
        answers.close()
        engine.close()
        engine.close()
        asked = len(server.bodies)
    assert asked < 30


def one_of(number: int) -> Request:
    turns = (Message(role="user", content=f"q{number}"),)
    return Request(f"k{number:03}", "i", "t", 0, Sampling(max_tokens=4), messages=turns)


@pytest.mark.parametrize(
    ("reference", "model", "url"),
    [
        ("openai:qwen2.5:7b@http://127.0.0.1:11434/v1", "qwen2.5:7b", "http://127.0.0.1:11434/v1"),
        ("openai:org/name@rev@https://x.example/v1/", "org/name@rev", "https://x.example/v1"),
    ],
)
def test_references(reference: str, model: str, url: str) -> None:
    found = parse_reference(reference)
    assert (found.model, found.url) == (model, url)


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("openai:gpt", "does not name a model and a URL"),
        ("openai:@http://x/v1", "does not name a model and a URL"),
        ("openai:m@ftp://x/v1", "is no http:// or https:// address"),
        ("openai:m@http://me:hunter22@x/v1", "carries a user name"),
        ("openai:m@http://me:p@hunter22@x/v1", "carries a user name"),
        ("openai:m@http://x/v1?api-key=hunter22", "carries a user name, a password or parameters"),
    ],
)
def test_references_that_cannot_be(reference: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        parse_reference(reference)
    assert "hunter22" not in str(caught.value)


def test_a_value_in_place_of_a_variable_is_refused() -> None:
    with pytest.raises(ValueError, match="must be the name of an environment variable"):
        Endpoint(url="http://x/v1", model="m", headers={"Authorization": "Bearer abc"})


def test_secrets_are_hidden_longest_first() -> None:
    assert Secrets(["abcd", "abcdef"]).hide("abcdef abcd abc") == "*** *** abc"
