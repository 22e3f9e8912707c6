"""What every engine does with pictures, against plain transformers with Qwen's own processor."""

from __future__ import annotations

import pytest

from harness.engines.base import Request
from tests.engines.vision import tiny
from tests.engines.vision.conftest import WINDOW, Asked, Reference, Seeing


def right(asked: Asked, name: str, shown: list[tiny.Shown]) -> int:
    """How many of the questions an answer is right to."""
    return sum(asked.completions[f"{name}|{s.question}|{s.pictures}"].text == s.answer for s in shown)


def good(asked: Asked) -> dict[str, Request]:
    return {key: request for key, request in asked.requests.items() if "|" in key}


def test_answers_are_those_of_plain_transformers(answered: Asked, reference: Reference, seeing: Seeing) -> None:
    for key, request in good(answered).items():
        expected = reference.greedy(request)
        text = seeing.spec.tokenizer.decode([token for token in expected if token != 2])
        found = answered.completions[key]
        assert (found.text, found.completion_tokens) == (text, len(expected)), key


def test_every_answer_is_about_its_own_picture(answered: Asked) -> None:
    """The same words are asked of sixteen pictures in shared batches: a picture of another prompt would show."""
    assert right(answered, "lora", tiny.ONE) == len(tiny.ONE)
    assert right(answered, "lora", tiny.TWO) == len(tiny.TWO)


def test_the_adapter_answers_and_the_base_stays_itself(answered: Asked) -> None:
    # The base calls red green and green red.
    plain = [s for s in tiny.ONE if not {"red", "green"} & set(s.answer.split())]
    assert right(answered, "base", tiny.ONE) == right(answered, "base", plain) == len(plain)


def test_questions_without_pictures_are_answered_as_ever(answered: Asked) -> None:
    assert right(answered, "base", tiny.TEXT) == right(answered, "lora", tiny.TEXT) == len(tiny.TEXT)


def test_likelihoods_are_those_of_plain_transformers(answered: Asked, reference: Reference) -> None:
    for key, continuation in answered.continuations.items():
        assert answered.logprobs[key] == pytest.approx(reference.logprobs(continuation), abs=2e-4), key


def test_prompt_tokens_count_what_the_pictures_take(answered: Asked, reference: Reference) -> None:
    for key, request in good(answered).items():
        expected = reference.inputs(request)["input_ids"].shape[1]
        assert answered.completions[key].prompt_tokens == expected, key


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("gone", "cannot be read"),
        ("changed", "was changed while this was running"),
        ("too few", "1 places for pictures, and there are 0"),
        ("too many", "3 pictures, and the engine was started for 2"),
        ("too long", f"more than max_model_len {WINDOW}"),
    ],
)
def test_what_cannot_be_shown_is_an_error_of_that_request_alone(answered: Asked, key: str, said: str) -> None:
    found = answered.completions[key]
    assert found.finish_reason == "error"
    assert said in found.error
