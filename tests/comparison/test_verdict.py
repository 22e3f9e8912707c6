"""The rule as a table of cases, with its order and its notes."""

from __future__ import annotations

import string
from dataclasses import replace
from typing import Any

import pytest

from harness.comparison.statistics import (
    NOTES,
    VerdictInput,
    holm,
    items_needed,
    paired_statistics,
    reach_verdict,
)

GUARD = VerdictInput(
    role="guard",
    identical=False,
    n=200,
    delta=0.0,
    ci=(-0.01, 0.01),
    p_adjusted=1.0,
    alpha=0.05,
    margin=0.02,
    base=0.6,
    candidate=0.6,
    base_ci=(0.53, 0.67),
    candidate_ci=(0.53, 0.67),
    items_needed=120,
)
TARGET = replace(GUARD, role="target")
WIDE: dict[str, Any] = {"ci": (-0.1, 0.1)}
WORSE: dict[str, Any] = {"delta": -0.05, "ci": (-0.08, -0.02), "p_adjusted": 0.01}
SLIGHTLY_WORSE: dict[str, Any] = {"delta": -0.01, "ci": (-0.015, -0.005), "p_adjusted": 0.01}
BETTER: dict[str, Any] = {"delta": 0.05, "ci": (0.02, 0.08), "p_adjusted": 0.01}
FLOOR: dict[str, Any] = {"base": 0.005, "candidate": 0.01, "base_ci": (0.001, 0.03), "candidate_ci": (0.001, 0.03)}
CEILING: dict[str, Any] = {"base": 0.99, "candidate": 0.985, "base_ci": (0.96, 1.0), "candidate_ci": (0.95, 1.0)}
CHANCE: dict[str, Any] = {
    "floor": 0.25,
    "base": 0.29,
    "candidate": 0.3,
    "base_ci": (0.23, 0.36),
    "candidate_ci": (0.24, 0.37),
}

CASES: dict[str, tuple[VerdictInput, str, str]] = {
    "nothing paired comes before all else": (
        replace(GUARD, n=0, identical=True, ci=None, p_adjusted=None),
        "inconclusive",
        "nothing_to_compare",
    ),
    "same answers are held": (replace(GUARD, identical=True), "held", "identical"),
    "same answers are held although the interval is wide": (
        replace(TARGET, identical=True, n=3, **WIDE),
        "held",
        "identical",
    ),
    "same answers at the floor are held but prove nothing": (
        replace(GUARD, identical=True, **FLOOR),
        "held",
        "identical_floor",
    ),
    "same answers at the ceiling of a target are held but prove nothing": (
        replace(TARGET, identical=True, **CEILING),
        "held",
        "identical_ceiling",
    ),
    "same answers scored differently blame the scorer": (
        replace(TARGET, identical=True, **BETTER),
        "held",
        "identical_rescored",
    ),
    "a target significantly better improved": (replace(TARGET, **BETTER), "improved", ""),
    "a guard significantly better improved": (replace(GUARD, **BETTER), "improved", ""),
    "improved comes before held": (replace(GUARD, **{**BETTER, "p_adjusted": 0.05}), "improved", ""),
    "better but not significantly is held": (replace(TARGET, **{**BETTER, "p_adjusted": 0.051}), "held", ""),
    "a guard within its margin held": (GUARD, "held", ""),
    "a guard significantly worse within its margin held, and says so": (
        replace(GUARD, **SLIGHTLY_WORSE),
        "held",
        "worse_within_margin",
    ),
    "a target significantly worse regressed even within the margin": (
        replace(TARGET, **SLIGHTLY_WORSE),
        "regressed",
        "",
    ),
    "a guard significantly worse beyond its margin regressed": (replace(GUARD, **WORSE), "regressed", ""),
    "a target significantly worse regressed": (replace(TARGET, **WORSE), "regressed", ""),
    "a target within the margin held": (TARGET, "held", ""),
    "a lower bound exactly at the margin does not hold": (
        replace(GUARD, ci=(-0.02, 0.01)),
        "inconclusive",
        "more_items",
    ),
    "a guard with a wide interval is inconclusive": (replace(GUARD, **WIDE), "inconclusive", "more_items"),
    "a target with a wide interval is inconclusive": (replace(TARGET, **WIDE), "inconclusive", "more_items"),
    "a guard not significantly worse beyond its margin is inconclusive": (
        replace(GUARD, **{**WORSE, "p_adjusted": 0.06}),
        "inconclusive",
        "more_items",
    ),
    "a target that nobody hits points at the answers, not at more items": (
        replace(TARGET, base=0.0, candidate=0.0, items_needed=None, **WIDE),
        "inconclusive",
        "nothing_right",
    ),
    "a target that nobody hits is held by the rule, and says so": (
        replace(TARGET, base=0.0, candidate=0.0),
        "held",
        "nothing_right",
    ),
    "no number of items helps": (replace(GUARD, items_needed=None, **WIDE), "inconclusive", "no_number_decides"),
    "without a p-value nothing is significant": (replace(TARGET, **{**BETTER, "p_adjusted": None}), "held", ""),
    "a guard at the floor is never held": (replace(GUARD, **FLOOR), "inconclusive", "uninformative_floor"),
    "a guard at the floor asks for no more items": (
        replace(GUARD, **FLOOR, **WIDE),
        "inconclusive",
        "uninformative_floor",
    ),
    "a guard at chance is never held": (replace(GUARD, **CHANCE), "inconclusive", "uninformative_floor"),
    "a guard above chance is held": (
        replace(GUARD, **{**CHANCE, "base_ci": (0.26, 0.36)}),
        "held",
        "",
    ),
    "few items cannot tell a score from chance, and that is not the task's fault": (
        replace(GUARD, **CHANCE, **WIDE, n=10),
        "inconclusive",
        "more_items",
    ),
    "a guard that left the floor improved": (
        replace(GUARD, **BETTER, floor=0.25, base=0.25, candidate=0.3),
        "improved",
        "",
    ),
    "a guard that fell from above the floor regressed": (
        replace(GUARD, **WORSE, base=0.05, candidate=0.0),
        "regressed",
        "",
    ),
    "a guard that lost its last points within the margin shows nothing": (
        replace(GUARD, **SLIGHTLY_WORSE, base=0.01, candidate=0.0),
        "inconclusive",
        "uninformative_floor",
    ),
    "a guard at the ceiling is held": (replace(GUARD, **CEILING), "held", ""),
    "a target at the floor is held": (replace(TARGET, **FLOOR), "held", ""),
    "a target's difficulty tier at the floor is never held": (
        replace(TARGET, tier=True, **FLOOR),
        "inconclusive",
        "uninformative_floor",
    ),
    "a target at the ceiling is never held": (replace(TARGET, **CEILING), "inconclusive", "uninformative_ceiling"),
    "a target at a ceiling below one is never held": (
        replace(TARGET, ceiling=0.9, base=0.86, candidate=0.87, base_ci=(0.8, 0.91), candidate_ci=(0.81, 0.92)),
        "inconclusive",
        "uninformative_ceiling",
    ),
    "a target that fell from the ceiling regressed": (
        replace(TARGET, **WORSE, base=1.0, candidate=0.95),
        "regressed",
        "",
    ),
    "a target with one side below the ceiling is held": (replace(TARGET, base=0.95, candidate=0.99), "held", ""),
}


