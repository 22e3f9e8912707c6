"""Questions that stand more than once: word for word, or nearly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from harness.gold.checks.finding import MOST_EVIDENCE, Evidence, Finding, quote
from harness.gold.checks.material import Material, groups, masked
from harness.gold.checks.similarity import clusters

if TYPE_CHECKING:
    from harness.gold.checks.similarity import Indices


def duplicates(material: Material) -> Iterator[Finding]:
    """The same normalised question (with options, context, pictures) and an answer in common."""
    found = []
    for group in groups(material.asked):
        twins: list[list[int]] = []
        for position in group:
            wanted = material.wanted[position].texts
            home = next((part for part in twins if wanted & material.wanted[part[0]].texts), None)
            if home is None:
                twins.append([position])
            else:
                home.append(position)
        found += [part for part in twins if len(part) > 1 and not material.declared_together(part)]
    if found:
        yield Finding(
            code="duplicate",
            severity="error",
            count=len(found),
            items=tuple(material.items[position].id for group in found for position in group),
            evidence=tuple(
                Evidence(quotes=tuple(quote(material.items[position]) for position in group[:4]), likeness=1.0)
                for group in found[:MOST_EVIDENCE]
            ),
        )


def near_duplicates(material: Material) -> Iterator[Finding]:
    """Pairs over the threshold whose answers do not tell them apart (see `Material.near`)."""
    items = material.items
    pairs = sorted(
        (pair for pair in material.near if not material.declared_together(pair[:2])),
        key=lambda pair: (-pair[2], pair[:2]),
    )
    if pairs:
        yield Finding(
            code="near-duplicate",
            severity="warning",
            count=len(pairs),
            items=tuple(items[at].id for at in sorted({at for pair in pairs for at in pair[:2]})),
            values={"threshold": material.threshold},
            evidence=tuple(
                Evidence(quotes=(quote(items[left]), quote(items[right])), likeness=round(likeness, 3))
                for left, right, likeness in pairs[:MOST_EVIDENCE]
            ),
        )
    if not material.alike.complete:
        yield Finding(code="too-alike", severity="warning")


def patterns(material: Material) -> Iterator[Finding]:
    """Different questions in one mould: only a number differs, or a word and with it the answer."""
    items = material.items
    moulds = groups((masked(form), setting) for form, setting in zip(material.forms, material.settings, strict=True))
    pairs = [(group[0], other) for group in moulds for other in group[1:]]
    pairs += [
        (left, right)
        for (left, right, _), agreement in zip(material.alike, material.agreements, strict=True)
        if agreement == "other"
    ]
    pairs = [
        pair
        for pair in pairs
        if material.same[pair[0]] != material.same[pair[1]] and not material.declared_together(pair)
    ]
    if not pairs:
        return
    mould = clusters(len(items), *(_column(pairs, side) for side in (0, 1)))
    together = [group for group in groups(mould.tolist()) if len(group) > 1]
    together.sort(key=lambda group: (-len(group), group))
    yield Finding(
        code="pattern",
        severity="info",
        count=len(together),
        items=tuple(items[at].id for group in together for at in group),
        values={"items": sum(map(len, together)), "largest": len(together[0])},
        evidence=tuple(Evidence(quotes=tuple(quote(items[at]) for at in group[:3])) for group in together[:20]),
    )


def _column(pairs: list[tuple[int, int]], side: int) -> Indices:
    return np.array([pair[side] for pair in pairs], dtype=np.int64)
