"""Examples as token ids, with what is learned and what is only read.

The prompt is rendered and tokenised by the very code that asks the candidate later (`candidates.prompt`), so training
and serving cannot differ. The answer is tokenised apart and always ends in the token that ends an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.candidates.prompt import PromptFormat
from harness.candidates.tokenizer import PromptTokenizer
from harness.candidates.vision import Vision
from harness.errors import InputError
from harness.gold.images import ImageFile
from harness.gold.item import Message
from harness.train.data import Example

#: Label of a token that is not learned (torch's cross entropy leaves it out).
IGNORED = -100


@dataclass(frozen=True, slots=True)
class Tokenised:
    """One training sequence: `ids`, of which the first `prompt` are the prompt.

    Each of its `images` has one placeholder among the ids; batching makes as many of it as the picture has tokens, and
    `length` counts them so.
    """

    ids: tuple[int, ...]
    prompt: int
    images: tuple[ImageFile, ...]
    length: int

    def labels(self, *, completion_only: bool) -> list[int]:
        """As many labels as ids: the id itself where it is learned, `IGNORED` elsewhere."""
        return [IGNORED if completion_only and at < self.prompt else token for at, token in enumerate(self.ids)]

    @property
    def learned(self) -> int:
        """Tokens of the answer, its end included."""
        return len(self.ids) - self.prompt


@dataclass(frozen=True)
class TokenisedSet:
    """What is trained on.

    Attributes:
        longest: tokens that a sequence may have.
        too_long: places of examples that exceed it; they are left out.
    """

    sequences: tuple[Tokenised, ...]
    longest: int
    too_long: tuple[str, ...]

    @property
    def tokens(self) -> int:
        return sum(sequence.length for sequence in self.sequences)

    @property
    def learned(self) -> int:
        return sum(sequence.learned for sequence in self.sequences)

    @property
    def sentence(self) -> str:
        return f"{self.tokens:,} an epoch, of which {self.learned:,} are learned"


def end_of_answer(tokenizer: PromptTokenizer, stops: Sequence[int]) -> str:
    """The text of the token that an answer shall end in: the tokenizer's EOS, which must be one that serving stops at.

    Raises:
        InputError: the tokenizer has none, or no engine would stop there.
    """
    end = tokenizer.special_tokens.get("eos_token")
    token = tokenizer.token_id(end) if end is not None else None
    where = str(tokenizer.folder)
    if end is None or token is None:
        raise InputError(
            "the tokenizer has no end-of-sequence token, so that no answer would ever end",
            where=where,
            remedy="Set eos_token in tokenizer_config.json, such as <|im_end|> for Qwen's chat models.",
        )
    if token not in stops:
        raise InputError(f"serving does not stop at {end!r}, the tokenizer's end of sequence", where=where)
    return end


def tokenise(
    examples: Sequence[Example],
    form: PromptFormat,
    tokenizer: PromptTokenizer,
    *,
    end: str,
    longest: int,
    system: str | None = None,
    vision: Vision | None = None,
) -> TokenisedSet:
    """Every example in order; those longer than `longest` tokens are left out.

    Args:
        system: a system prompt for conversations that have none.
        vision: how the model sees; needed where examples have pictures.

    Raises:
        InputError: the format cannot write an answer, or no example fits.
    """
    conversations = [with_system(example.turns, system) for example in examples]
    texts = [form.render(turns, len(one.images)) for turns, one in zip(conversations, examples, strict=True)]
    prompts = tokenizer.encode_batch(texts, special=form.special)
    replies = tokenizer.encode_batch(
        [form.reply(turns, example.answer, end) for turns, example in zip(conversations, examples, strict=True)]
    )
    sequences: list[Tokenised] = []
    too_long: list[str] = []
    for example, prompt, reply in zip(examples, prompts, replies, strict=True):
        ids = (*prompt, *reply)
        if vision is not None and (fault := vision.fault(ids, example.images)):
            raise InputError(fault, where=example.place)
        length = vision.length(ids, example.images) if vision else len(ids)
        if length > longest:
            too_long.append(example.place)
        else:
            sequences.append(Tokenised(ids, len(prompt), example.images, length))
    if not sequences:
        raise InputError(
            f"every example is longer than max_seq_length ({longest} tokens)", remedy="Raise it, or shorten the texts."
        )
    return TokenisedSet(tuple(sequences), longest, tuple(too_long))


def shown(sequence: Tokenised, tokenizer: PromptTokenizer, *, completion_only: bool) -> tuple[str, str]:
    """What is masked and what is learned of a sequence, decoded from its ids: what the model really sees."""
    labels = sequence.labels(completion_only=completion_only)
    masked = [token for token, label in zip(sequence.ids, labels, strict=True) if label == IGNORED]
    learned = [token for token, label in zip(sequence.ids, labels, strict=True) if label != IGNORED]
    return tokenizer.decode(masked, skip_special=False), tokenizer.decode(learned, skip_special=False)


def with_system(turns: tuple[Message, ...], system: str | None) -> tuple[Message, ...]:
    """A conversation with a system prompt, unless it has one of its own."""
    if system is None or turns[0].role == "system":
        return turns
    return (Message(role="system", content=system), *turns)
