"""What every scorer is: a pure function from an item and an answer to numbers, with a signature.

The signature (after sacrebleu, Post 2018, "A Call for Clarity in Reporting BLEU Scores") names every choice that
changes the number, so that another person can reproduce it: `name|option:value|…|version:n`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, cast

from harness.gold.item import Item

#: What a scorer is given: a text, a text that names options by their letters, or the likelihoods of all options
#: (`harness.scorers.likelihoods`), of their letters or of their texts.
Reads = Literal["text", "letter", "letter likelihoods", "text likelihoods"]


@dataclass(frozen=True, slots=True)
class Score:
    """One number for one answer.

    Attributes:
        metric: the metric's name, unique within a task.
        value: in [0, 1]; None when the scorer itself failed (the item is then reported as unscored, never averaged).
        extracted: what was compared with the gold answer; None when nothing could be extracted (a wrong format is a
            wrong answer: the value is then 0.0 and the item counts as unextracted).
        note: why a score is None, for the report.
    """

    metric: str
    value: float | None
    extracted: str | None = None
    note: str = ""

    @property
    def unextracted(self) -> bool:
        """True when the answer held nothing that could be scored."""
        return self.value is not None and self.extracted is None


class Scorer(Protocol):
    """Scores one answer at a time; holds no state between calls."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics that `score` returns, in order."""
        ...

    @property
    def signature(self) -> str:
        """Everything that decides the numbers."""
        ...

    def binary(self, metric: str) -> bool:
        """True when the metric takes only the values 0 and 1."""
        ...

    def score(self, item: Item, output: str) -> tuple[Score, ...]:
        """Scores of `output` against the item's accepted answers, one for each of `metrics`."""
        ...


def reads(scorer: Scorer) -> Reads:
    """What a scorer is given: any text, unless it has an attribute `reads` that says otherwise."""
    return cast(Reads, getattr(scorer, "reads", "text"))


def votes(scorer: Scorer) -> bool:
    """Whether answers with the same `extracted` say the same, so that they can be counted for a majority vote.

    True unless a scorer's attribute `votes` says otherwise. It has to where the gold answer decides what is extracted
    (`contains`: every right answer would be counted as one, every wrong one as another), or where more than that
    decides the score.
    """
    return bool(getattr(scorer, "votes", True))


def needs_gold(scorer: Scorer) -> bool:
    """Whether it compares with a gold answer; true unless an attribute `needs_gold` says otherwise."""
    return bool(getattr(scorer, "needs_gold", True))


def reads_likelihoods(what: Reads) -> bool:
    """True when the options' likelihoods are read instead of a generated text."""
    return what.endswith("likelihoods")
