"""When training stops, and which checkpoint is taken."""

from __future__ import annotations

import pytest

from harness.candidates.lineage import Evaluation, TaskScore
from harness.selection.rule import FINALISTS, choose, finalists, why_stop


def score(role: str, verdict: str, delta: float | None = 0.0, task: str = "") -> TaskScore:
    return TaskScore.model_validate(
        {"task": task or role, "role": role, "n": 50, "base": 0.5, "candidate": 0.5, "delta": delta, "ci": None,
         "verdict": verdict}
    )  # fmt: skip


def at(step: int, gain: float | None, guard: str = "held") -> Evaluation:
    return Evaluation(step=step, scores=(score("target", "improved", gain), score("guard", guard)))


@pytest.mark.parametrize(
    ("evaluations", "says"),
    [
        ([at(10, 0.1)], ""),
        ([at(10, 0.1, "regressed")], "at step 10 guard has regressed"),
        ([at(10, 0.1, "inconclusive")], ""),
        ([at(10, 0.1), at(20, 0.3), at(30, 0.2)], ""),
        ([at(10, 0.1), at(20, 0.3), at(30, 0.2), at(40, 0.25)], "the target has not improved since step 20"),
        ([at(10, 0.3), at(20, 0.3), at(30, 0.3)], "the target has not improved since step 10"),
        ([at(10, 0.3), at(20, 0.2), at(30, 0.31)], ""),
        ([at(10, None), at(20, None), at(30, None)], "the target has not improved since step 10"),
    ],
)
def test_when_training_stops(evaluations: list[Evaluation], says: str) -> None:
    assert why_stop(evaluations, patience=2) == says


def test_the_best_target_among_those_whose_guards_held() -> None:
    choice = choose([at(10, 0.1), at(20, 0.4, "regressed"), at(30, 0.3), at(40, 0.35, "inconclusive")])
    assert (choice.step, choice.recommended) == (30, True)
    assert choice.why == "best target of 2 whose guards held (of 4)"


def test_of_equals_the_one_that_moved_less() -> None:
    assert choose([at(10, 0.2), at(20, 0.2)]).step == 10


def test_guards_that_improved_have_held() -> None:
    assert choose([at(10, 0.1, "improved"), at(20, 0.2, "regressed")]).step == 10


def test_too_few_items_are_said_to_be_too_few() -> None:
    choice = choose([at(10, 0.1, "inconclusive"), at(20, 0.4, "regressed")])
    assert (choice.step, choice.recommended) == (10, True)
    assert "too few items to show that all held" in choice.why


def test_where_all_have_lost_nothing_is_recommended() -> None:
    choice = choose([at(10, 0.1, "regressed"), at(20, 0.4, "regressed")])
    assert (choice.step, choice.recommended) == (20, False)
    assert "stay with the base" in choice.why


def test_several_targets_count_alike_and_one_that_is_not_scored_spoils_the_mean() -> None:
    both = Evaluation(step=1, scores=(score("target", "held", 0.2, "a"), score("target", "held", 0.4, "b")))
    assert both.target == pytest.approx(0.3)
    one = Evaluation(step=1, scores=(score("target", "held", 0.2, "a"), score("target", "held", None, "b")))
    assert one.target is None


def test_a_closer_look_goes_to_the_best_without_a_lost_guard() -> None:
    many = [at(step, step / 100) for step in range(1, 10)]
    assert finalists(many) == list(range(10 - FINALISTS, 10))
    assert finalists([at(1, 0.1), at(2, 0.9, "regressed")]) == [1]
    assert finalists([at(1, 0.1, "regressed"), at(2, 0.9, "regressed")]) == [1, 2]
