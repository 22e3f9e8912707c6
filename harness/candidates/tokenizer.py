"""Text to token ids and back, without importing transformers or torch.

Prompts are rendered and tokenised here once, from the model's own `tokenizer.json`, and every engine is handed the same
ids. That is what makes engines comparable, lets a repeated comparison start nothing, and keeps a library from silently
replacing the pre-tokenizer (transformers does so beside a `qwen2` config).
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.digest import digest_file
from harness.errors import InputError


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from `path`, or {} when there is no such file; a broken file is the user's to mend."""
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"is not valid JSON ({error})", where=str(path), remedy="Copy the file again.") from None
    if not isinstance(value, dict):
        raise InputError("must hold a JSON object", where=str(path))
    return value


class PromptTokenizer:
    """The tokenizer of a model directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "tokenizer.json").is_file():
            raise InputError(
                "has no tokenizer.json",
                where=str(folder),
                remedy="Save the fast tokenizer beside the weights: tokenizer.save_pretrained(…).",
            )

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        return Tokenizer.from_file(str(self.folder / "tokenizer.json"))

    @cached_property
    def config(self) -> dict[str, Any]:
        """`tokenizer_config.json`."""
        return read_json(self.folder / "tokenizer_config.json")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `tokenizer.json`."""
        return digest_file(self.folder / "tokenizer.json")

    @property
    def vocab_size(self) -> int:
        return int(self._tokenizer.get_vocab_size(with_added_tokens=True))

    def encode(self, text: str, *, special: bool = False) -> tuple[int, ...]:
        """Token ids; `special` adds what the tokenizer puts around plain text (a chat template writes its own)."""
        return tuple(self._tokenizer.encode(text, add_special_tokens=special).ids)

    def encode_batch(self, texts: list[str], *, special: bool = False) -> list[tuple[int, ...]]:
        """As `encode`, for many texts, in parallel."""
        return [tuple(e.ids) for e in self._tokenizer.encode_batch(texts, add_special_tokens=special)]

    def decode(self, ids: tuple[int, ...] | list[int], *, skip_special: bool = True) -> str:
        """Text of `ids`; special tokens are dropped unless asked for."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=skip_special))

    def token_id(self, token: str) -> int | None:
        found = self._tokenizer.token_to_id(token)
        return None if found is None else int(found)

    @cached_property
    def added_tokens(self) -> tuple[str, ...]:
        """Texts that become one token wherever they stand: special tokens, and words that were added later."""
        added = read_json(self.folder / "tokenizer.json").get("added_tokens", [])
        return tuple(str(one["content"]) for one in added if isinstance(one, dict) and "content" in one)

    @cached_property
    def special_tokens(self) -> dict[str, str]:
        """`bos_token`, `eos_token`, … as text, from `tokenizer_config.json` or `special_tokens_map.json`."""
        found: dict[str, str] = {}
        for source in (read_json(self.folder / "special_tokens_map.json"), self.config):
            for name, value in source.items():
                text = value.get("content") if isinstance(value, dict) else value
                if name.endswith("_token") and isinstance(text, str):
                    found[name] = text
        return found
