"""What every engine is: something that turns prompts into text, item by item.

An engine is opened once for a base model and all adapters of that base (start-up costs more than a thousand answers
on a 7B model), answers requests in any order as they finish, and is closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from pydantic import ConfigDict, Field

from harness.candidates.settings import EngineSettings
from harness.candidates.tokenizer import PromptTokenizer
from harness.candidates.vision import Vision
from harness.gold.images import ImageFile
from harness.gold.item import Message
from harness.suites.answer_schema import WithAnswerSchema

FinishReason = Literal["stop", "length", "error"]


class Sampling(WithAnswerSchema):
    """How text is drawn. Part of a completion's identity, so every default is written out.

    `temperature` 0 is greedy decoding. `stop_token_ids` are the end-of-sequence ids of the model, made explicit so that
    every engine stops at the same place. `seed` matters only when temperature > 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_tokens: int = Field(256, ge=1)
    temperature: float = Field(0.0, ge=0.0)
    top_p: float = Field(1.0, gt=0.0, le=1.0)
    top_k: int = Field(0, ge=0, description="0: off")
    repetition_penalty: float = Field(1.0, gt=0.0)
    seed: int = 0
    stop: tuple[str, ...] = ()
    stop_token_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA on disk. `digest` is of its content: a retrained adapter at the same path is another adapter."""

    path: Path
    digest: str
    rank: int


@dataclass(frozen=True, slots=True)
class Request:
    """One answer wanted.

    Attributes:
        key: the completion's identity (SHA-256), returned with the completion.
        item_id, task, repeat: labels, used by the replay engine only.
        token_ids: the rendered prompt for engines that hold the weights.
        messages: the conversation, for engines that apply their own template (endpoints).
        adapter: the LoRA to answer with; None is the base.
        images: pictures of the prompt, one for each image placeholder in `token_ids`, in order.
        options: continuations whose likelihoods are wanted instead of a generated answer (multiple choice); their
            token ids. Answered by way of `Engine.logprobs`, never handed to `Engine.generate`.
        option_texts: the same as texts, in the same order: labels of the answer.
        continuation_texts: at an endpoint, in place of `options`: the texts that may follow, which it weighs itself.
    """

    key: str
    item_id: str
    task: str
    repeat: int
    sampling: Sampling
    token_ids: tuple[int, ...] = ()
    messages: tuple[Message, ...] = ()
    adapter: Adapter | None = None
    images: tuple[ImageFile, ...] = ()
    options: tuple[tuple[int, ...], ...] = ()
    option_texts: tuple[str, ...] = ()
    continuation_texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer given, or why there is none (`finish_reason` "error" and `error`).

    `latency` is in seconds from hand-over to the engine until the last token; token counts include the end token.
    """

    key: str
    text: str
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    latency: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class Continuation:
    """A text whose likelihood after a prompt is wanted (teacher forcing)."""

    prompt_ids: tuple[int, ...]
    continuation_ids: tuple[int, ...]
    adapter: Adapter | None = None
    images: tuple[ImageFile, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """One engine start: a base model, its adapters and the settings, all resolved.

    Attributes:
        model: directory of the base model.
        dtype: resolved ("auto" is not allowed here).
        quantization: None, or the engine's name for it ("bitsandbytes", "gptq", "awq", …) when it must be applied on
            load; a checkpoint that is already quantised says so in its own config.
        device: where it runs.
        max_model_len: tokens that the longest prompt and its answer need.
        max_rank: highest LoRA rank among `adapters`.
        vision: how the model sees, None for a text model.
        max_images: most pictures in one prompt.
    """

    model: Path
    tokenizer: PromptTokenizer
    dtype: Literal["float32", "bfloat16", "float16"]
    quantization: str | None
    device: Literal["cpu", "cuda"]
    max_model_len: int
    adapters: tuple[Adapter, ...] = ()
    settings: EngineSettings = field(default_factory=EngineSettings)
    vision: Vision | None = None
    max_images: int = 0

    @property
    def max_rank(self) -> int:
        return max((adapter.rank for adapter in self.adapters), default=0)


class Engine(Protocol):
    """Answers requests. Not thread-safe; `close` frees the weights and is safe to call twice."""

    @property
    def name(self) -> str:
        """`vllm`, `transformers`, `replay`, …"""
        ...

    @property
    def version(self) -> str:
        """Version of the engine and what it runs on, recorded beside every completion."""
        ...

    def generate(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        """Yield completions as they finish, in lists of those that finished together; every request exactly once.

        A request that fails yields a completion with `error`; only a failure of the whole engine raises.
        Closing the iterator early abandons what is unfinished.
        """
        ...

    def logprobs(self, continuations: Sequence[Continuation]) -> list[list[float]]:
        """Natural-log probability of each continuation token given everything before it, in the order asked."""
        ...

    def close(self) -> None: ...
