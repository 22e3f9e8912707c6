"""Options weighed at an endpoint: a server whose likelihoods can be counted by hand, and servers that have none.

Its tokens are characters, and the likelihood of each is minus its place in the alphabet.
"""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from harness.candidates.endpoint import Endpoint
from harness.engines.base import Completion, Request, Sampling
from harness.engines.endpoint.engine import EndpointEngine
from harness.engines.endpoint.faults import Refused
from harness.engines.endpoint.likelihood import Weighed, options_of
from harness.engines.endpoint.limits import Budget
from harness.errors import IncompleteError, InputError
from harness.gold.item import Message
from harness.scorers.likelihoods import read_likelihoods
from tests.engines.endpoint.server import Reply, Script, chat, failed, serving


def likely(char: str) -> float:
    return -float(ord(char) % 32)


def echo(text: str, **usage: Any) -> Reply:
    """What vLLM's completion API says with `echo`: the text and one generated token."""
    tokens = [*text, "!"]
    scores: list[float | None] = [None, *map(likely, tokens[1:])]
    choice = {"text": text + "!", "finish_reason": "length", "logprobs": {"tokens": tokens, "token_logprobs": scores}}
    return Reply(content={"model": "m", "choices": [choice], **({"usage": usage} if usage else {})})


def completion(body: dict[str, Any], nth: int) -> Reply:
    assert (body["echo"], body["logprobs"], body["max_tokens"]) == (True, 1, 1)
    return echo(body["prompt"], prompt_tokens=len(body["prompt"]), completion_tokens=1)


def rendered(body: dict[str, Any]) -> str:
    assert body["prompt_logprobs"] == 0
    *turns, last = body["messages"]
    begun = last["role"] == "assistant"
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (begun, not begun)
    said = "".join(f"<{turn['content']}>" for turn in (turns if begun else body["messages"]))
    return f"{said}A:{last['content'] if begun else ''}"


def chatted(body: dict[str, Any], nth: int) -> Reply:
    rows = [None, *({c: {"logprob": likely(c), "rank": 1}} for c in rendered(body)[1:])]
    reply = chat("x")
    return Reply(content=reply.content | {"prompt_logprobs": rows})


def weigh(
    script: Script, api: str = "chat", *, budget: Budget | None = None, **more: Any
) -> tuple[dict[str, Completion], list[dict[str, Any]]]:
    requests = [
        Request(
            f"k{n}", f"i{n}", "tcm", 0, Sampling(max_tokens=1), messages=(Message(role="user", content=f"q{n}"),),
            option_texts=("a", "bc"), continuation_texts=("a", "bc"),
        )
        for n in range(3)
    ]  # fmt: skip
    with serving(script) as server:
        endpoint = Endpoint(url=server.url, model="m", api=api, timeout=2.0, retries=1, **more)  # type: ignore[arg-type]
        engine = EndpointEngine(endpoint, "v", budget, weighs="tcm")
        try:
            done = {one.key: one for finished in engine.generate(requests) for one in finished}
        finally:
            engine.close()
        return done, server.bodies


@pytest.mark.parametrize(("api", "script"), [("completion", completion), ("chat", chatted)])
def test_the_tokens_of_each_option_are_summed(api: str, script: Script) -> None:
    done, bodies = weigh(script, api)
    assert sorted(done) == ["k0", "k1", "k2"]
    for one in done.values():
        found = read_likelihoods(one.text)
        assert found is not None
        assert [(o.text, o.logprob, o.tokens) for o in found.options] == [("a", -1.0, 1), ("bc", -5.0, 2)]
        assert (one.finish_reason, one.completion_tokens) == ("stop", 3)
    assert len(bodies) == 1 + 3 * 3, "one to find out, then each question alone and with each option"


def test_a_server_that_does_not_count_generated_one_token_more() -> None:
    done, _ = weigh(lambda body, nth: echo(body["prompt"]), "completion")
    found = read_likelihoods(done["k0"].text)
    assert found is not None
    assert [o.logprob for o in found.options] == [-1.0, -5.0]


