"""What the model sees in training is what it is asked later, and every answer has its end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harness.answers.direct import conversation
from harness.candidates.candidate import ModelCandidate
from harness.candidates.prompt import ChatFormat, prompt_format
from harness.errors import InputError
from harness.gold.item import Item, Message
from harness.suites.spec import load_suite
from harness.train.data import Example
from harness.train.tokens import IGNORED, TokenisedSet, end_of_answer, shown, tokenise
from tests.train.conftest import BASE, Yard

Q, A = "水的化学式是什么？", "H2O"
END = "<|im_end|>"
# The turns of Qwen3's template: thoughts go before the last answer, and only there.
THINKING = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' }}"
    "{% if m.role == 'assistant' and loop.last %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}"
    "{{ m.content + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def made(prompt: str = "chat", *, longest: int = 256, answer: str = A, system: str | None = None) -> TokenisedSet:
    base = ModelCandidate("base", BASE)
    form = prompt_format(prompt, folder=Path(), model=BASE, adapter=None)
    examples = [Example((Message(role="user", content=Q),), answer, "t.jsonl, row 1")]
    end = end_of_answer(base.tokenizer, base.stop_token_ids)
    return tokenise(examples, form, base.tokenizer, end=end, longest=longest, system=system)


@pytest.mark.parametrize("prompt", ["chat", "alpaca", "medical-zh", "plain"])
def test_the_prompt_has_the_ids_that_a_suite_asks(prompt: str) -> None:
    (sequence,) = made(prompt).sequences
    candidate = ModelCandidate("mine", BASE, prompt=prompt)
    suite, _ = load_suite("medical")
    plain = suite.tasks[0].model_copy(update={"prompt": "{question}"})
    form = candidate.format()
    text = form.render(conversation(Item(question=Q, answer=(A,)), plain, system=None))
    assert sequence.ids[: sequence.prompt] == candidate.tokenizer.encode(text, special=form.special)


@pytest.mark.parametrize("prompt", ["chat", "alpaca", "medical-zh", "plain"])
def test_the_answer_and_its_end_are_learned_and_nothing_else(prompt: str) -> None:
    (sequence,) = made(prompt).sequences
    tokenizer = ModelCandidate("base", BASE).tokenizer
    labels = sequence.labels(completion_only=True)
    assert labels[: sequence.prompt] == [IGNORED] * sequence.prompt
    assert tuple(labels[sequence.prompt :]) == sequence.ids[sequence.prompt :]
    assert labels[-1] == tokenizer.token_id(END)
    masked, learned = shown(sequence, tokenizer, completion_only=True)
    assert learned == A + END
    assert Q in masked
    assert IGNORED not in sequence.labels(completion_only=False)


def test_a_template_that_puts_thoughts_before_answers_is_followed() -> None:
    form = ChatFormat("chat", THINKING, ())
    turns = (Message(role="user", content=Q), Message(role="assistant", content="x"), Message(role="user", content=Q))
    assert form.reply(turns, A, END) == f"<think>\n\n</think>\n\n{A}{END}"


@pytest.mark.parametrize(
    "template",
    [
        "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}",
        "{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}",
    ],
    ids=["no assistant turn", "another beginning"],
)
def test_a_template_without_an_assistant_turn_is_refused(template: str) -> None:
    with pytest.raises(InputError, match="writes no assistant turn"):
        ChatFormat("chat", template, ()).reply((Message(role="user", content=Q),), A, END)


def test_what_is_too_long_is_left_out_with_its_place(yard: Yard) -> None:
    longest = len(made().sequences[0].ids)
    assert made(longest=longest).too_long == ()
    with pytest.raises(InputError, match="every example is longer than max_seq_length"):
        made(longest=longest - 1)
    yard.write("long.jsonl", [{"question": Q, "answer": A}, {"question": Q, "answer": "很长" * 300}])
    code, out, _ = yard("train", "sft", yard.config(data={"x": "long.jsonl"}), "--dry-run")
    assert code == 0
    assert "1 examples longer than 256 tokens" in out
    assert "row 2" in out


def test_a_system_prompt_of_the_config_goes_before_conversations_without_one() -> None:
    (sequence,) = made(system="你是医生。").sequences
    masked, _ = shown(sequence, ModelCandidate("base", BASE).tokenizer, completion_only=True)
    assert masked.startswith("<|im_start|>system\n你是医生。<|im_end|>")


def test_a_model_without_tokenizer_or_end_token(yard: Yard) -> None:
    model = yard.folder / "model"
    shutil.copytree(BASE, model)
    settings = json.loads((model / "tokenizer_config.json").read_text(encoding="utf-8"))
    settings.pop("eos_token")
    (model / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    code, _, err = yard("train", "sft", yard.config(base="./model"), "--dry-run")
    assert (code, "has no end-of-sequence token" in err) == (2, True)
    (model / "tokenizer.json").unlink()
    code, _, err = yard("train", "sft", yard.config(base="./model"), "--dry-run")
    assert (code, "has no tokenizer.json" in err) == (2, True)


def test_the_plan_and_the_first_examples_are_shown_before_anything_starts(yard: Yard) -> None:
    settings = {
        "data": {"medical": "medical.jsonl", "general": "general.jsonl"},
        "mix": {"medical": 4, "general": 1},
        "num_train_epochs": 2,
        "max_steps": None,
        "gradient_accumulation_steps": 2,
    }
    code, out, _ = yard("train", "sft", yard.config(**settings), "--dry-run")
    assert code == 0
    assert "rows ÷ 16 a step (8 × 2) × 2 epochs" in out
    assert out.count("masked:") == out.count("learned:") == 3
    assert all(line.rstrip().endswith("<|im_end|>'") for line in out.splitlines() if "learned:" in line)
    assert not (yard.folder / "candidates").exists()
