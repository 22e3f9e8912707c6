"""Statistics of a judge: what pairs of answers come to, how far it agrees with people, what it is wrong about.

Pure functions over arrays and tuples; nothing here asks a judge anything. Differences between candidate and base come
out in the form that `harness.comparison.statistics` takes, so a judged task has the intervals, tests and verdicts of
any other.
"""

from __future__ import annotations

from harness.judge.statistics.agreement import (
    Agreement,
    Confusion,
    Weights,
    accuracy,
    agreement,
    cohen_kappa,
    confusion,
)
from harness.judge.statistics.differences import difference_sample
from harness.judge.statistics.judgements import (
    Choice,
    Consistency,
    Judged,
    Judgements,
    Outcome,
    judged,
    majority_choice,
    majority_outcome,
)
from harness.judge.statistics.length import LengthControlled, LengthNote, length_controlled
from harness.judge.statistics.pairwise import Pairwise, pairwise
from harness.judge.statistics.position import PositionBias, position_bias
from harness.judge.statistics.powered import Powered, best_tuning, powered_mean
from harness.judge.statistics.raters import RaterPair, RatersAgreement, raters_agreement
from harness.judge.statistics.reliability import Level, Reliability, krippendorff_alpha

__all__ = [
    "Agreement",
    "Choice",
    "Confusion",
    "Consistency",
    "Judged",
    "Judgements",
    "LengthControlled",
    "LengthNote",
    "Level",
    "Outcome",
    "Pairwise",
    "PositionBias",
    "Powered",
    "RaterPair",
    "RatersAgreement",
    "Reliability",
    "Weights",
    "accuracy",
    "agreement",
    "best_tuning",
    "cohen_kappa",
    "confusion",
    "difference_sample",
    "judged",
    "krippendorff_alpha",
    "length_controlled",
    "majority_choice",
    "majority_outcome",
    "pairwise",
    "position_bias",
    "powered_mean",
    "raters_agreement",
]
