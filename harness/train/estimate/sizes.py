"""The shapes of Qwen2.5 by size, so that one can ask before anything is downloaded.

Numbers of the public config.json files; one key differs between base and instruct models (max_position_embeddings).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Size:
    """A row of the table; `source` is where its numbers stand."""

    source: str
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    vocab_size: int
    tie_word_embeddings: bool
    max_position_embeddings: int

    @property
    def config(self) -> dict[str, Any]:
        """As a config.json has it."""
        keys = [key for key in self.__slots__ if key != "source"]
        return {"model_type": "qwen2", **{key: getattr(self, key) for key in keys}}


def _source(size: str) -> str:
    return f"https://huggingface.co/Qwen/Qwen2.5-{size}/blob/main/config.json"


SIZES: dict[str, Size] = {
    "0.5b": Size(_source("0.5B"), 896, 4864, 24, 14, 2, 151936, True, 32768),
    "1.5b": Size(_source("1.5B"), 1536, 8960, 28, 12, 2, 151936, True, 131072),
    "3b": Size(_source("3B"), 2048, 11008, 36, 16, 2, 151936, True, 32768),
    "7b": Size(_source("7B"), 3584, 18944, 28, 28, 4, 152064, False, 131072),
    "14b": Size(_source("14B"), 5120, 13824, 48, 40, 8, 152064, False, 131072),
    "32b": Size(_source("32B"), 5120, 27648, 64, 40, 8, 152064, False, 131072),
    "72b": Size(_source("72B"), 8192, 29568, 80, 64, 8, 152064, False, 131072),
}


def is_size(text: str) -> bool:
    """Whether a user means a size: `7b`, `1.5B`."""
    return re.fullmatch(r"\d+(\.\d+)?[bB]", text) is not None
