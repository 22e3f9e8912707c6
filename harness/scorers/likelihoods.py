"""How likely a model finds each option of a multiple-choice item: what is stored in place of a generated text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.gold.choices import LETTERS, letters
from harness.gold.item import Item
from harness.scorers.base import Reads

#: Why an answer failed of which a likelihood overflowed.
NOT_FINITE = "the model gives no finite likelihood to an option"


class OptionLikelihood(BaseModel):
    """One option.

    Attributes:
        text: the continuation, as the scorer compares it (a letter or an option's text, without a leading space).
        logprob: sum of the natural-log probabilities of its tokens after the prompt.
        tokens: how many they are; None where another tool recorded the sum alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    logprob: float = Field(allow_inf_nan=False)
    tokens: int | None = Field(default=None, ge=1)


class OptionLikelihoods(BaseModel):
    """All options of one item, in its order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    options: tuple[OptionLikelihood, ...] = Field(min_length=1)

    def to_json(self) -> str:
        """The one form in which it is stored, recorded and compared."""
        return self.model_dump_json()


def weighed_text(texts: Sequence[str], logprobs: Sequence[Sequence[float]]) -> str | None:
    """The answer that says how likely each option is; None where a likelihood is not finite (`NOT_FINITE`).

    Args:
        texts: the options.
        logprobs: of the tokens of each, natural logarithms.
    """
    sums = [math.fsum(values) for values in logprobs]
    if not all(map(math.isfinite, sums)):
        return None
    return OptionLikelihoods(
        options=tuple(
            OptionLikelihood(text=text, logprob=value, tokens=len(values))
            for text, value, values in zip(texts, sums, logprobs, strict=True)
        )
    ).to_json()


def read_likelihoods(text: str) -> OptionLikelihoods | None:
    """What `to_json` wrote, or None where `text` is something else (a generated answer)."""
    if not text.startswith("{") or '"logprob"' not in text:
        return None
    try:
        return OptionLikelihoods.model_validate_json(text)
    except ValidationError:
        return None


def continuations(item: Item, reads: Reads) -> tuple[str, ...]:
    """The texts whose likelihoods are wanted after the prompt: the letters or the options themselves."""
    if reads == "letter likelihoods":
        return tuple(letters(item))
    return tuple(text.strip() for text in item.choices or ())


def readable(output: str) -> str:
    """An answer for people: likelihoods as `B (A -2.31, B -0.12, …)`, a generated text as it stands."""
    found = read_likelihoods(output)
    if found is None:
        return output
    best = max(option.logprob for option in found.options)
    pairs = list(zip(LETTERS, found.options, strict=False))
    chosen = "=".join(letter for letter, option in pairs if option.logprob == best)
    return f"{chosen} ({', '.join(f'{letter} {option.logprob:.2f}' for letter, option in pairs)})"
