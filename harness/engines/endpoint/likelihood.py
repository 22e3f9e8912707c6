"""How likely a server finds given texts: the options of a multiple-choice question, one request each.

Two ways, by the API of the endpoint:

- `completion`: `/v1/completions` with `echo` and `logprobs`, as OpenAI had it and as vLLM and others
  have it. The text is written here.
- `chat`: `/v1/chat/completions` with vLLM's `prompt_logprobs`. The option is an assistant turn that has begun
  (`continue_final_message`), so the server's own template stands around it.

Either gives the tokens of the whole text. Options are cut off where the tokens of the question end, by the rule of
`harness.answers.likelihood.continued`, so the figures are those of the engines here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.candidates.endpoint import Endpoint
from harness.engines.base import Request
from harness.engines.endpoint.calls import choice_of, conversation_of, told
from harness.engines.endpoint.faults import Refused

#: What a server is told that does not offer it.
NOT_OFFERED = "its answer holds no likelihoods of the question"


@dataclass(frozen=True, slots=True)
class Weighed:
    """The tokens of a text, as the server names them, with the natural-log probability of each; the first has none."""

    tokens: tuple[str, ...]
    logprobs: tuple[float | None, ...]


def weighing_body(endpoint: Endpoint, request: Request, continuation: str | None) -> dict[str, Any]:
    """Arguments of `chat.completions.create` or `completions.create` that ask for the likelihoods of a text.

    Args:
        continuation: what follows the question; None asks about the question alone, to see where its tokens end.
    """
    given: dict[str, Any] = {"model": endpoint.model, "max_tokens": 1, "temperature": 0.0}
    if endpoint.api == "completion":
        given |= {"prompt": told(request) + (continuation or ""), "echo": True, "logprobs": 1}
        return given | ({"extra_body": dict(endpoint.extra_body)} if endpoint.extra_body else {})
    turns = conversation_of(request)
    begun = continuation is not None
    if begun:
        turns = [*turns, {"role": "assistant", "content": continuation}]
    wanted = {"prompt_logprobs": 0, "add_generation_prompt": not begun, "continue_final_message": begun}
    return given | {"messages": turns, "extra_body": {**endpoint.extra_body, **wanted}}


def weighed(endpoint: Endpoint, raw: str, text: str) -> Weighed:
    """Read the body of an answer with status 200.

    Args:
        text: what was sent to a completion API.

    Raises:
        Passing: see `choice_of`.
        Refused: the server does not offer likelihoods.
    """
    content, choice = choice_of(endpoint, raw)
    try:
        if endpoint.api == "completion":
            return _echoed(choice, content.get("usage") or {}, text)
        return _of_the_prompt(content["prompt_logprobs"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Refused(NOT_OFFERED) from None


def _echoed(choice: dict[str, Any], usage: dict[str, Any], text: str) -> Weighed:
    found = choice["logprobs"]
    tokens, logprobs = found["tokens"], found["token_logprobs"]
    # One token more was generated, as servers refuse to generate none.
    count = usage.get("prompt_tokens", len(tokens) - 1)
    if len(tokens) != len(logprobs) or not 0 < count <= len(tokens) or not choice["text"].startswith(text):
        raise ValueError("the question is not in the answer")
    return Weighed(tuple(map(str, tokens[:count])), tuple(map(_number, logprobs[:count])))


def _of_the_prompt(table: list[dict[str, dict[str, Any]] | None]) -> Weighed:
    # A row holds the token of the text and no other, as 0 others were asked for; the first row is none at all.
    rows = [next(iter(row.items())) if row else ("", {"logprob": None}) for row in table]
    if not rows:
        raise ValueError("no rows")
    return Weighed(tuple(token for token, _ in rows), tuple(_number(row["logprob"]) for _, row in rows))


def options_of(question: Weighed, wholes: Sequence[Weighed]) -> list[list[float]]:
    """Natural-log probabilities of the tokens of each option.

    Args:
        question: alone.
        wholes: the question with each option.

    Raises:
        Refused: nothing is left of the question or of an option.
    """
    cut = min(_shared(question.tokens, whole.tokens) for whole in wholes)
    found = [[value for value in whole.logprobs[cut:] if value is not None] for whole in wholes]
    if cut == 0 or not all(found):
        raise Refused("the tokenizer leaves nothing of the question or of an option: they cannot be told apart")
    return found


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many tokens at the front are the same."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
