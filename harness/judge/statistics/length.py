"""The win rate if both answers were of one length.

Judges like long answers, and fine-tuning changes length. The preference is regressed on the difference in length and
predicted where that is 0:

    logit P(candidate preferred) = a + b * tanh(length difference / its standard deviation),   controlled = logistic(a)

The difference is divided by its standard deviation (n - 1) and not centred, so 0 is "as long". There is no term for the
instruction and no regularisation, both of which need other models' answers: with two models the mean prediction at
equal length is logistic(a), the same for every item. Preferences between 0 and 1 (a tie is 0.5) enter the binomial
likelihood as they are. The fit is that of statsmodels' GLM(Binomial).

**Interval**: delta method. a +- t * se on the logit scale, carried to the rate, which keeps it in [0, 1]. The standard
error is the sandwich estimate (ties vary less than the binomial likelihood supposes, and clusters more), with
statsmodels' small-sample factor G / (G - 1) * (n - 1) / (n - 2), and t has G - 1 degrees of freedom.

**What cannot be controlled.** Where the rate is not identified it is None, never the raw one under another name:

- `same_length`: no difference in length anywhere; the rate is the raw one, with its interval.
- `unanimous`: one preference throughout, with lengths on both sides; the rate is the raw one, with its interval.
- `not_separable`: length and preference say the same (every longer answer won, or the candidate's is always longer by
  as much, or it always wins and is always longer): the likelihood has no maximum, and the rate is None.
- `extrapolated`: the candidate's answers are all longer, or all shorter. There is a rate, but no item near it.

Reference: Dubois, Galambosi, Liang and Hashimoto (2024) "Length-Controlled AlpacaEval: A Simple Way to Debias Automatic
Evaluators", arXiv 2404.04475, and its code, alpaca_eval/metrics/glm_winrate.py.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.comparison.statistics import score_interval
from harness.comparison.statistics.intervals import t_quantile
from harness.comparison.statistics.sample import checked_scores, group_items
from harness.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LengthNote = Literal["", "nothing_scored", "same_length", "unanimous", "not_separable", "extrapolated"]

_STEPS = 100
_SINGULAR = 1e12


@dataclass(frozen=True, slots=True)
class LengthControlled:
    """A win rate with the difference in length taken out.

    Attributes:
        n: items.
        raw: mean preference; None when n is 0.
        rate: mean preference at equal length; None where it is not identified.
        ci: interval of `rate`; None where there is none.
        slope: b, the log odds that tanh(length difference / scale) = 1 adds; None where nothing was fitted. Positive:
            the longer answer is preferred.
        scale: standard deviation of the length differences, in their unit; None below two items.
        note: what is special about the data; "" when nothing is.
    """

    n: int
    raw: float | None
    rate: float | None
    ci: tuple[float, float] | None
    slope: float | None
    scale: float | None
    note: LengthNote


def length_controlled(
    preferences: ArrayLike,
    length_differences: ArrayLike,
    clusters: Sequence[Hashable | None] | None = None,
    *,
    alpha: float = 0.05,
) -> LengthControlled:
    """The length-controlled win rate of a candidate against its base.

    Args:
        preferences: (n,) in [0, 1]: 1 the candidate was preferred, 0 the base, 0.5 neither.
        length_differences: (n,) candidate minus base, in characters or tokens.
        clusters: a label for each item, None for a cluster of its own.
        alpha: two-sided level of the interval.

    Raises:
        InputError: a preference outside [0, 1], a length that is no number, or lengths and preferences do not pair.
    """
    wanted = checked_scores(preferences, "preferences")
    lengths = _checked_lengths(length_differences, len(wanted))
    n = len(wanted)
    if n == 0:
        return LengthControlled(0, None, None, None, None, None, "nothing_scored")
    raw = float(np.mean(wanted))
    scale = float(np.std(lengths, ddof=1)) if n > 1 else None
    terms = np.tanh(lengths / scale) if scale else lengths
    note = _note(wanted, terms)
    if note in ("same_length", "unanimous"):
        found = score_interval(wanted, clusters, alpha=alpha)
        return LengthControlled(n, raw, raw, found.bounds if found else None, None, scale, note)
    design = np.column_stack([np.ones(n), terms])
    coefficients = None if note == "not_separable" else _fit(design, wanted)
    if coefficients is None:
        return LengthControlled(n, raw, None, None, None, scale, "not_separable")
    intercept, slope = (float(value) for value in coefficients)
    groups = group_items(n, clusters)
    units = n if groups is None else len(groups)
    se = _intercept_error(design, wanted, coefficients, groups)
    ci = None
    if se > 0.0:
        half = t_quantile(alpha, units - 1.0) * se
        ci = _logistic(intercept - half), _logistic(intercept + half)
    return LengthControlled(n, raw, _logistic(intercept), ci, slope, scale, note)


def _checked_lengths(values: ArrayLike, n: int) -> NDArray[np.float64]:
    lengths = np.asarray(values, dtype=np.float64)
    if lengths.shape != (n,):
        raise InputError(f"length differences of shape {lengths.shape} do not pair with {n} preferences")
    if not np.isfinite(lengths).all():
        raise InputError("a length difference is no finite number")
    return lengths


def _note(wanted: NDArray[np.float64], terms: NDArray[np.float64]) -> LengthNote:
    low, high = float(terms.min()), float(terms.max())
    if low == high:
        return "same_length" if low == 0.0 else "not_separable"
    one_sided = low > 0.0 or high < 0.0
    if wanted.min() == wanted.max():
        return "not_separable" if one_sided and wanted[0] in (0.0, 1.0) else "unanimous"
    # A preference between 0 and 1 stands for some of both.
    won, lost = terms[wanted > 0.0], terms[wanted < 1.0]
    if won.min() >= lost.max() or won.max() <= lost.min():
        return "not_separable"
    return "extrapolated" if one_sided else ""


def _fit(design: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Maximum likelihood by Newton's method with step halving; (2,) coefficients.

    None where it does not converge: lengths that overlap by next to nothing have a maximum in theory alone.
    """

    def likelihood(coefficients: NDArray[np.float64]) -> float:
        logits = design @ coefficients
        return float((wanted * logits - np.logaddexp(0.0, logits)).sum())

    coefficients = np.zeros(design.shape[1])
    reached = likelihood(coefficients)
    for _ in range(_STEPS):
        fitted = _probabilities(design @ coefficients)
        information = _information(design, fitted)
        if np.linalg.cond(information) > _SINGULAR:
            return None
        step = np.linalg.solve(information, design.T @ (wanted - fitted))
        if np.abs(step).max() <= 1e-10:
            return coefficients
        # Rounding alone must not halve a step near the maximum.
        while (value := likelihood(coefficients + step)) < reached - 1e-9 * abs(reached):
            step = step / 2.0
        coefficients, reached = coefficients + step, value
    return None


def _intercept_error(
    design: NDArray[np.float64],
    wanted: NDArray[np.float64],
    coefficients: NDArray[np.float64],
    groups: list[list[int]] | None,
) -> float:
    """Sandwich standard error of the intercept; 0.0 where it cannot be estimated."""
    n, columns = design.shape
    fitted = _probabilities(design @ coefficients)
    scores = design * (wanted - fitted)[:, None]
    if groups is not None:
        scores = np.array([scores[group].sum(axis=0) for group in groups])
    units = len(scores)
    if units <= columns:
        return 0.0
    bread = np.linalg.inv(_information(design, fitted))
    covariance = bread @ (scores.T @ scores) @ bread * (units / (units - 1.0) * (n - 1.0) / (n - columns))
    error = math.sqrt(max(0.0, float(covariance[0, 0])))
    return error if error > 1e-9 else 0.0


def _information(design: NDArray[np.float64], fitted: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(design.T @ (design * (fitted * (1.0 - fitted))[:, None]), dtype=np.float64)


def _probabilities(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(-np.logaddexp(0.0, -logits)), dtype=np.float64)


def _logistic(logit: float) -> float:
    return float(np.exp(-np.logaddexp(0.0, -logit)))
