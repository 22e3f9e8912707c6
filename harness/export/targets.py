"""What an adapter can be exported to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.errors import InputError, did_you_mean


@dataclass(frozen=True)
class Target:
    """A form of export.

    Attributes:
        name: as the command line takes it.
        suffix: what is put behind the candidate's name.
        bits: of a weight.
        gguf: llama.cpp's name of the number format; "" where the export is a folder of safetensors.
    """

    name: str
    suffix: str
    bits: Literal[4, 8, 16]
    gguf: str = ""


TARGETS = {
    target.name: target
    for target in (
        Target("merged16", "merged16", 16),
        Target("merged4", "merged4", 4),
        Target("gguf:q8_0", "q8_0", 8, gguf="q8_0"),
        Target("gguf:q4_k_m", "q4_k_m", 4, gguf="q4_k_m"),
    )
}


def target_of(text: str) -> Target:
    """The target of `--to`.

    Raises:
        InputError: there is none of that name.
    """
    found = TARGETS.get(text.lower())
    if found is None:
        raise InputError(f"unknown target {text!r}", where="--to", remedy=did_you_mean(text, TARGETS))
    return found
