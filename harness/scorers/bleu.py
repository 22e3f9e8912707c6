"""Sentence BLEU, as sacrebleu computes it."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.gold.item import Item
from harness.scorers._references import SOURCE_DESCRIPTION, Source, is_chinese, references
from harness.scorers.base import Score

_VERSION = 1
_Tokens = Literal["zh", "13a"]


class Bleu(BaseModel):
    """Sentence BLEU with effective order, by sacrebleu: overlap of word n-grams with reference texts.

    After Papineni et al. 2002 and Post 2018; the number is sacrebleu's `sentence_bleu` divided by 100, with sacrebleu's
    own tokenizers: `zh` for Chinese items, `13a` for others. The mean over items is the mean of sentence BLEU and not
    the corpus BLEU of papers, which pools n-grams before it divides.

    An item without a reference is unscored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    tokenizer: Literal["auto", "zh", "13a"] = Field(
        default="auto",
        description="sacrebleu's tokenizer zh or 13a; auto takes zh for Chinese items and 13a for others",
    )
    reference: Source = Field(default="answer", description=SOURCE_DESCRIPTION)

    @property
    def metrics(self) -> tuple[str, ...]:
        """`bleu`."""
        return ("bleu",)

    @cached_property
    def signature(self) -> str:
        """sacrebleu's own signature, and where the references are."""
        metric = _metric("zh")
        metric.num_refs = -1  # may differ from item to item
        tokens = "auto(zh/13a)" if self.tokenizer == "auto" else self.tokenizer
        theirs = str(metric.get_signature()).replace("tok:zh", f"tok:{tokens}")
        return f"bleu|sacrebleu({theirs})|ref:{self.reference}|mean:sentences|v:{_VERSION}"

    def binary(self, metric: str) -> bool:
        """Always false."""
        return False

    def score(self, item: Item, output: str) -> tuple[Score, ...]:
        """Sentence BLEU of `output` against all references together."""
        texts = references(item, self.reference)
        if not texts:
            return (Score("bleu", None, note=f"{self.reference} is missing or empty"),)
        if not output.strip():
            return (Score("bleu", 0.0),)
        tokens = self.tokenizer if self.tokenizer != "auto" else "zh" if is_chinese(item, texts) else "13a"
        value = _metric(tokens).sentence_score(output, texts).score / 100
        return (Score("bleu", min(1.0, value), output),)  # 100.00000000000004 for some identical texts


@cache
def _metric(tokens: _Tokens) -> Any:
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(effective_order=True, tokenize=tokens)
