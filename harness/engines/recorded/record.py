"""What every reader of recorded outputs gives: one answer, and what is known about the question it answers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.engines.base import FinishReason
from harness.engines.recorded.shape import Shape
from harness.errors import InputError

#: Counts are stored in 64 bits.
_COUNTS_END = 1 << 63


@dataclass(frozen=True, slots=True)
class Option:
    """How likely a text was after the prompt: the sum of its tokens' natural-log probabilities."""

    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class Record:
    """One recorded answer, before it is known whose item it belongs to.

    Attributes:
        where: file and place, for errors.
        output: the text as the model wrote it; "" where `options` hold the answer.
        item_id: an id that the data set itself gave the question; never the position of a row.
        task: what the other tool called the task or data set; a hint.
        question: the question alone, where the tool kept it apart from the prompt.
        prompt: what the model was shown last: the user's turn, or the whole prompt. The question stands in it.
        options: likelihoods in place of a text, in the order in which they were asked.
        prompt_tokens, completion_tokens: 0 where the tool counted none.
        latency: seconds; 0.0 where the tool took none.

    Raises:
        InputError: a count or a time that is none; files are not to be trusted with their types.
    """

    where: str
    output: str
    item_id: str | None = None
    task: str | None = None
    repeat: int = 0
    question: str | None = None
    prompt: str = ""
    options: tuple[Option, ...] = ()
    finish_reason: FinishReason = "stop"
    error: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    latency: float = 0.0

    def __post_init__(self) -> None:
        for count in (self.prompt_tokens, self.completion_tokens):
            if type(count) is not int or not 0 <= count < _COUNTS_END:
                raise InputError("the number of tokens must be a whole number from 0", where=self.where)
        if type(self.latency) not in (int, float) or not 0 <= self.latency <= sys.float_info.max:
            raise InputError("the time must be a number of seconds from 0", where=self.where)


class Reader(Protocol):
    """A format of recorded outputs."""

    @property
    def name(self) -> str:
        """What users call it: `lm-eval samples`."""
        ...

    @property
    def names_items(self) -> bool:
        """True where a record's `item_id` and `task` are ours by contract, so that nothing has to be searched."""
        ...

    def recognises(self, shape: Shape) -> bool:
        """True for a file of this format."""
        ...

    def read(self, path: Path) -> Iterator[Record]:
        """The records of one file, in its order, one at a time.

        Raises:
            InputError: broken or not of this format after all; names the file and the place in it.
        """
        ...
