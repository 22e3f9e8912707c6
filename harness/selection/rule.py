"""When to stop, and which checkpoint to take: pure functions over evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.candidates.lineage import Evaluation

#: Checkpoints that are asked the whole dev half at the end; one engine start serves them all.
FINALISTS = 5


def why_stop(evaluations: Sequence[Evaluation], patience: int) -> str:
    """Why training should end here, or "".

    A guard that is shown to have regressed does not come back by more of the same training. A target whose best was
    reached `patience` evaluations ago has stopped improving.
    """
    last = evaluations[-1]
    if last.regressed:
        return f"at step {last.step} {', '.join(last.regressed)} has regressed"
    gains = [_gain(one) for one in evaluations]
    best = max(range(len(gains)), key=lambda at: (gains[at], -at))
    if len(gains) - 1 - best >= patience:
        return f"the target has not improved since step {evaluations[best].step}"
    return ""


def finalists(evaluations: Sequence[Evaluation]) -> list[int]:
    """Steps worth a closer look: the best targets among those without a regressed guard; where all have one, among all.

    At most `FINALISTS`, in the order of their steps.
    """
    pool = [one for one in evaluations if not one.regressed] or list(evaluations)
    best = sorted(pool, key=lambda one: (-_gain(one), one.step))[:FINALISTS]
    return sorted(one.step for one in best)


@dataclass(frozen=True)
class Choice:
    """The step taken, whether it can be recommended, and the reason."""

    step: int
    recommended: bool
    why: str


def choose(evaluations: Sequence[Evaluation]) -> Choice:
    """The best target among those whose guards held; ties go to the earlier one, which has moved less.

    Where no checkpoint's guards are all shown to hold, those without a regressed one are next. Where every one has
    lost, the best target is taken all the same, and not recommended.
    """
    held = [one for one in evaluations if one.held]
    unclear = [one for one in evaluations if not one.regressed]
    pool = held or unclear or list(evaluations)
    best = max(pool, key=lambda one: (_gain(one), -one.step))
    if held:
        return Choice(best.step, True, f"best target of {len(held)} whose guards held (of {len(evaluations)})")
    if unclear:
        why = f"best target of {len(unclear)} on which no guard regressed; too few items to show that all held"
        return Choice(best.step, True, why)
    lost = sorted({task for one in evaluations for task in one.regressed})
    return Choice(best.step, False, f"every checkpoint lost on a guard ({', '.join(lost)}): stay with the base")


def _gain(evaluation: Evaluation) -> float:
    return evaluation.target if evaluation.target is not None else float("-inf")
