"""What makes a gold set mislead, as far as its items (and training data beside them) show it.

`check_goldset` runs every check. One check is one function behind `base.Check`; what several of them need is made
once, in `material.Material`.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.gold.checks.balance import letter_balance, longest_option, majority_answer
from harness.gold.checks.base import Check
from harness.gold.checks.card import card
from harness.gold.checks.checked import Checked, summarise
from harness.gold.checks.contents import damaged, options, trivial
from harness.gold.checks.contradictions import contradictions
from harness.gold.checks.coverage import coverage, labelling
from harness.gold.checks.duplicates import duplicates, near_duplicates, patterns
from harness.gold.checks.languages import languages
from harness.gold.checks.leaks import leaked_answers
from harness.gold.checks.lengths import lengths
from harness.gold.checks.material import Material
from harness.gold.checks.similarity import THRESHOLD
from harness.gold.goldset import GoldSet

#: In the order in which their findings are told, within one severity.
CHECKS: tuple[Check, ...] = (
    contradictions,
    duplicates,
    trivial,
    options,
    near_duplicates,
    leaked_answers,
    letter_balance,
    longest_option,
    majority_answer,
    lengths,
    damaged,
    languages,
    labelling,
    coverage,
    patterns,
    card,
)


def check_goldset(goldset: GoldSet, *, also: Sequence[Check] = (), threshold: float = THRESHOLD) -> Checked:
    """Every finding about a gold set, the worst first.

    Args:
        also: further checks, such as `training.TrainingLeaks`; their findings are told first.
        threshold: Jaccard index from which on two questions are near duplicates.
    """
    material = Material(goldset, threshold)
    return summarise(material, [finding for check in (*also, *CHECKS) for finding in check(material)])


__all__ = ["CHECKS", "Check", "Checked", "Material", "check_goldset"]
