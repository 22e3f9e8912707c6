"""ROUGE-1, ROUGE-2 and ROUGE-L (F1) for English and Chinese."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from rapidfuzz.distance import LCSseq

from harness.gold.item import Item
from harness.scorers._references import SOURCE_DESCRIPTION, Source, is_chinese, references
from harness.scorers._tokenizers import TokenizerName, label, tokenizer
from harness.scorers.base import Score

_VERSION = 1
_METRICS = ("rouge1", "rouge2", "rougeL")
_Gram = TypeVar("_Gram")


class Rouge(BaseModel):
    """Overlap of words with a reference text: ROUGE-1, ROUGE-2 and ROUGE-L, each as F1.

    After Lin (2004), "ROUGE: A Package for Automatic Evaluation of Summaries". On English the numbers are those of the
    `rouge-score` package without stemming. On Chinese they are not, on purpose: that package's default tokenizer keeps
    only `[a-z0-9]`, so it scores two identical Chinese texts 0.0; here they score 1.0.

    With several references each metric takes its best one. An item without a reference, or whose references hold no
    token (a Chinese reference under `rouge_score`), is unscored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    tokenizer: Literal["auto", "jieba", "char", "rouge_score"] = Field(
        default="auto",
        description="jieba, char or rouge_score; auto takes jieba for Chinese items and rouge_score for others",
    )
    reference: Source = Field(default="answer", description=SOURCE_DESCRIPTION)

    @property
    def metrics(self) -> tuple[str, ...]:
        """`rouge1`, `rouge2` and `rougeL`."""
        return _METRICS

    @cached_property
    def signature(self) -> str:
        """The tokenizer with its version, the reference and how several references are aggregated."""
        automatic = f"auto({label('jieba')}/{label('rouge_score')})"
        tokens = automatic if self.tokenizer == "auto" else label(self.tokenizer)
        return f"rouge|tok:{tokens}|ref:{self.reference}|agg:max|v:{_VERSION}"

    def binary(self, metric: str) -> bool:
        """Always false."""
        return False

    def score(self, item: Item, output: str) -> tuple[Score, ...]:
        """F1 of `output` against the best reference; `extracted` shows the tokens of the output."""
        texts = references(item, self.reference)
        if not texts:
            return _unscored(f"{self.reference} is missing or empty")
        name = self._tokenizer_for(item, texts)
        known = [reference for text in texts if (reference := _reference(name, text)).tokens]
        if not known:
            return _unscored(f"the reference has no token under the tokenizer {name}")
        tokens = tokenizer(name)(output)
        if not tokens:
            return tuple(Score(metric, 0.0) for metric in _METRICS)
        ones, twos = Counter(tokens), _bigrams(tokens)
        best = (
            max(_overlap_f1(reference.ones, ones) for reference in known),
            max(_overlap_f1(reference.twos, twos) for reference in known),
            max(rouge_l(reference.tokens, tokens) for reference in known),
        )
        shown = " ".join(tokens)
        return tuple(Score(metric, value, shown) for metric, value in zip(_METRICS, best, strict=True))

    def _tokenizer_for(self, item: Item, texts: tuple[str, ...]) -> TokenizerName:
        if self.tokenizer != "auto":
            return self.tokenizer
        return "jieba" if is_chinese(item, texts) else "rouge_score"


def rouge_l(reference: Sequence[str], tokens: Sequence[str]) -> float:
    """ROUGE-L F1 of two token sequences, in [0, 1].

    The longest common subsequence comes from rapidfuzz's bit-parallel algorithm (Hyyrö 2004): exact, and hundreds of
    times faster than the usual table in Python.
    """
    return _f1(LCSseq.similarity(reference, tokens), len(reference), len(tokens))


@dataclass(frozen=True, slots=True)
class _Reference:
    tokens: tuple[str, ...]
    ones: Counter[str]
    twos: Counter[tuple[str, str]]


# The same references come back for every candidate and repeat.
@lru_cache(maxsize=8192)
def _reference(name: TokenizerName, text: str) -> _Reference:
    tokens = tuple(tokenizer(name)(text))
    return _Reference(tokens, Counter(tokens), _bigrams(tokens))


def _bigrams(tokens: Sequence[str]) -> Counter[tuple[str, str]]:
    return Counter(pairwise(tokens))


def _overlap_f1(reference: Counter[_Gram], given: Counter[_Gram]) -> float:
    common = sum(min(count, given[gram]) for gram, count in reference.items())
    return _f1(common, reference.total(), given.total())


def _f1(common: int, reference: int, given: int) -> float:
    if not common:
        return 0.0
    precision, recall = common / given, common / reference
    return 2 * precision * recall / (precision + recall)


def _unscored(note: str) -> tuple[Score, ...]:
    return tuple(Score(metric, None, note=note) for metric in _METRICS)
