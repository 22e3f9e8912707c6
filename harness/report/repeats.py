"""What the reports show of several answers to each item: pass@k, the majority vote, what would narrow the interval."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from harness.comparison.repeats import Compared, Narrows, OverRepeats, Parts, VarianceResult
from harness.report.numbers import rate, size, variance
from harness.report.words import Words


@dataclass(frozen=True, slots=True)
class RepeatRow:
    """A line of the table: what is compared, and the number of both sides."""

    label: str
    compared: Compared


def repeat_rows(found: OverRepeats, words: Words) -> list[RepeatRow]:
    """pass@k for each k, then the majority vote; empty for a metric that is not right or wrong."""
    rows = [RepeatRow(words.pass_at.format(k=one.k), one) for one in found.pass_at]
    if found.majority is not None:
        rows.append(RepeatRow(words.majority.format(k=found.repeats), found.majority))
    return rows


def repeat_notes(found: OverRepeats, words: Words) -> list[str]:
    """Where the variance comes from, and whether more repeats or more items would narrow the interval."""
    return list(_notes(found.variance, found, words)) if found.variance is not None else []


def _notes(parts: VarianceResult, found: OverRepeats, words: Words) -> Iterator[str]:
    yield words.variance_note.format(
        base_between=variance(parts.base.between),
        candidate_between=variance(parts.candidate.between),
        base_within=variance(parts.base.within),
        candidate_within=variance(parts.candidate.within),
    )
    yield words.error_note.format(
        se=size(parts.delta.se), items=size(parts.delta.se_items), repeats=size(parts.delta.se_repeats)
    )
    yield from narrowing(parts.delta, found.narrows, words)


def narrowing(parts: Parts, narrows: Narrows | None, words: Words) -> Iterator[str]:
    """What would narrow the interval of a mean with this variance, and by how much; nothing where nothing varies."""
    share = parts.share_of_repeats
    if narrows is not None and share is not None:
        yield words.narrows[narrows].format(items=_narrower(0.5), double=_narrower(share / 2), endless=_narrower(share))


def _narrower(gone: float) -> str:
    """How much an interval narrows when this share of the variance goes."""
    return rate(1.0 - math.sqrt(1.0 - min(gone, 1.0)))
