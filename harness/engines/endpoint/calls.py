"""One request over the OpenAI protocol, and what its answer says."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from typing import Any

from harness.candidates.endpoint import Endpoint
from harness.candidates.prompt import IMAGE
from harness.engines._shared import seed_of
from harness.engines.base import FinishReason, Request, Sampling
from harness.engines.endpoint.faults import Passing, Refused, Secrets
from harness.errors import InputError
from harness.gold.images import ImageFile

#: Image types that every server takes as they are.
_MIME = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".gif": "image/gif"}


#: What servers name when they do not take `response_format`.
_SCHEMA_WORDS = ("response_format", "json_schema", "structured", "guided", "grammar", "extra fields", "schema")


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of a prompt and of its answer."""

    prompt: int
    answer: int

    @property
    def total(self) -> float:
        return float(self.prompt + self.answer)


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back. Token counts are None where the server does not count."""

    text: str
    finish_reason: FinishReason
    prompt_tokens: int | None
    completion_tokens: int | None


@dataclass(frozen=True)
class Credentials:
    """Key and headers out of the environment."""

    key: str | None
    headers: dict[str, str]

    @property
    def secrets(self) -> Secrets:
        return Secrets([*([self.key] if self.key else []), *self.headers.values()])


def credentials(endpoint: Endpoint) -> Credentials:
    """Read them.

    Raises:
        InputError: a header's variable is not set.
    """
    headers = {}
    for name, variable in endpoint.headers.items():
        value = os.environ.get(variable)
        if not value:
            raise InputError(
                f"the environment variable {variable} is not set",
                where=f"endpoint.headers.{name}",
                remedy=f"export {variable}=…",
            )
        headers[name] = value
    return Credentials(os.environ.get(endpoint.key_env) or None, headers)


def body(endpoint: Endpoint, request: Request, *, held: bool = True) -> dict[str, Any]:
    """The arguments of `chat.completions.create` or `completions.create`.

    Args:
        held: hold the answer to the request's JSON schema, where the API has a way to say so.
    """
    given = {"model": endpoint.model, **_sampling(request)}
    extra = {**_beyond_the_protocol(request.sampling), **endpoint.extra_body}
    if extra:
        given["extra_body"] = extra
    if endpoint.api == "completion":
        if request.images:
            raise Refused("the completion API takes no pictures")
        return {**given, "prompt": told(request)}
    if request.sampling.json_schema and held:
        given["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": json.loads(request.sampling.json_schema)},
        }
    return {**given, "messages": conversation_of(request)}


def refuses_schema(error: Exception) -> bool:
    """True when a server says that it holds no answers to a schema."""
    code = getattr(error, "status_code", None)
    said = str(getattr(error, "body", "") or error).lower()
    return code in (400, 404, 415, 422, 501) and any(word in said for word in _SCHEMA_WORDS)


def longest(request: Request) -> Tokens:
    """What prompt and answer take at most, roughly: hardly a tokenizer makes more than one token of a character."""
    return Tokens(sum(len(turn.content) + 8 for turn in request.messages), request.sampling.max_tokens)


def choice_of(endpoint: Endpoint, raw: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The body of an answer with status 200, and the first choice in it.

    Raises:
        Passing: it is cut off, is an error, or comes from another model.
    """
    try:
        content = json.loads(raw)
    except ValueError:
        raise Passing("the server's answer is no JSON, or half of it") from None
    if not isinstance(content, dict):
        raise Passing("the server's answer is no JSON object")
    if content.get("error"):
        raise Passing(f"the server answered with an error: {_short(content['error'])}")
    choices = content.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise Passing("the server's answer has no choices")
    served = content.get("model")
    if isinstance(served, str) and served and not same_model(endpoint.model, served):
        raise Passing(f"another model answered: {served!r}, not {endpoint.model!r}")
    return content, choices[0]


def answered(endpoint: Endpoint, raw: str) -> Answered:
    """Read the body of an answer with status 200.

    Raises:
        Passing: see `choice_of`; or it has no text.
        Refused: the server filtered the answer.
    """
    content, choice = choice_of(endpoint, raw)
    if endpoint.api == "completion":
        text = choice.get("text")
    else:
        message = choice.get("message")
        message = message if isinstance(message, dict) else {}
        text = message.get("content") or message.get("refusal")
    reason = choice.get("finish_reason")
    if reason == "content_filter":
        raise Refused("the server's filter withheld the answer")
    if text is None and reason is None:
        raise Passing("the server's answer has no text")
    usage = content.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    return Answered(
        text if isinstance(text, str) else "",
        "length" if reason == "length" else "stop",
        _count(counts.get("prompt_tokens")),
        _count(counts.get("completion_tokens")),
    )


def same_model(asked: str, served: str) -> bool:
    """True when a server's name for a model may be another spelling of the one asked for.

    Servers answer with a dated name (`gpt-4o-2024-08-06`), the last part of a path, or the path itself.
    """
    one, other = asked.rstrip("/").lower(), served.rstrip("/").lower()
    return (
        one == other
        or one.startswith(other)
        or other.startswith(one)
        or one.rpartition("/")[2] == other.rpartition("/")[2]
    )


def _sampling(request: Request) -> dict[str, Any]:
    sampling = request.sampling
    given: dict[str, Any] = {"max_tokens": sampling.max_tokens, "temperature": sampling.temperature}
    if sampling.temperature > 0:
        given |= {"top_p": sampling.top_p, "seed": seed_of(request)}
    if sampling.stop:
        given["stop"] = list(sampling.stop)
    return given


def _beyond_the_protocol(sampling: Sampling) -> dict[str, Any]:
    """What vLLM, llama.cpp and others know beside the protocol; sent only where it changes anything."""
    given: dict[str, Any] = {}
    if sampling.top_k:
        given["top_k"] = sampling.top_k
    if sampling.repetition_penalty != 1.0:
        given["repetition_penalty"] = sampling.repetition_penalty
    return given


def conversation_of(request: Request) -> list[dict[str, Any]]:
    """A conversation with each picture where its mark stands."""
    waiting = list(request.images)
    turns: list[dict[str, Any]] = []
    for turn in request.messages:
        if not request.images or IMAGE not in turn.content:
            turns.append({"role": turn.role, "content": turn.content})
            continue
        parts: list[dict[str, Any]] = []
        for number, text in enumerate(turn.content.split(IMAGE)):
            if number:
                parts.append({"type": "image_url", "image_url": {"url": _data_url(waiting.pop(0))}})
            if text:
                parts.append({"type": "text", "text": text})
        turns.append({"role": turn.role, "content": parts})
    return turns


def _data_url(image: ImageFile) -> str:
    mime = _MIME.get(image.path.suffix.lower())
    try:
        content = image.path.read_bytes() if mime else _as_png(image)
    except OSError as error:
        raise Refused(f"the picture {image.path.name} cannot be read ({error.strerror})") from None
    return f"data:{mime or 'image/png'};base64,{base64.b64encode(content).decode()}"


def _as_png(image: ImageFile) -> bytes:
    import io

    from PIL import Image

    with Image.open(image.path) as opened, io.BytesIO() as out:
        opened.convert("RGB").save(out, "PNG")
        return out.getvalue()


def told(request: Request) -> str:
    """A conversation as text, for an API that knows no turns."""
    return "\n\n".join(turn.content for turn in request.messages)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def _short(value: Any) -> str:
    text = value.get("message", value) if isinstance(value, dict) else value
    return " ".join(str(text).split())[:200]
