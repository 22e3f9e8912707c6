"""What every engine that holds weights promises, checked on each against plain transformers and PEFT."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.engines.base import Adapter, Completion, Continuation, Engine, Request, Sampling
from harness.errors import InputError
from tests.engines.conftest import EOS_ID, PROMPTS, Reference, Tiny

TOKENS = 20


def answers(engine: Engine, requests: list[Request]) -> dict[str, Completion]:
    """Every completion by key; each request has to be answered exactly once."""
    found: dict[str, Completion] = {}
    for finished in engine.generate(requests):
        assert finished, "an empty list was yielded"
        for completion in finished:
            assert completion.key not in found
            found[completion.key] = completion
    assert found.keys() == {request.key for request in requests}
    return found


def everyone(tiny: Tiny, sampling: Sampling) -> list[Request]:
    """Every prompt asked of the base and both LoRAs, mixed."""
    return [
        tiny.request(f"{name} {text}", text, sampling, adapter)
        for text in PROMPTS
        for name, adapter in tiny.adapters.items()
    ]


def ids_of(completion: Completion) -> list[int]:
    return [int(token) for token in completion.text.split()]


@pytest.mark.usefixtures("as_ids")
def test_base_and_loras_in_one_call_answer_exactly_as_transformers_and_peft_do(
    engine: Engine, tiny: Tiny, reference: Reference
) -> None:
    found = answers(engine, everyone(tiny, Sampling(max_tokens=TOKENS)))
    for text in PROMPTS:
        ids = tiny.tokenizer.encode(text)
        expected = {name: reference.greedy(name, ids, TOKENS) for name in tiny.adapters}
        assert {name: ids_of(found[f"{name} {text}"]) for name in tiny.adapters} == expected
        assert len({tuple(answer) for answer in expected.values()}) == 3, "the LoRAs have no effect on this prompt"
    assert {c.finish_reason for c in found.values()} == {"length"}
    assert {c.completion_tokens for c in found.values()} == {TOKENS}
    assert all(c.prompt_tokens == len(tiny.tokenizer.encode(key.split(" ", 1)[1])) for key, c in found.items())
    assert all(c.latency > 0 for c in found.values())


@pytest.mark.usefixtures("as_ids")
def test_only_the_ids_of_the_request_end_an_answer(engine: Engine, tiny: Tiny, reference: Reference) -> None:
    for text in PROMPTS:
        ids = tiny.tokenizer.encode(text)
        plain = reference.greedy("base", ids, TOKENS)
        stop = next(token for place, token in enumerate(plain) if place >= 4 and token not in plain[:place])
        place = plain.index(stop)
        found = answers(engine, [tiny.request("k", text, Sampling(max_tokens=TOKENS, stop_token_ids=(stop,)))])["k"]
        assert ids_of(found) == plain[:place], "the end token is no part of the text"
        assert (found.finish_reason, found.completion_tokens) == ("stop", place + 1)


@pytest.mark.usefixtures("as_ids")
def test_the_eos_of_the_models_own_config_does_not_end_an_answer(
    engine: Engine, tiny: Tiny, reference: Reference
) -> None:
    import torch

    through = {}
    pairs = torch.cartesian_prod(torch.arange(10, 60), torch.arange(10, 60))
    for name in tiny.adapters:
        first = reference.next_tokens(name, pairs)
        for ids in pairs[first == EOS_ID][:2].tolist():
            through[f"{name} {ids}"] = (name, tuple(ids), reference.greedy(name, tuple(ids), 8))
    assert through, "no prompt makes the tiny model say its EOS"
    requests = [
        Request(key, key, "t", 0, Sampling(max_tokens=8), token_ids=ids, adapter=tiny.adapters[name])
        for key, (name, ids, _) in through.items()
    ]
    assert {key: ids_of(c) for key, c in answers(engine, requests).items()} == {k: v[2] for k, v in through.items()}


def test_a_stop_string_ends_the_answer_before_it(engine: Engine, tiny: Tiny, reference: Reference) -> None:
    tried = 0
    for text in PROMPTS:
        plain = reference.greedy("a", tiny.tokenizer.encode(text), TOKENS)
        whole = tiny.tokenizer.decode(plain)
        stop = next((char for char in whole[3:] if char.isascii() and char.isprintable() and char not in whole[:3]), "")
        if not stop:
            continue
        tried += 1
        last = next(n for n in range(1, TOKENS + 1) if stop in tiny.tokenizer.decode(plain[:n]))
        request = tiny.request("k", text, Sampling(max_tokens=TOKENS, stop=("never said", stop)), tiny.lora_a)
        found = answers(engine, [request])["k"]
        assert found.text == whole[: whole.index(stop)]
        assert (found.finish_reason, found.completion_tokens) == ("stop", last)
    assert tried >= 3


def test_answers_arrive_as_they_finish_and_the_rest_can_be_abandoned(engine: Engine, tiny: Tiny) -> None:
    requests = [
        tiny.request(f"{length}", text, Sampling(max_tokens=length))
        for length, text in zip((2, 60, 30, 90, 5), PROMPTS, strict=False)
    ]
    order = [completion.key for finished in engine.generate(requests) for completion in finished]
    assert order == ["2", "5", "30", "60", "90"]
    stream = engine.generate(requests)
    assert [completion.key for completion in next(iter(stream))] == ["2"]
    stream.close()  # type: ignore[attr-defined]
    assert set(answers(engine, requests)) == {"2", "5", "30", "60", "90"}


@pytest.mark.usefixtures("as_ids")
def test_repetition_penalty_is_that_of_transformers(engine: Engine, tiny: Tiny, reference: Reference) -> None:
    found = answers(engine, everyone(tiny, Sampling(max_tokens=TOKENS, repetition_penalty=1.4)))
    for text in PROMPTS:
        ids = tiny.tokenizer.encode(text)
        for name in tiny.adapters:
            expected = reference.greedy(name, ids, TOKENS, repetition_penalty=1.4)
            assert ids_of(found[f"{name} {text}"]) == expected


@pytest.mark.usefixtures("as_ids")
def test_a_sampled_answer_depends_on_its_key_and_seed_and_not_on_the_batch(engine: Engine, tiny: Tiny) -> None:
    sampling = Sampling(max_tokens=TOKENS, temperature=1.0, top_p=0.95, seed=3)
    requests = [replace(request, key=f"{request.key} {n}") for request in everyone(tiny, sampling) for n in range(2)]
    together = {key: c.text for key, c in answers(engine, requests).items()}
    alone = {key: c.text for request in requests[:9] for key, c in answers(engine, [request]).items()}
    assert alone == {key: together[key] for key in alone}
    assert len(set(together.values())) == len(together), "two repeats drew the same text"
    other = [replace(request, sampling=sampling.model_copy(update={"seed": 4})) for request in requests[:9]]
    assert all(c.text != together[key] for key, c in answers(engine, other).items())


@pytest.mark.usefixtures("as_ids")
@pytest.mark.parametrize(("top_k", "top_p"), [(0, 1.0), (5, 1.0), (0, 0.6)])
def test_sampling_follows_the_models_distribution(
    engine: Engine, tiny: Tiny, reference: Reference, top_k: int, top_p: float
) -> None:
    import torch

    sampling = Sampling(max_tokens=1, temperature=2.0, top_k=top_k, top_p=top_p)
    draws = 1500
    found = answers(engine, [tiny.request(f"{n}", PROMPTS[3], sampling, tiny.lora_b) for n in range(draws)])
    logits = reference.log_softmax("b", tiny.tokenizer.encode(PROMPTS[3]))[-1] / 2.0
    chances = torch.softmax(logits, dim=-1)
    ordered, order = chances.sort(descending=True)
    kept = top_k or (int((ordered.cumsum(0) - ordered < top_p).sum()))
    expected = torch.zeros_like(chances)
    expected[order[:kept]] = ordered[:kept] / ordered[:kept].sum()
    seen = torch.bincount(torch.tensor([ids_of(c)[0] for c in found.values()]), minlength=len(expected)) / draws
    assert float(seen[expected == 0].sum()) == 0.0
    # Expected distance of a sample from its own distribution, and room for chance.
    noise = float((expected * (1 - expected) / draws * 2 / torch.pi).sqrt().sum()) / 2
    assert float((seen - expected).abs().sum()) / 2 < 1.4 * noise


def test_log_likelihoods_are_those_of_a_plain_forward_pass(engine: Engine, tiny: Tiny, reference: Reference) -> None:
    asked, expected = [], []
    for n, text in enumerate(PROMPTS):
        for name, adapter in tiny.adapters.items():
            prompt, answer = tiny.tokenizer.encode(text), tiny.tokenizer.encode(PROMPTS[n - 1])
            asked.append(Continuation(prompt, answer, adapter))
            table = reference.log_softmax(name, prompt + answer)
            expected.append([float(table[len(prompt) + i - 1, token]) for i, token in enumerate(answer)])
    asked.append(Continuation(tiny.tokenizer.encode("cat"), ()))
    expected.append([])
    found = engine.logprobs(asked)
    assert [len(row) for row in found] == [len(row) for row in expected]
    for got, wanted in zip(found, expected, strict=True):
        assert got == pytest.approx(wanted, abs=1e-3)


def test_likelihoods_of_single_tokens_after_one_prompt_are_those_of_each_alone(
    engine: Engine, tiny: Tiny, reference: Reference
) -> None:
    """As the letters of options are asked for; other numbers of options and longer ones are among them."""
    asked, expected = [], []
    for n, text in enumerate(PROMPTS):
        for name, adapter in tiny.adapters.items():
            prompt = tiny.tokenizer.encode(text)
            table = reference.log_softmax(name, prompt)[-1]
            tokens = [0, *range(60 + n, 62 + 2 * n), 60 + n]  # id 0 is what lists are filled up with
            asked += [Continuation(prompt, (token,), adapter) for token in tokens]
            expected += [[float(table[token])] for token in tokens]
            asked.append(Continuation(prompt, (60, 61), adapter))
            both = reference.log_softmax(name, (*prompt, 60))
            expected.append([float(both[-2][60]), float(both[-1][61])])
    for got, wanted in zip(engine.logprobs(asked), expected, strict=True):
        assert got == pytest.approx(wanted, abs=1e-3)


def test_log_likelihoods_need_a_prompt(engine: Engine) -> None:
    with pytest.raises(InputError, match=r"continuation 0.*empty prompt"):
        engine.logprobs([Continuation((), (5, 6))])


def test_a_text_as_long_as_the_engine_was_opened_for_has_a_likelihood(engine: Engine) -> None:
    (row,) = engine.logprobs([Continuation((5,) * 100, (6,) * 28)])
    assert len(row) == 28
    with pytest.raises(InputError, match="max_model_len"):
        engine.logprobs([Continuation((5,) * 100, (6,) * 29)])


def test_a_request_that_cannot_be_answered_says_why_and_the_others_are_answered(engine: Engine, tiny: Tiny) -> None:
    sampling = Sampling(max_tokens=8)
    stranger = Adapter(Path("elsewhere"), "other digest", 8)
    requests = [
        replace(tiny.request("empty", "a", sampling), token_ids=()),
        replace(tiny.request("long", "a", sampling), token_ids=(5,) * 121),
        replace(tiny.request("vocabulary", "a", sampling), token_ids=(5, 320)),
        replace(tiny.request("negative", "a", sampling), token_ids=(5, -1)),
        replace(tiny.request("stranger", "a", sampling), adapter=stranger),
        replace(tiny.request("just fits", "a", sampling), token_ids=(5,) * 120),
    ]
    found = answers(engine, requests)
    assert found["just fits"].finish_reason == "length"
    del found["just fits"]
    assert {c.finish_reason for c in found.values()} == {"error"}
    assert "no token ids" in found["empty"].error
    assert "need 129 tokens, more than max_model_len 128" in found["long"].error
    assert "token id 320" in found["vocabulary"].error
    assert "token id -1" in found["negative"].error
    assert "elsewhere" in found["stranger"].error


def test_no_requests_no_answers(engine: Engine) -> None:
    assert list(engine.generate([])) == []
    assert engine.logprobs([]) == []


def test_the_version_names_what_it_runs_on(engine: Engine) -> None:
    assert engine.name in {"vllm", "transformers"}
    assert "torch 2." in engine.version


def test_importing_engines_imports_nothing_heavy() -> None:
    code = (
        "import sys, pkgutil, importlib, harness.engines as e\n"
        "[importlib.import_module(f'harness.engines.{m.name}') for m in pkgutil.iter_modules(e.__path__)]\n"
        "print([m for m in ('torch', 'transformers', 'vllm', 'peft', 'numpy', 'pynvml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
