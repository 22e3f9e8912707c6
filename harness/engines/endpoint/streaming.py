"""An answer as it comes, piece by piece, with the time of each: what a load test measures.

Servers differ in what they stream. vLLM and OpenAI send `usage` in a last piece when `stream_options` asks for it; some
refuse that field, some ignore it and never count, some know no streaming at all. `Streamer.settle` finds out which it
is before anything is measured, and `Streamed` says what its numbers stand on.

Source: server-sent events (HTML standard, 9.2) as the OpenAI API uses them: `data: {…}` lines, then `data: [DONE]`.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.candidates.endpoint import Endpoint
from harness.engines.endpoint.calls import Answered, Credentials, answered, same_model
from harness.engines.endpoint.faults import Passing, Refused, classify
from harness.errors import HarnessError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

#: How a server is asked: streamed with its own count of tokens, streamed without, or in one piece.
Way = Literal["usage", "plain", "whole"]
_WAYS: tuple[Way, ...] = ("usage", "plain", "whole")

#: Where servers put the text of a piece; thinking is generated too, and its first token is the first token.
_TEXTS = ("content", "reasoning_content", "reasoning", "refusal")


@dataclass(frozen=True, slots=True)
class Streamed:
    """One answer and when it came; times are seconds since the request was sent.

    Attributes:
        first: the first piece with text; None where the answer came in one piece or had no text.
        last: the last piece, with text or with the reason for the end, which comes with the last token: tokens without
            text (an end token, or what follows it where answers go on) take their time too. None as `first`.
        total: the end of the answer.
        tokens: of the answer, as the server counted them, else one for each piece.
        counted: whether the server counted.
        pieces: with tokens; a server or a proxy may send many in one.
    """

    first: float | None
    last: float | None
    total: float
    tokens: int
    prompt_tokens: int | None
    counted: bool
    pieces: int = 0


class Streamer:
    """Asks one endpoint and watches the answers come.

    Args:
        client: sends everything once.
        found: key and headers, which may stand in no message.
    """

    def __init__(self, endpoint: Endpoint, client: AsyncOpenAI, found: Credentials) -> None:
        self.endpoint = endpoint
        self.way: Way = "usage"
        self._client = client
        self._secrets = found.secrets
        self._has_key = found.key is not None

    async def settle(self, given: dict[str, Any]) -> Streamed:
        """Find the richest way in which the server answers, by asking it once or a few times.

        Raises:
            HarnessError: it refuses the key, or knows no such model.
            Passing, Refused: it answers in no way; the reason is that of the plainest request.
        """
        for way in _WAYS:
            self.way = way
            try:
                return await self.ask(given)
            except (Passing, Refused) as error:
                # A server that chokes on a field answers 400 or 422, and some 500; one that is away is no question of
                # the way.
                if way == _WAYS[-1] or not str(error).startswith("HTTP "):
                    raise
        raise AssertionError("unreachable")

    async def ask(self, given: dict[str, Any]) -> Streamed:
        """One request.

        Args:
            given: arguments of `chat.completions.create` or `completions.create`.

        Raises:
            Passing, Refused: why there is no answer, without secrets. An answer that breaks off is none.
            HarnessError: the key is refused, or there is no such model.
        """
        try:
            return await self._ask(given)
        except (Passing, Refused) as error:
            raise type(error)(self._secrets.hide(str(error))) from None
        except Exception as error:
            raise self._classified(error) from None

    async def _ask(self, given: dict[str, Any]) -> Streamed:
        client = self._client
        api = client.completions if self.endpoint.api == "completion" else client.chat.completions
        more: dict[str, Any] = {}
        if self.way != "whole":
            more["stream"] = True
        if self.way == "usage":
            more["stream_options"] = {"include_usage": True}
        began = time.perf_counter()
        async with api.with_streaming_response.create(**given, **more) as response:
            if "text/event-stream" not in response.headers.get("content-type", ""):
                # Asked for one piece, or a server that knows no streaming and does not say so.
                found = answered(self.endpoint, await response.text())
                return _in_one_piece(found, time.perf_counter() - began)
            reading = _Reading(self.endpoint, began)
            async for line in response.iter_lines():
                reading.take(line)
            return reading.finished()

    def _classified(self, error: Exception) -> Exception:
        found = classify(error, self.endpoint, self._secrets, has_key=self._has_key)
        if found is not error or isinstance(error, HarnessError):
            return found
        # What breaks while the body is read comes from the library below, which the client does not wrap.
        if type(error).__module__.startswith(("httpx", "httpcore")):
            if "Timeout" in type(error).__name__:
                return Passing(f"no answer within {self.endpoint.timeout:g} s", overloaded=True)
            return Passing("the connection broke in the middle of an answer")
        return error


class _Reading:
    """The pieces of one answer, in the order of coming."""

    def __init__(self, endpoint: Endpoint, began: float) -> None:
        self._endpoint = endpoint
        self._began = began
        self._first: float | None = None
        self._last: float | None = None
        self._end: float | None = None
        self._pieces = 0
        self._usage: dict[str, Any] = {}
        self._model_seen = False
        self._finished = False

    def take(self, line: str) -> None:
        """One line of the stream.

        Raises:
            Passing, Refused: as `answered` of an answer in one piece.
        """
        if not line.startswith("data:"):
            return  # a comment that keeps the connection alive, or the name of an event
        now = time.perf_counter() - self._began
        data = line[5:].strip()
        if data == "[DONE]":
            self._finished, self._end = True, now
            return
        try:
            content = json.loads(data)
        except ValueError:
            raise Passing("a piece of the answer is no JSON, or half of it") from None
        if not isinstance(content, dict):
            raise Passing("a piece of the answer is no JSON object")
        if content.get("error"):
            said = content["error"]
            text = said.get("message", said) if isinstance(said, dict) else said
            raise Passing(f"the server answered with an error: {' '.join(str(text).split())[:200]}")
        self._check_model(content.get("model"))
        if isinstance(usage := content.get("usage"), dict):
            self._usage = usage
        for choice in content.get("choices") or ():
            if isinstance(choice, dict):
                self._choice(choice, now)

    def finished(self) -> Streamed:
        """The answer.

        Raises:
            Passing: the stream broke off before its end.
        """
        if not self._finished:
            raise Passing("the stream broke off before the answer's end")
        counted = _whole_number(self._usage.get("completion_tokens"))
        return Streamed(
            first=self._first,
            last=self._last,
            total=time.perf_counter() - self._began if self._end is None else self._end,
            tokens=self._pieces if counted is None else counted,
            prompt_tokens=_whole_number(self._usage.get("prompt_tokens")),
            counted=counted is not None,
            pieces=self._pieces,
        )

    def _choice(self, choice: dict[str, Any], now: float) -> None:
        delta = choice.get("delta")
        texts = [choice.get("text")] if not isinstance(delta, dict) else [delta.get(name) for name in _TEXTS]
        reason = choice.get("finish_reason")
        told = any(isinstance(text, str) and text for text in texts)
        # An empty text is a token that shows nothing (half a character, a special token), unless it only opens or ends
        # the answer.
        silent = "" in texts and not reason and not (isinstance(delta, dict) and delta.get("role"))
        if told or silent:
            self._pieces += 1
        if told and self._first is None:
            self._first = now
        if self._first is not None and (told or silent or reason):
            self._last = now
        if reason:
            if reason == "content_filter":
                raise Refused("the server's filter withheld the answer")
            self._finished = True

    def _check_model(self, served: Any) -> None:
        if self._model_seen or not isinstance(served, str) or not served:
            return
        self._model_seen = True
        if not same_model(self._endpoint.model, served):
            raise Passing(f"another model answered: {served!r}, not {self._endpoint.model!r}")


def _in_one_piece(found: Answered, total: float) -> Streamed:
    counted = found.completion_tokens
    return Streamed(None, None, total, counted or 0, found.prompt_tokens, counted is not None)


def _whole_number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
