"""The rewards that GRPO training gives, as metrics."""

from __future__ import annotations

from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field

from harness.gold.item import Item
from harness.scorers import rewards
from harness.scorers.base import Score

_VERSION = 1
_MOST = sum(most for _, most in rewards.REWARDS.values())


class Format(BaseModel):
    """The five rewards of GRPO training on GSM8K: tags, form, a whole number, the right answer.

    `xml_count`, `soft_format`, `strict_format`, `integer` and `correctness` are the functions of
    `harness.scorers.rewards`, each divided by the most it gives; `reward` is their sum, which training maximises,
    divided by the most that all give. What is below zero counts as zero.

    They measure obedience to a format, quirks included. Whether answers are right, `number` or `math` tell better.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    multiline: bool = Field(
        default=True, description="reasoning may have several lines; false is the demonstration's first form"
    )

    @property
    def metrics(self) -> tuple[str, ...]:
        """The five, and `reward`."""
        return (*rewards.REWARDS, "reward")

    @cached_property
    def signature(self) -> str:
        """The most that each reward gives, how it becomes a metric, and the rewards by version."""
        most = "/".join(f"{most:g}" for _, most in rewards.REWARDS.values())
        lines = "yes" if self.multiline else "no"
        return f"format|rewards:willccbb{rewards.VERSION}|most:{most}|scale:max0(r)/most|multiline:{lines}|v:{_VERSION}"

    @property
    def votes(self) -> bool:
        """False: tags and spaces around the same answer are rewarded differently."""
        return False

    def binary(self, metric: str) -> bool:
        """True for all but `xml_count` and `reward`."""
        return metric not in ("xml_count", "reward")

    def score(self, item: Item, output: str) -> tuple[Score, ...]:
        """Rewards of `output`; with several accepted answers, the best correctness."""
        if not output.strip():
            return tuple(Score(metric, 0.0) for metric in self.metrics)
        given = {name: self._reward(name, item, output) for name in rewards.REWARDS}
        total = sum(given.values())
        answer = rewards.tagged_answer(output)
        # Without a tag nothing was extracted, unless the bare text happens to be the answer.
        found = answer if "<answer>" in output or given["correctness"] else None
        return tuple(
            Score(name, max(0.0, value) / most, found)
            for name, value, most in (
                *((name, given[name], most) for name, (_, most) in rewards.REWARDS.items()),
                ("reward", total, _MOST),
            )
        )

    def _reward(self, name: str, item: Item, output: str) -> float:
        function, _ = rewards.REWARDS[name]
        if name in ("soft_format", "strict_format"):
            return function(output, multiline=self.multiline)
        return max(function(output, gold) for gold in item.answer if gold.strip())