def test_what_goes_into_every_request_goes_into_these() -> None:
    _, bodies = weigh(chatted, extra_body={"kb": 7})
    assert all(body["kb"] == 7 for body in bodies)


def unechoed(body: dict[str, Any], nth: int) -> Reply:
    choice = {"text": "!", "finish_reason": "length", "logprobs": {"tokens": ["!"], "token_logprobs": [-1.0]}}
    return Reply(content={"model": "m", "choices": [choice], "usage": {"prompt_tokens": 1}})


@pytest.mark.parametrize(
    ("api", "script", "says"),
    [
        ("chat", lambda body, nth: chat("2"), "its answer holds no likelihoods of the question"),
        ("completion", unechoed, "its answer holds no likelihoods of the question"),
        ("chat", lambda body, nth: failed(400, "Unrecognized argument: prompt_logprobs"), "HTTP 400: Unrecognized"),
        ("completion", lambda body, nth: failed(404, "no such path"), "HTTP 404: no such path"),
        ("completion", lambda body, nth: failed(501, "not implemented"), "HTTP 501"),
    ],
)
def test_a_server_that_gives_none_is_found_out_before_anything_is_asked(api: str, script: Script, says: str) -> None:
    with pytest.raises(InputError) as error:
        weigh(script, api)
    text = str(error.value)
    assert "task 'tcm' weighs options, and the server gives no likelihoods of given texts" in text
    assert says in text
    assert "answer: generate" in text


def test_a_refused_key_is_no_lack_of_likelihoods() -> None:
    with pytest.raises(InputError, match="the server wants a key"):
        weigh(lambda body, nth: failed(401, "key"))


def test_one_option_that_fails_fails_its_question_alone() -> None:
    def script(body: dict[str, Any], nth: int) -> Reply:
        return failed(400, "too long") if rendered(body).startswith("<q1>A:b") else chatted(body, nth)

    done, _ = weigh(script)
    assert {key: one.error for key, one in done.items()} == {"k0": "", "k1": "HTTP 400: too long", "k2": ""}


def test_an_option_that_is_infinitely_unlikely_is_an_error_of_its_question() -> None:
    def script(body: dict[str, Any], nth: int) -> Reply:
        reply = chatted(body, nth)
        if rendered(body).startswith("<q1>A:b"):
            reply.content["prompt_logprobs"][-1] = {"c": {"logprob": -math.inf}}
            return Reply(raw=json.dumps(reply.content).encode())
        return reply

    done, _ = weigh(script)
    assert done["k1"].error == "the model gives no finite likelihood to an option"


def test_the_cut_lies_where_all_options_begin_to_differ() -> None:
    """The tokenizer joined the end of the question with the beginning of the options."""
    question = Weighed(("q", ":", " "), (None, -1.0, -2.0))
    wholes = [Weighed(("q", ":", " a"), (None, -1.0, -3.0)), Weighed(("q", ":", " b", "c"), (None, -1.0, -4.0, -5.0))]
    assert options_of(question, wholes) == [[-3.0], [-4.0, -5.0]]
    with pytest.raises(Refused, match="nothing of the question or of an option"):
        options_of(question, [question])
    with pytest.raises(Refused, match="nothing of the question or of an option"):
        options_of(Weighed(("x",), (None,)), wholes)


def test_costs_are_counted_and_never_exceeded() -> None:
    prices = {"input": 1e6, "output": 0.0}
    budget = Budget(10_000.0)
    weigh(completion, "completion", budget=budget, prices=prices)
    lengths = [len("1 + 1 =2")] + [len(f"q{n}") + extra for n in range(3) for extra in (0, 1, 2)]
    assert budget.spent == sum(lengths)
    with pytest.raises(IncompleteError, match="--max-cost"):
        weigh(completion, "completion", budget=Budget(40.0), prices=prices)
