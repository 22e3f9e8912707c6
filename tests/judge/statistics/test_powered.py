"""Prediction-powered inference against `ppi-python`, closed formulas and the truth.

Simulations: 1,000 repetitions, a standard error of 0.69 points at 95%, at seeds fixed before looking.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

from harness.comparison.statistics import paired_interval
from harness.errors import InputError
from harness.judge.statistics import best_tuning, difference_sample, powered_mean

Differences = NDArray[np.float64]

Z = 1.959963984540054
REPETITIONS = 1_000
TRUTH = 0.1

PEOPLE = np.array([1, 0, -1, 1, 1, 0, 0, -1, 1, 0, 1, -1, 0, 1, 1, 0, -1, 0, 1, 1], dtype=np.float64)
JUDGE = np.array([1, 1, -1, 1, 0, 0, 0, -1, 1, 1, 1, 0, 0, 1, 1, -1, -1, 0, 0, 1], dtype=np.float64)
OTHERS = np.array([1, 0, 1, -1, 0, 1, 1, 0, 1, -1, 1, 1, 0, 1, 1, 0] * 5, dtype=np.float64)


@pytest.mark.parametrize(
    ("tuning", "estimate", "low", "high"),
    [
        (None, 0.3749399, 0.12687637572584004, 0.6230034319664677),
        (0.5, 0.34375, 0.09279773169157607, 0.594702268308424),
        (1.0, 0.4375, 0.15211704902312234, 0.7228829509768777),
    ],
)
def test_estimate_and_error_are_those_of_ppi_python(
    tuning: float | None, estimate: float, low: float, high: float
) -> None:
    """ppi-python 0.2.3, `ppi_mean_pointestimate` and `ppi_mean_ci(alpha=0.05)`; it divides by n, not by n - 1."""
    found = powered_mean(PEOPLE, JUDGE, OTHERS, tuning=tuning)
    assert found is not None
    assert found.estimate == pytest.approx(estimate, abs=1e-7)
    half = (high - low) / 2
    assert half < Z * found.se < half * math.sqrt(20 / 19)


def test_lambda_is_that_of_ppi_python() -> None:
    """ppi-python 0.2.3, `_calc_lam_glm(..., clip=True)`."""
    assert best_tuning(PEOPLE, JUDGE, OTHERS) == pytest.approx(0.6663461538461539, abs=1e-12)


def test_estimate_and_error_by_hand() -> None:
    found = powered_mean(PEOPLE, JUDGE, OTHERS, tuning=0.7)
    assert found is not None
    assert found.estimate == pytest.approx(0.7 * OTHERS.mean() + (PEOPLE - 0.7 * JUDGE).mean())
    variance = 0.49 * OTHERS.var(ddof=1) / 80 + (PEOPLE - 0.7 * JUDGE).var(ddof=1) / 20
    assert found.se == pytest.approx(math.sqrt(variance))
    assert (found.labelled, found.unlabelled, found.tuning) == (20, 80, 0.7)
    assert found.judge_error == pytest.approx((JUDGE - PEOPLE).mean())


def test_with_lambda_zero_it_is_people_alone() -> None:
    found, alone = powered_mean(PEOPLE, JUDGE, OTHERS, tuning=0.0), paired_interval(difference_sample(PEOPLE))
    assert found is not None
    assert alone is not None
    assert (found.estimate, found.ci, found.people_ci) == (pytest.approx(PEOPLE.mean()), alone.bounds, alone)


def people_draw(rng: Generator, n: int) -> Differences:
    return rng.choice([1.0, 0.0, -1.0], n, p=[0.4, 0.3, 0.3])


@dataclass(frozen=True)
class Judge:
    """Errs on a share of the items: then it says "candidate" with probability `favour`, and else anything."""

    errs: float
    favour: float

    def __call__(self, rng: Generator, people: Differences) -> Differences:
        n = len(people)
        wrong = np.where(rng.random(n) < self.favour, 1.0, rng.choice([1.0, 0.0, -1.0], n))
        return np.where(rng.random(n) < self.errs, wrong, people)


NEARLY_PERFECT, GOOD, BIASED, NOISE = Judge(0.05, 0.7), Judge(0.2, 0.3), Judge(0.4, 0.9), Judge(1.0, 0.0)


@dataclass(frozen=True)
class Simulated:
    """Coverage of three intervals, and how wide the powered one is for each of people's."""

    coverage: float
    people_coverage: float
    judge_coverage: float
    relative_width: float


