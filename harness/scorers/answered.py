"""Whether anything was answered at all."""

from __future__ import annotations

from functools import cached_property

from pydantic import BaseModel, ConfigDict

from harness.gold.item import Item
from harness.gold.rows import is_placeholder
from harness.scorers.base import Score

_VERSION = 1


class Answered(BaseModel):
    """The answer says something: it holds a letter, a digit or a sign, and is no "none", "无" or "…".

    For open questions without a gold answer, whose answers a judge compares; it says nothing of their quality, and an
    answer that is empty, cut off before it began or a placeholder is found out without one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @property
    def metrics(self) -> tuple[str, ...]:
        """`answered`."""
        return ("answered",)

    @cached_property
    def signature(self) -> str:
        """The version alone."""
        return f"answered|v:{_VERSION}"

    @property
    def needs_gold(self) -> bool:
        """False."""
        return False

    @property
    def votes(self) -> bool:
        """False: two answers that both say something need not say the same."""
        return False

    def binary(self, metric: str) -> bool:
        """Always true."""
        return True

    def score(self, item: Item, output: str) -> tuple[Score, ...]:
        """1 for an answer that says something."""
        said = not is_placeholder(output)
        return (Score("answered", float(said), output.strip() if said else None),)