@pytest.mark.parametrize("case", CASES)
def test_rule(case: str) -> None:
    given, verdict, code = CASES[case]
    found = reach_verdict(given)
    assert (found.verdict, found.note_code) == (verdict, code)


@pytest.mark.parametrize("case", CASES)
def test_the_note_is_its_template_filled_in(case: str) -> None:
    found = reach_verdict(CASES[case][0])
    template = NOTES[found.note_code]
    assert found.note == template.format(**found.note_params)
    assert {name for _, name, _, _ in string.Formatter().parse(template) if name} == set(found.note_params)
    assert found.uninformative == ("uninformative" in found.note)


def test_every_note_is_reached_by_a_case() -> None:
    assert {code for _, _, code in CASES.values()} == set(NOTES)


def test_notes_say_what_to_do() -> None:
    assert reach_verdict(replace(GUARD, **WIDE)).note == "about 120 more items would decide it"
    assert reach_verdict(replace(GUARD, **SLIGHTLY_WORSE)).note == "worse within margin"
    floor = reach_verdict(replace(GUARD, **CHANCE)).note
    assert floor == "uninformative: both sides sit at the floor (0.25), no loss could show"


def verdict_of(base: list[float], candidate: list[float], *, role: str = "guard", floor: float = 0.0) -> str:
    found = paired_statistics(base, candidate)
    assert found.ci is not None
    assert found.base_ci is not None
    assert found.candidate_ci is not None
    return (
        reach_verdict(
            VerdictInput(
                role="guard" if role == "guard" else "target",
                identical=False,
                n=found.sample.n,
                delta=found.sample.delta,
                ci=found.ci.bounds,
                p_adjusted=holm([found.p])[0],
                alpha=0.05,
                margin=0.02,
                base=found.sample.base,
                candidate=found.sample.candidate,
                base_ci=found.base_ci.bounds,
                candidate_ci=found.candidate_ci.bounds,
                floor=floor,
                items_needed=items_needed(found.sample, margin=0.02),
            )
        ).note_code
        or "decided"
    )


def test_two_models_that_always_answer_a_are_not_held_at_chance() -> None:
    """Both get the same quarter right: no item flips, and the interval alone would say held."""
    answers_a = ([1.0] + [0.0] * 3) * 100
    assert verdict_of(answers_a, answers_a, floor=0.25) == "uninformative_floor"
    assert verdict_of(answers_a, answers_a, floor=0.0) == "decided"


def test_no_flip_needs_two_hundred_items_before_it_is_held() -> None:
    """Tango without a flip: z^2 / (n + z^2) is below 0.02 from n = 189."""
    assert verdict_of([1.0] * 188, [1.0] * 188) == "more_items"
    assert verdict_of([1.0] * 189, [1.0] * 189) == "decided"