def simulate(judge: Judge, n: int, others: int, seed: int, repetitions: int = REPETITIONS) -> Simulated:
    rng = np.random.default_rng(seed)
    covered = people_covered = judge_covered = 0
    width = people_width = 0.0
    for _ in range(repetitions):
        everything = people_draw(rng, n + others)
        said = judge(rng, everything)
        found = powered_mean(everything[:n], said[:n], said[n:])
        assert found is not None
        covered += found.ci[0] <= TRUTH <= found.ci[1]
        people_covered += found.people_ci.low <= TRUTH <= found.people_ci.high
        half = Z * said.std(ddof=1) / math.sqrt(n + others)
        judge_covered += abs(said.mean() - TRUTH) <= half
        width += found.ci[1] - found.ci[0]
        people_width += found.people_ci.high - found.people_ci.low
    return Simulated(
        covered / repetitions, people_covered / repetitions, judge_covered / repetitions, width / people_width
    )


@pytest.mark.parametrize("n", [50, 100])
def test_a_good_judge_narrows_the_interval_which_still_covers(n: int) -> None:
    found = simulate(GOOD, n, 500 - n, seed=61)
    assert 0.93 <= found.coverage <= 0.97
    assert found.relative_width < 0.85


@pytest.mark.parametrize("n", [50, 100])
def test_a_biased_judge_misleads_alone_and_not_with_people(n: int) -> None:
    found = simulate(BIASED, n, 500 - n, seed=62)
    assert found.judge_coverage < 0.05
    assert 0.93 <= found.coverage <= 0.97
    assert found.relative_width < 1.0


@pytest.mark.parametrize("n", [50, 100])
def test_a_judge_that_is_noise_costs_next_to_nothing(n: int) -> None:
    found = simulate(NOISE, n, 500 - n, seed=63)
    assert 0.93 <= found.coverage <= 0.97
    assert 0.97 < found.relative_width < 1.03  # t against Tango's normal quantile is 1.025 at 50


@pytest.mark.parametrize("others", [450, 5000])
def test_errors_too_rare_to_be_seen_are_covered(others: int) -> None:
    """A judge wrong on 5%, always the same way: 50 labels show 2 or 3 of its errors, or none.

    Without the guard 84% are covered at 5,000 others. It may only cover more, and people alone are still wider.
    """
    found = simulate(NEARLY_PERFECT, 50, others, seed=64, repetitions=400)
    assert found.coverage >= 0.94
    assert found.relative_width < 0.7


def test_clusters_are_covered_and_would_not_be_without_labels() -> None:
    """Five items a cluster, whose people and judge move together; some clusters are labelled in part."""
    rng = np.random.default_rng(65)
    labels = np.repeat(np.arange(100), 5).tolist()
    covered = ignoring = 0
    repetitions = 700
    for _ in range(repetitions):
        everything = people_draw(rng, 500)
        common = np.repeat(people_draw(rng, 100), 5)
        everything = np.where(rng.random(500) < 0.6, common, everything)
        said = Judge(0.3, 0.5)(rng, everything)
        known = np.zeros(500, dtype=bool)
        known[:203] = True
        mine = [label for label, is_known in zip(labels, known, strict=True) if is_known]
        other = [label for label, is_known in zip(labels, known, strict=True) if not is_known]
        with_labels = powered_mean(
            everything[known], said[known], said[~known], clusters=mine, unlabelled_clusters=other
        )
        without = powered_mean(everything[known], said[known], said[~known])
        assert with_labels is not None
        assert without is not None
        covered += with_labels.ci[0] <= TRUTH <= with_labels.ci[1]
        ignoring += without.ci[0] <= TRUTH <= without.ci[1]
    assert 0.925 <= covered / repetitions <= 0.975
    assert ignoring / repetitions < 0.9


