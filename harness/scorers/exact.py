"""Exact match after normalisation."""

from __future__ import annotations

from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field

from harness.gold.item import Item
from harness.scorers.base import Score
from harness.text import norm_label, normalise

_VERSION = 1


class Exact(BaseModel):
    """The answer equals an accepted answer, after normalisation.

    Normalisation removes differences of form only (see `harness.text`). An empty output is unextracted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    width: bool = Field(default=True, description="treat full-width forms as half-width (NFKC)")
    case: bool = Field(default=True, description="ignore case")
    punct: bool = Field(default=True, description="ignore punctuation, quotes and brackets round the answer")
    space: bool = Field(default=True, description="treat runs of whitespace as one space")

    @property
    def metrics(self) -> tuple[str, ...]:
        """`exact`."""
        return ("exact",)

    @cached_property
    def signature(self) -> str:
        """The normalisation in force."""
        return f"exact|norm:{norm_label(**self.model_dump())}|v:{_VERSION}"

    def binary(self, metric: str) -> bool:
        """Always true."""
        return True

    def score(self, item: Item, output: str) -> tuple[Score, ...]:
        """1.0 when `output` equals any accepted answer."""
        if not output.strip():
            return (Score("exact", 0.0),)
        given = self._norm(output)
        # A blank alternative can never be right: an output that normalises to nothing must not match it.
        right = any(given == self._norm(answer) for answer in item.answer if answer.strip())
        return (Score("exact", float(right), given),)

    def _norm(self, text: str) -> str:
        return normalise(text, width=self.width, case=self.case, punct=self.punct, space=self.space)
