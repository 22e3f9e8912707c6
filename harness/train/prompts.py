"""Questions that are answered while training, with what rewards are given: the gold answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.candidates.prompt import PromptFormat
from harness.candidates.tokenizer import PromptTokenizer
from harness.errors import InputError
from harness.train.data import Example
from harness.train.tokens import with_system


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question: its text and token ids, up to where the answer starts."""

    text: str
    ids: tuple[int, ...]
    gold: str


@dataclass(frozen=True)
class PromptSet:
    """What is asked in one epoch.

    Attributes:
        longest: tokens that a question may have.
        too_long: places of examples that exceed it; they are left out.
    """

    prompts: tuple[Prompt, ...]
    longest: int
    too_long: tuple[str, ...]

    @property
    def tokens(self) -> int:
        return sum(len(prompt.ids) for prompt in self.prompts)

    @property
    def sentence(self) -> str:
        return f"{self.tokens:,} in the questions of an epoch"


def render_prompts(
    examples: Sequence[Example],
    form: PromptFormat,
    tokenizer: PromptTokenizer,
    *,
    longest: int,
    system: str | None = None,
) -> PromptSet:
    """Every question in order, as the candidate is asked later; those longer than `longest` tokens are left out.

    Raises:
        InputError: no question fits.
    """
    texts = [form.render(with_system(example.turns, system)) for example in examples]
    rendered = tokenizer.encode_batch(texts, special=form.special)
    prompts: list[Prompt] = []
    too_long: list[str] = []
    for example, text, ids in zip(examples, texts, rendered, strict=True):
        if len(ids) > longest:
            too_long.append(example.place)
        else:
            prompts.append(Prompt(text, tuple(ids), example.answer))
    if not prompts:
        raise InputError(
            f"every question is longer than max_seq_length less max_completion_length ({longest} tokens)",
            remedy="Raise max_seq_length, or lower max_completion_length.",
        )
    return PromptSet(tuple(prompts), longest, tuple(too_long))
