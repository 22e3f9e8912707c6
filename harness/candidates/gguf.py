"""A model folder whose weights are one GGUF file; configuration and tokenizer stand beside it as in any other.

Transformers reads such a file and turns its numbers back into those of the model (`from_pretrained(…, gguf_file=…)`),
so that what a conversion and a quantisation did to it can be seen. The arithmetic of llama.cpp is not seen by that.

Source: https://huggingface.co/docs/transformers/gguf.
"""

from __future__ import annotations

from pathlib import Path

SUFFIX = ".gguf"


def gguf_file(folder: Path) -> Path | None:
    """The GGUF that is this folder's weights; None where it has safetensors, or several to choose of."""
    found = sorted(folder.glob(f"*{SUFFIX}"))
    return found[0] if len(found) == 1 and not any(folder.glob("*.safetensors")) else None
