"""What decides a completion's text, and so its key in the completion store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.digest import digest_json
from harness.engines.base import Adapter, Continuation, Sampling
from harness.gold.images import ImageFile
from harness.gold.item import Message


@dataclass(frozen=True)
class EngineIdentity:
    """What all completions of one engine start have in common.

    The engine's version is not part of it: it is recorded beside each completion, so that a comparison can see a mix
    of versions and regenerate the older side.

    Attributes:
        model: digest of the base weights and their configuration.
        tokenizer: digest of the tokenizer that decodes.
        args: the user's pass-through arguments, any of which may change the text.
    """

    engine: str
    model: str
    tokenizer: str
    dtype: str
    quantization: str | None = None
    args: Mapping[str, Any] = field(default_factory=dict)

    def completion_key(
        self,
        token_ids: tuple[int, ...],
        sampling: Sampling,
        adapter: Adapter | None,
        *,
        repeat: int = 0,
        variant: str = "",
        images: tuple[ImageFile, ...] = (),
        options: tuple[tuple[int, ...], ...] = (),
        messages: tuple[Message, ...] = (),
        continuations: tuple[str, ...] = (),
    ) -> str:
        """Key of the answer to a rendered prompt. Neither item id nor gold answer is in it.

        Args:
            messages: the conversation, where another renders it.
            continuations: texts whose likelihoods are wanted, where another tokenizes them.
            variant: tells apart deliberate repetitions under other conditions (another batching).
        """
        return digest_json(
            {
                **self._common(adapter),
                "prompt": token_ids,
                "sampling": sampling.model_dump(mode="json"),
                "repeat": repeat,
                "variant": variant,
                # Absent when empty, so that the keys of text answers stay what they were.
                **({"images": [image.digest for image in images]} if images else {}),
                **({"options": options} if options else {}),
                **({"continuations": continuations} if continuations else {}),
                **({"messages": [[turn.role, turn.content] for turn in messages]} if messages else {}),
            }
        )

    def continuation_key(self, continuation: Continuation, *, variant: str = "") -> str:
        """Key of the log-probabilities of a continuation."""
        return digest_json(
            {
                **self._common(continuation.adapter),
                "prompt": continuation.prompt_ids,
                "continuation": continuation.continuation_ids,
                "variant": variant,
                **({"images": [image.digest for image in continuation.images]} if continuation.images else {}),
            }
        )

    def _common(self, adapter: Adapter | None) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "model": self.model,
            "tokenizer": self.tokenizer,
            "dtype": self.dtype,
            "quantization": self.quantization,
            "args": dict(self.args),
            "adapter": adapter.digest if adapter else None,
        }
