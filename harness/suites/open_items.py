"""Whether a gold set fits scorers that compare with a gold answer."""

from __future__ import annotations

from harness.errors import InputError
from harness.gold.goldset import GoldSet
from harness.scorers.base import needs_gold
from harness.suites.spec import Task


def check_gold_answers(task: Task, goldset: GoldSet) -> None:
    """Refuse open questions where a scorer needs a gold answer.

    Raises:
        InputError: names the scorer, the file and the first item.
    """
    comparing = [
        spec if isinstance(spec, str) else next(iter(spec))
        for spec, scorer in zip(task.scorers, task.make_scorers(), strict=True)
        if needs_gold(scorer)
    ]
    without = [item.id for item in goldset.items if not item.answer]
    if comparing and without:
        raise InputError(
            f"{len(without)} of {len(goldset.items)} items have no 'answer', which the scorer {comparing[0]} of task "
            f"{task.name!r} compares with",
            where=f"{goldset.path}: item {without[0]!r}",
            remedy="Write their answers; or score with 'answered' alone, and have the answers compared by a judge: "
            "harness judge pairwise.",
        )
