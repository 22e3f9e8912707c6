"""One judge on one item: repeats become one choice for each order, two orders become one outcome.

**Repeats** of one order: the choice of more than half of those that could be read; without one, a tie. Unparsed only
when no repeat could be read.

**Two orders**: both for the same model, that model wins; both a tie, a tie. They disagree: a tie, because what changes
with the order is no preference between the models. One of them unparsed: unscored, never a loss, since an answer must
not pay for a judge that could not be read (Zheng et al. 2023, "Judging LLM-as-a-judge with MT-Bench and Chatbot
Arena", section 3.4, for both orders and ties).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

#: What a judge said of two answers shown one after the other.
Choice = Literal["first", "second", "tie", "unparsed"]

#: What it comes to for an item.
Outcome = Literal["candidate", "base", "tie", "unscored"]

#: Whether two orders said the same: "flipped" when they chose different models, that is twice the same position;
#: "wavered" when one of them said tie; "unknown" when one of them could not be read.
Consistency = Literal["same", "wavered", "flipped", "unknown"]


@dataclass(frozen=True, slots=True)
class Judgements:
    """What one judge said about one item; one choice a repeat.

    Attributes:
        base_first: with the base's answer shown first. Empty counts as unparsed.
        candidate_first: with the candidate's answer shown first.
    """

    base_first: tuple[Choice, ...]
    candidate_first: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """One judge's outcome for one item.

    Attributes:
        outcome: who won.
        consistency: whether both orders said so.
    """

    outcome: Outcome
    consistency: Consistency


def majority_choice(choices: Sequence[Choice]) -> Choice:
    """The choice of more than half of the repeats that could be read; else tie; unparsed when none could be read."""
    read = [choice for choice in choices if choice != "unparsed"]
    if not read:
        return "unparsed"
    choice, count = Counter(read).most_common(1)[0]
    return choice if 2 * count > len(read) else "tie"


def majority_outcome(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome for more than half of the judges that scored; else tie; unscored when none did."""
    scored = [outcome for outcome in outcomes if outcome != "unscored"]
    if not scored:
        return "unscored"
    outcome, count = Counter(scored).most_common(1)[0]
    return outcome if 2 * count > len(scored) else "tie"


def judged(judgements: Judgements) -> Judged:
    """Both orders of one judge on one item (see the module's text)."""
    one = _winner(majority_choice(judgements.base_first), first="base", second="candidate")
    other = _winner(majority_choice(judgements.candidate_first), first="candidate", second="base")
    if "unscored" in (one, other):
        return Judged("unscored", "unknown")
    if one == other:
        return Judged(one, "same")
    return Judged("tie", "wavered" if "tie" in (one, other) else "flipped")


def _winner(choice: Choice, *, first: Outcome, second: Outcome) -> Outcome:
    if choice == "first":
        return first
    if choice == "second":
        return second
    return "tie" if choice == "tie" else "unscored"
