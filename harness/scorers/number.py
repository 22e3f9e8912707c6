"""A number as the answer, compared exactly."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property, lru_cache

from pydantic import BaseModel, ConfigDict, Field

from harness.gold.item import Item
from harness.scorers._quantities import Quantity, last_quantity, marked_quantity
from harness.scorers.base import Score
from harness.text import norm_label

_VERSION = 1


class Number(BaseModel):
    """The number in the answer equals the number in an accepted answer.

    `number` takes the last number of the output (as the flexible extraction of lm-evaluation-harness does), so an
    answer that is followed by another number is wrong under it. `number_strict` takes only the number after `####`
    (GSM8K's format), and an output without one is unextracted. The gold number is the one after `####` where there is
    one, else the last of the text. What is read as a number, and how a percentage is compared, is told in
    `harness.scorers._quantities`.

    Comparison is exact (fractions, never floats) unless `tolerance` is given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    tolerance: float = Field(
        default=0.0, ge=0.0, allow_inf_nan=False, description="largest absolute difference that still counts as equal"
    )

    @property
    def metrics(self) -> tuple[str, ...]:
        """`number` and `number_strict`."""
        return ("number", "number_strict")

    @cached_property
    def signature(self) -> str:
        """The tolerance, and the extraction rules by version."""
        width = norm_label(case=False, punct=False, space=False)
        return f"number|norm:{width}|extract:last/####|tol:{self.tolerance:g}|v:{_VERSION}"

    def binary(self, metric: str) -> bool:
        """Always true."""
        return True

    def score(self, item: Item, output: str) -> tuple[Score, ...]:
        """1.0 where the extracted number equals any accepted one; None when no accepted answer holds a number."""
        gold = [quantity for answer in item.answer if (quantity := gold_quantity(answer)) is not None]
        if not gold:
            return tuple(Score(metric, None, note="no number in the accepted answers") for metric in self.metrics)
        found = (last_quantity(output), marked_quantity(output))
        return tuple(self._judge(metric, given, gold) for metric, given in zip(self.metrics, found, strict=True))

    def _judge(self, metric: str, given: Quantity | None, gold: list[Quantity]) -> Score:
        if given is None:
            return Score(metric, 0.0)
        right = any(wanted.equals(given, self._tolerance) for wanted in gold)
        return Score(metric, float(right), given.text)

    @cached_property
    def _tolerance(self) -> Fraction:
        # Through its shortest decimal form: 0.1 means one tenth, not the nearest binary fraction.
        return Fraction(repr(self.tolerance))


# The same gold answers are read for every candidate and repeat.
@lru_cache(maxsize=16_384)
def gold_quantity(answer: str) -> Quantity | None:
    """The number that an accepted answer stands for: after `####` if there, else its last; None without one."""
    return marked_quantity(answer) or last_quantity(answer)
