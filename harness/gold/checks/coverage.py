"""Topics and difficulties: which combinations are there, and which hold too few items to show anything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from harness.gold.checks.finding import MOST_EVIDENCE, Evidence, Finding, Quote, quote
from harness.gold.checks.material import Material
from harness.text import normalise

#: Below 6 independent items the smallest p value of a paired test, 2^(1 - n), is above 0.05 whatever the answers.
LEAST = 6
_KEYS = ("topic", "difficulty")
#: More labels than this are no strata.
_MOST_LABELS = 60


def coverage(material: Material) -> Iterator[Finding]:
    """Empty and thin cells of topic by difficulty, and tiers that can show nothing."""
    cells: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    tiers: defaultdict[str, set[int]] = defaultdict(set)
    for item, unit in zip(material.items, material.units.tolist(), strict=True):
        topic, difficulty = (_label(item.metadata.get(key)) for key in _KEYS)
        if difficulty:
            tiers[difficulty].add(unit)
        if topic and difficulty:
            cells[topic, difficulty].add(unit)
    thin_tiers = sorted(tier for tier, units in tiers.items() if len(units) < LEAST)
    if thin_tiers:
        yield Finding(
            code="thin-tier",
            severity="warning",
            count=len(thin_tiers),
            values={"tiers": ", ".join(thin_tiers), "least": LEAST},
        )
    topics = sorted({topic for topic, _ in cells})
    if len(topics) < 2 or len(topics) > _MOST_LABELS or len(tiers) < 2 or len(tiers) > _MOST_LABELS:
        return
    every = [(topic, tier) for topic in topics for tier in sorted(tiers)]
    empty = [cell for cell in every if cell not in cells]
    thin = [cell for cell in every if cell in cells and len(cells[cell]) < LEAST]
    values = {"cells": len(every)}
    if empty:
        yield Finding(code="empty-cell", severity="info", count=len(empty), values={**values}, evidence=_named(empty))
    if thin:
        yield Finding(
            code="thin-cell",
            severity="info",
            count=len(thin),
            values={**values, "least": LEAST},
            evidence=_named(thin, {cell: len(cells[cell]) for cell in thin}),
        )


def labelling(material: Material) -> Iterator[Finding]:
    """Items without the label that the others have, and one label written in several ways."""
    for key in _KEYS:
        given = [_label(item.metadata.get(key)) for item in material.items]
        without = [item for item, label in zip(material.items, given, strict=True) if not label]
        if without and len(without) < len(given):
            yield Finding(
                code="unlabelled",
                severity="warning",
                count=len(without),
                items=tuple(item.id for item in without),
                values={"key": key},
                evidence=tuple(Evidence(quotes=(quote(item),)) for item in without[:MOST_EVIDENCE]),
            )
        spellings: defaultdict[str, set[str]] = defaultdict(set)
        for label in given:
            if label:
                spellings[normalise(label)].add(label)
        several = [sorted(ways) for _, ways in sorted(spellings.items()) if len(ways) > 1]
        if several:
            shown = "; ".join(" = ".join(map(repr, ways)) for ways in several[:5])
            yield Finding(
                code="label-spelling",
                severity="warning",
                count=len(several),
                values={"key": key, "spellings": shown},
            )


def _label(value: object) -> str:
    return "" if value is None else str(value)


def _named(cells: list[tuple[str, str]], counts: dict[tuple[str, str], int] | None = None) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(quotes=(Quote(where=f"{topic} × {tier}", question=str(counts[topic, tier]) if counts else "0"),))
        for topic, tier in cells[:MOST_EVIDENCE]
    )