def test_clusters_of_one_change_nothing() -> None:
    alone = powered_mean(PEOPLE, JUDGE, OTHERS)
    labelled = powered_mean(
        PEOPLE, JUDGE, OTHERS, clusters=list(range(20)), unlabelled_clusters=[f"other {i}" for i in range(80)]
    )
    assert labelled is not None
    assert alone is not None
    assert labelled.ci == pytest.approx(alone.ci)


def test_the_plug_in_lambda_is_near_the_best_one() -> None:
    rng = np.random.default_rng(66)
    people = people_draw(rng, 4000)
    said = Judge(0.3, 0.5)(rng, people)
    others = Judge(0.3, 0.5)(rng, people_draw(rng, 20_000))
    errors: dict[float, float] = {}
    for tuning in np.linspace(0.05, 1.0, 96):
        found = powered_mean(people, said, others, tuning=float(tuning))
        assert found is not None
        errors[float(tuning)] = found.se
    assert best_tuning(people, said, others) == pytest.approx(min(errors, key=errors.__getitem__), abs=0.02)


def test_a_judge_that_says_the_opposite_is_not_used_upside_down() -> None:
    assert best_tuning(PEOPLE, -JUDGE, -OTHERS) == 0.0


def test_a_perfect_judge_on_few_items_keeps_doubt() -> None:
    """On 20 items people and judge never differ; on 100,000 others the judge may still be wrong on some."""
    others = np.tile(OTHERS, 1250)
    found = powered_mean(JUDGE, JUDGE, others)
    assert found is not None
    assert found.guarded
    assert found.ci[1] - found.ci[0] > 0.2
    assert found.se < 0.01


def test_a_constant_error_of_the_judge_on_few_items_keeps_doubt() -> None:
    """Off by as much on each of ten items: with lambda 1 and equal others nothing is left in the variance."""
    found = powered_mean([1.0] * 10, [0.0] * 10, [0.0] * 500, tuning=1.0)
    assert found is not None
    assert found.guarded
    assert (found.estimate, found.se) == (1.0, 0.0)
    assert found.ci[0] < 0.7


def test_where_the_judge_cannot_help_it_is_people_alone() -> None:
    for judge, others in ((JUDGE, []), (JUDGE, [1.0]), (np.zeros(20), [0.0] * 50)):
        found, alone = powered_mean(PEOPLE, judge, others), paired_interval(difference_sample(PEOPLE))
        assert found is not None
        assert alone is not None
        assert (found.tuning, found.ci) == (0.0, alone.bounds)
    single = powered_mean([1.0], [1.0], OTHERS)
    assert single is not None
    assert single.tuning == 0.0
    assert single.ci[1] - single.ci[0] > 0.75


def test_nothing_labelled_gives_nothing() -> None:
    assert powered_mean([], [], OTHERS) is None


def test_the_interval_stays_possible() -> None:
    found = powered_mean([1.0] * 12 + [0.0], [1.0] * 13, [1.0] * 90 + [0.0] * 10)
    assert found is not None
    assert -1.0 <= found.ci[0] <= found.estimate <= found.ci[1] <= 1.0


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="do not pair"):
        powered_mean([1.0, 0.0], [1.0], OTHERS)
    with pytest.raises(InputError, match=r"unlabelled: the difference 2.0 at position 1 is not in \[-1, 1\]"):
        powered_mean(PEOPLE, JUDGE, [0.0, 2.0])
    with pytest.raises(InputError, match=r"lambda is 1\.5"):
        powered_mean(PEOPLE, JUDGE, OTHERS, tuning=1.5)
    with pytest.raises(InputError, match="cluster labels for 20 and 80 items"):
        powered_mean(PEOPLE, JUDGE, OTHERS, unlabelled_clusters=["a"])
    with pytest.raises(InputError, match="one difference for each item"):
        powered_mean([[1.0]], [[1.0]], OTHERS)
