"""Sentence chrF and chrF++, as sacrebleu computes them."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from harness.gold.item import Item
from harness.scorers._references import SOURCE_DESCRIPTION, Source, references
from harness.scorers.base import Score

_VERSION = 1


class Chrf(BaseModel):
    """Sentence chrF by sacrebleu: F-score (recall twice as heavy) of character n-grams with a reference text.

    After Popović 2015; `word_order: 2` is chrF++ (Popović 2017). The number is sacrebleu's `sentence_chrf` divided by
    100. It needs no tokenizer, so it is the same for Chinese and English; with several references the best counts.

    An item without a reference is unscored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    word_order: int = Field(default=0, ge=0, le=2, description="longest word n-gram: 0 is chrF, 2 is chrF++")
    reference: Source = Field(default="answer", description=SOURCE_DESCRIPTION)

    @property
    def metrics(self) -> tuple[str, ...]:
        """`chrf`."""
        return ("chrf",)

    @cached_property
    def signature(self) -> str:
        """sacrebleu's own signature, and where the references are."""
        metric = _metric(self.word_order)
        metric.num_refs = -1  # may differ from item to item
        return f"chrf|sacrebleu({metric.get_signature()})|ref:{self.reference}|mean:sentences|v:{_VERSION}"

    def binary(self, metric: str) -> bool:
        """Always false."""
        return False

    def score(self, item: Item, output: str) -> tuple[Score, ...]:
        """Sentence chrF of `output` against the best reference."""
        texts = references(item, self.reference)
        if not texts:
            return (Score("chrf", None, note=f"{self.reference} is missing or empty"),)
        if not output.strip():
            return (Score("chrf", 0.0),)
        value = _metric(self.word_order).sentence_score(output, texts).score / 100
        return (Score("chrf", min(1.0, value), output),)


@cache
def _metric(word_order: int) -> Any:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF(word_order=word_order)
