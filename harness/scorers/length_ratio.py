"""How long an answer is beside its reference."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.gold.item import Item
from harness.scorers._references import SOURCE_DESCRIPTION, Source, is_chinese, references
from harness.scorers._tokenizers import label, tokenizer
from harness.scorers.base import Score
from harness.text import fold_width

_VERSION = 1
_METRICS = ("length_ratio", "length_enough", "length_brief")


class LengthRatio(BaseModel):
    """The answer is as long as the reference: 1 for equal length, 0.5 for half and for twice as long.

    With r = length of the answer / length of the reference, `length_ratio` is min(r, 1/r), since a score lies between 0
    and 1. Which way it went is told by two more: `length_enough` is min(r, 1), below 1 where answers are too short, and
    `length_brief` is min(1/r, 1), below 1 where they are too long. `extracted` shows both lengths.

    With several references the one nearest in length counts. An item without a reference is unscored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    unit: Literal["character", "word"] = Field(
        default="character", description="characters that are no space, or words (jieba for Chinese items)"
    )
    reference: Source = Field(default="answer", description=SOURCE_DESCRIPTION)

    @property
    def metrics(self) -> tuple[str, ...]:
        """`length_ratio`, `length_enough` and `length_brief`."""
        return _METRICS

    @cached_property
    def signature(self) -> str:
        """What is counted, and the scale."""
        unit = "character(nfkc)" if self.unit == "character" else f"word({label('jieba')}/char)"
        return f"length_ratio|unit:{unit}|scale:min(r,1/r)|ref:{self.reference}|agg:nearest|v:{_VERSION}"

    def binary(self, metric: str) -> bool:
        """Always false."""
        return False

    def score(self, item: Item, output: str) -> tuple[Score, ...]:
        """Lengths of `output` and of the nearest reference, compared."""
        texts = references(item, self.reference)
        chinese = is_chinese(item, texts)
        lengths = [length for text in texts if (length := self._length(text, chinese))]
        if not lengths:
            return tuple(Score(metric, None, note=f"{self.reference} is missing or empty") for metric in _METRICS)
        given = self._length(output, chinese)
        if not given:
            return tuple(Score(metric, 0.0) for metric in _METRICS)
        ratio = max((given / length for length in lengths), key=lambda r: min(r, 1 / r))
        shown = f"{given}/{round(given / ratio)} {self.unit}s"
        values = (min(ratio, 1 / ratio), min(ratio, 1.0), min(1 / ratio, 1.0))
        return tuple(Score(metric, value, shown) for metric, value in zip(_METRICS, values, strict=True))

    def _length(self, text: str, chinese: bool) -> int:
        if self.unit == "word":
            return len(tokenizer("jieba" if chinese else "char")(text))
        return sum(not char.isspace() for char in fold_width(text))
