"""How far annotators agree on the rows that they have labelled so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.judge.labels.book import Sheet
from harness.judge.labels.drawing import Draw
from harness.judge.statistics.agreement import Weights
from harness.judge.statistics.raters import raters_agreement


@dataclass(frozen=True, slots=True)
class PeopleAgreement:
    """Agreement on one measure.

    Attributes:
        rows: labelled by at least two annotators.
        accuracy, kappa: means over every two annotators; kappa is Cohen's, weighted quadratically for grades.
        alpha: Krippendorff's, of labels in their order.
    """

    measure: str
    rows: int
    accuracy: float | None
    kappa: float | None
    alpha: float | None


def people_agreement(draw: Draw, sheets: Sequence[Sheet]) -> tuple[PeopleAgreement, ...]:
    """Agreement on each measure over the rows that at least two of `sheets` have; in the way of `calibrate`.

    Labels are compared by what they mean, so that a taste for what stands first is no agreement.
    """
    weights: Weights = "none" if draw.mode == "pairwise" else "quadratic"
    shared = [position for position in range(len(draw.rows)) if sum(position in sheet.said for sheet in sheets) > 1]
    found = []
    for measure in draw.measures:
        units = [
            [
                draw.rows[position].meant(sheet.said[position][measure]) if position in sheet.said else None
                for sheet in sheets
            ]
            for position in shared
        ]
        if not units:
            found.append(PeopleAgreement(measure, 0, None, None, None))
            continue
        agreed = raters_agreement(units, draw.meanings, weights=weights, level="ordinal")
        found.append(PeopleAgreement(measure, len(units), agreed.accuracy, agreed.kappa, agreed.reliability.alpha))
    return tuple(found)
