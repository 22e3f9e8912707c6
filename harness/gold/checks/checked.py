"""A gold set's findings, and the numbers that stand beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from harness.gold.checks.finding import SEVERITIES, Finding, Severity
from harness.gold.checks.material import Material


class Tier(BaseModel):
    """The items of one difficulty.

    Attributes:
        units: independent ones among them: near duplicates and items of one declared `cluster` count once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    items: int
    units: int


class Checked(BaseModel):
    """What a check found.

    Attributes:
        units: independent items: near duplicates and items of one declared `cluster` count once.
        clusters: how many clusters the items declare.
        near_pairs: pairs of near duplicates, and `near_clusters` what they make together.
        counts: items by topic and difficulty.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    items: int
    digest: str
    units: int
    clusters: int
    threshold: float
    near_pairs: int
    near_clusters: int
    languages: dict[str, int]
    counts: dict[str, dict[str, int]]
    tiers: tuple[Tier, ...]
    findings: tuple[Finding, ...]

    def tally(self) -> dict[Severity, int]:
        """How many findings there are of each severity."""
        found = Counter(finding.severity for finding in self.findings)
        return {severity: found[severity] for severity in SEVERITIES}


def summarise(material: Material, findings: Sequence[Finding]) -> Checked:
    """The findings, the worst first, with the numbers of the set."""
    items, units = material.items, material.units
    same = np.unique(material.same, return_counts=True)[1]
    by_tier: dict[str, list[int]] = {}
    for position, item in enumerate(items):
        if (tier := item.metadata.get("difficulty")) is not None:
            by_tier.setdefault(str(tier), []).append(position)
    order = {name: place for place, name in enumerate(("easy", "medium", "hard"))}
    return Checked(
        name=material.goldset.name,
        items=len(items),
        digest=material.goldset.digest,
        units=len(np.unique(units)),
        clusters=len({item.cluster for item in items if item.cluster is not None}),
        threshold=material.threshold,
        near_pairs=len(material.near),
        near_clusters=int((same > 1).sum()),
        languages=dict(Counter(item.language for item in items).most_common()),
        counts=material.goldset.counts(),
        tiers=tuple(
            Tier(name=name, items=len(places), units=len(np.unique(units[places])))
            for name, places in sorted(by_tier.items(), key=lambda pair: (order.get(pair[0], len(order)), pair[0]))
        ),
        findings=tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))),
    )
