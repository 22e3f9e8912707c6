"""Multiple choice: the letter a text settles on, or the option that the model finds likeliest."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.gold.choices import LETTERS, gold_letters
from harness.gold.item import Item
from harness.scorers import _letters
from harness.scorers.base import Reads, Score
from harness.scorers.likelihoods import continuations, read_likelihoods
from harness.text import norm_label

_VERSION = 1


class Choice(BaseModel):
    """The option that was chosen is the right one.

    `generated` reads the letter out of a text (`harness.scorers._letters` says how); one that settles on no option, or
    on several where one is right, is unextracted. An item whose answer is several letters together (`ABD`) needs all
    of them.

    `loglikelihood` takes the option with the largest sum of log-probabilities (`choice`), and the largest sum divided
    by the option's length (`choice_norm`). With length in characters these are `acc` and `acc_norm` of
    lm-evaluation-harness (lm_eval/api/task.py, 0.4.13), in bytes its `acc_bytes`; letters all have length one, so there
    the two are equal. Where the best two are exactly equal the model has not chosen, and the item is wrong;
    lm-evaluation-harness takes the first, which favours A.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    method: Literal["generated", "loglikelihood"] = Field(
        default="generated", description="read the letter from a text, or compare the likelihoods of the options"
    )
    options: Literal["letter", "text"] | None = Field(
        default=None, description="whose likelihoods: the letters' (default) or the options' own texts'"
    )
    length: Literal["character", "byte"] | None = Field(
        default=None, description="unit of length for choice_norm: character (default) or byte (UTF-8)"
    )

    @model_validator(mode="after")
    def _options_belong_to_likelihoods(self) -> Choice:
        if self.method == "generated" and (self.options or self.length):
            raise ValueError("'options' and 'length' go with 'method: loglikelihood'")
        return self

    @property
    def metrics(self) -> tuple[str, ...]:
        """`choice`, and `choice_norm` for likelihoods."""
        return ("choice",) if self.method == "generated" else ("choice", "choice_norm")

    @property
    def reads(self) -> Reads:
        """A text that names a letter, or the likelihoods of letters or texts."""
        if self.method == "generated":
            return "letter"
        return "text likelihoods" if self.options == "text" else "letter likelihoods"

    @cached_property
    def signature(self) -> str:
        """The method, what the likelihoods are of and what they are divided by, and the rules by version."""
        if self.method == "generated":
            return f"choice|method:generated|norm:{norm_label()}|extract:{_letters.VERSION}|v:{_VERSION}"
        options, length = self.options or "letter", self.length or "character"
        return f"choice|method:loglikelihood|options:{options}|norm:per-{length}|ties:wrong|v:{_VERSION}"

    def binary(self, metric: str) -> bool:
        """Always true."""
        return True

    def score(self, item: Item, output: str) -> tuple[Score, ...]:
        """1.0 for the right option.

        Raises:
            ValueError: the item has no options, or likelihoods are wanted and `output` holds none of this item.
        """
        accepted = gold_letters(item)
        if self.method == "generated":
            return (_of_text(item, output, accepted),)
        return self._of_likelihoods(item, output, accepted)

    def _of_likelihoods(self, item: Item, output: str, accepted: tuple[str, ...]) -> tuple[Score, ...]:
        found = read_likelihoods(output)
        texts = continuations(item, self.reads)
        if found is None or tuple(option.text for option in found.options) != texts:
            raise ValueError("the answer does not hold the likelihoods of this item's options")
        sums = [option.logprob for option in found.options]
        lengths = [len(text.encode()) if self.length == "byte" else len(text) for text in texts]
        normed = [value / length for value, length in zip(sums, lengths, strict=True)]
        return (_best("choice", sums, accepted), _best("choice_norm", normed, accepted))


def _of_text(item: Item, output: str, accepted: tuple[str, ...]) -> Score:
    given = _letters.settled(output, item)
    if given is None or (len(given) > 1 and all(len(answer) == 1 for answer in accepted)):
        return Score("choice", 0.0)
    return Score("choice", float(given in accepted), given)


def _best(metric: str, values: list[float], accepted: tuple[str, ...]) -> Score:
    best = max(values)
    chosen = [letter for letter, value in zip(LETTERS, values, strict=False) if value == best]
    return Score(metric, float(len(chosen) == 1 and chosen[0] in accepted), "=".join(chosen))
