"""Which reference texts of an item an answer is compared with, and in which language they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from harness.gold.item import Item
from harness.text import has_han

#: The accepted answers, or the item's `metadata.reference` (a text, or several).
Source = Literal["answer", "metadata.reference"]

SOURCE_DESCRIPTION = "what to compare with: the accepted answers, or the item's metadata.reference"


def references(item: Item, source: Source) -> tuple[str, ...]:
    """The reference texts that are not blank."""
    if source == "answer":
        texts: Sequence[object] = item.answer
    else:
        given = item.metadata.get("reference")
        texts = given if isinstance(given, list | tuple) else (given,)
    return tuple(text for text in texts if isinstance(text, str) and text.strip())


def is_chinese(item: Item, texts: Iterable[str]) -> bool:
    """True for a Chinese item or reference.

    The output has no say: both sides of a comparison are measured with the same ruler.
    """
    return item.language.lower().startswith(("zh", "yue")) or any(map(has_han, texts))
