"""The rule that turns numbers into one of four words.

First match wins:

1.  no paired item: inconclusive, "nothing to compare"
2.  same answers by digest: held
3.  p_adjusted <= alpha and delta > 0: improved
4.  guard, lower bound above -margin: held ("worse within margin" if p_adjusted <= alpha and delta < 0)
5.  p_adjusted <= alpha and delta < 0: regressed
6.  target, lower bound above -margin: held
7.  else: inconclusive, with how many more items would decide

**Uninformative.** Where rules 4, 6 or 7 apply and the task could not have shown what it is there to show, the verdict
is inconclusive, "uninformative": held would praise it for nothing, and more items would not help. A significant
difference (rules 3 and 5) is information and stands. Equal answers (rule 2) stay held, since a candidate compared with
itself must be held, but the note says that the task proves nothing.

A guard or a difficulty tier is uninformative at the floor (what guessing scores), a target at the ceiling. Both sides
"sit at the floor" when

- neither mean exceeds floor + margin: even a fall to the floor would be a loss within the margin; or
- the floor is above 0 and neither score can be told from guessing, that is both intervals reach down to the floor, on
  at least `ENOUGH_FOR_CHANCE` items. Fewer items cannot tell most scores from guessing, and then the missing items are
  the trouble, not the task.

The ceiling is the mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["improved", "held", "regressed", "inconclusive"]
Role = Literal["target", "guard"]
NoteCode = Literal[
    "",
    "nothing_to_compare",
    "identical",
    "identical_floor",
    "identical_ceiling",
    "identical_rescored",
    "worse_within_margin",
    "uninformative_floor",
    "uninformative_ceiling",
    "more_items",
    "no_number_decides",
    "nothing_right",
]

ENOUGH_FOR_CHANCE = 20

# Parameters: floor, ceiling, base, candidate, delta, margin are numbers in [0, 1]; items is a whole number.
NOTES: dict[NoteCode, str] = {
    "": "",
    "nothing_to_compare": "nothing to compare",
    "identical": "same answers",
    "identical_floor": "same answers; uninformative: both sides sit at the floor ({floor:.2f}), no loss could show",
    "identical_ceiling": "same answers; uninformative: both sides sit at the ceiling ({ceiling:.2f}), "
    "no gain could show",
    "identical_rescored": "same answers, scored differently ({delta:+.3f}): the scorer is not repeatable",
    "worse_within_margin": "worse within margin",
    "uninformative_floor": "uninformative: both sides sit at the floor ({floor:.2f}), no loss could show",
    "uninformative_ceiling": "uninformative: both sides sit at the ceiling ({ceiling:.2f}), no gain could show",
    "more_items": "about {items} more items would decide it",
    "no_number_decides": "no realistic number of items would decide it at this difference",
    "nothing_right": "neither side scores anything: look at the answers and at the prompt format",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictInput:
    """What the rule looks at.

    Attributes:
        role: target (should improve) or guard (must not get worse).
        identical: both sides gave the same answers, by digest.
        n: paired items.
        delta: mean of candidate - base.
        ci: unadjusted interval of delta; None when there is none.
        p_adjusted: after Holm; None counts as not significant.
        alpha: two-sided level.
        margin: non-inferiority margin, absolute.
        base: the base's mean.
        candidate: the candidate's mean.
        base_ci: interval of the base's mean, for the second meaning of "sits at the floor"; None leaves that out.
        candidate_ci: interval of the candidate's mean.
        floor: what guessing scores (1 / choices for multiple choice).
        ceiling: the best score that can be had.
        tier: a slice by difficulty: uninformative at the floor whatever its role.
        items_needed: how many more items would decide; None when no realistic number would.
    """

    role: Role
    identical: bool
    n: int
    delta: float
    ci: tuple[float, float] | None
    p_adjusted: float | None
    alpha: float
    margin: float
    base: float
    candidate: float
    base_ci: tuple[float, float] | None = None
    candidate_ci: tuple[float, float] | None = None
    floor: float = 0.0
    ceiling: float = 1.0
    tier: bool = False
    items_needed: int | None = None


@dataclass(frozen=True, slots=True)
class VerdictResult:
    """A verdict and its reason.

    Attributes:
        verdict: one of four words.
        note: the reason in English; empty when the numbers say it all.
        note_code: the reason for programs and translations, a key of `NOTES`.
        note_params: what the note's text is filled in with.
    """

    verdict: Verdict
    note: str = ""
    note_code: NoteCode = ""
    note_params: dict[str, float | int] = field(default_factory=dict)

    @property
    def uninformative(self) -> bool:
        """The task could not have shown what it is there to show."""
        return self.note_code in (
            "uninformative_floor",
            "uninformative_ceiling",
            "identical_floor",
            "identical_ceiling",
        )


def reach_verdict(given: VerdictInput) -> VerdictResult:
    """Apply the rule (see the module's text)."""
    if given.n == 0:
        return _result("inconclusive", "nothing_to_compare")
    saturated = _saturated(given)
    if given.identical:
        return _identical(given, saturated)
    significant = given.p_adjusted is not None and given.p_adjusted <= given.alpha
    within = given.ci is not None and given.ci[0] > -given.margin
    if significant and given.delta > 0:
        return _result("improved")
    if within and given.role == "guard":
        if saturated:
            return _uninformative(given, saturated)
        return _result("held", "worse_within_margin" if significant and given.delta < 0 else "")
    if significant and given.delta < 0:
        return _result("regressed")
    if saturated:
        return _uninformative(given, saturated)
    if max(given.base, given.candidate) <= given.floor:  # a target that nobody hits is rarely a question of knowledge
        return _result("held" if within else "inconclusive", "nothing_right")
    if within:
        return _result("held")
    if given.items_needed is None:
        return _result("inconclusive", "no_number_decides")
    return _result("inconclusive", "more_items", items=given.items_needed)


def _identical(given: VerdictInput, saturated: Literal["", "floor", "ceiling"]) -> VerdictResult:
    if given.delta != 0.0:
        return _result("held", "identical_rescored", delta=given.delta)
    if saturated == "floor":
        return _result("held", "identical_floor", floor=given.floor)
    if saturated == "ceiling":
        return _result("held", "identical_ceiling", ceiling=given.ceiling)
    return _result("held", "identical")


def _uninformative(given: VerdictInput, saturated: Literal["floor", "ceiling"]) -> VerdictResult:
    if saturated == "floor":
        return _result("inconclusive", "uninformative_floor", floor=given.floor)
    return _result("inconclusive", "uninformative_ceiling", ceiling=given.ceiling)


def _saturated(given: VerdictInput) -> Literal["", "floor", "ceiling"]:
    if (given.role == "guard" or given.tier) and _at_floor(given):
        return "floor"
    if given.role == "target" and _at_ceiling(given):
        return "ceiling"
    return ""


def _at_floor(given: VerdictInput) -> bool:
    if max(given.base, given.candidate) <= given.floor + given.margin:
        return True
    if given.floor == 0.0 or given.base_ci is None or given.candidate_ci is None or given.n < ENOUGH_FOR_CHANCE:
        return False
    return max(given.base_ci[0], given.candidate_ci[0]) <= given.floor


def _at_ceiling(given: VerdictInput) -> bool:
    if min(given.base, given.candidate) >= given.ceiling - given.margin:
        return True
    if given.ceiling == 1.0 or given.base_ci is None or given.candidate_ci is None or given.n < ENOUGH_FOR_CHANCE:
        return False
    return min(given.base_ci[1], given.candidate_ci[1]) >= given.ceiling


def _result(verdict: Verdict, code: NoteCode = "", **params: float | int) -> VerdictResult:
    return VerdictResult(verdict, NOTES[code].format(**params), code, params)
