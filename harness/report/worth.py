"""What a gold set is worth: the smallest difference that so many items can show."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from harness.comparison.statistics import minimum_detectable, paired_sample
from harness.gold.checks.checked import Checked
from harness.gold.checks.finding import SEVERITIES, Finding

#: Shares of items that two sides might disagree on.
DISCORDANCES = (0.05, 0.1, 0.2, 0.4)
#: A set that shows only more than this, where a tenth of the items is in disagreement, is called small.
_COARSE = 0.1


class Worth(BaseModel):
    """The smallest differences that items show with 80% power at the two-sided 5% level.

    Attributes:
        tier: a difficulty; "" for the whole set.
        units: independent items: near duplicates and items of one declared `cluster` count once.
        smallest: share of items in disagreement -> smallest difference, as a share; None: none, however large.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tier: str
    items: int
    units: int
    smallest: dict[float, float | None]


class GoldsetCheck(Checked):
    """`harness goldset check --json`: what was found, and what the set is worth."""

    worth: tuple[Worth, ...]


def with_worth(checked: Checked) -> GoldsetCheck:
    """Add what the items can show, for the whole set and each difficulty; too little is a finding."""
    worth = [_worth("", checked.items, checked.units)]
    worth += [_worth(tier.name, tier.items, tier.units) for tier in checked.tiers if len(checked.tiers) > 1]
    findings = list(checked.findings)
    smallest = worth[0].smallest[0.1]
    if smallest is None or smallest > _COARSE:
        findings.append(_too_few(checked.units, smallest))
        findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    told = {name: getattr(checked, name) for name in Checked.model_fields} | {"findings": tuple(findings)}
    return GoldsetCheck(**told, worth=tuple(worth))


def _too_few(units: int, smallest: float | None) -> Finding:
    if smallest is None:
        return Finding(code="too-few-items", severity="warning", values={"units": units})
    return Finding(code="few-items", severity="warning", values={"units": units, "shown": f"{100 * smallest:.0f}"})


def smallest_difference(items: int, discordance: float) -> float | None:
    """The smallest difference `items` items show when the sides disagree on a share `discordance` of them."""
    half = round(items * discordance / 2)
    rest = [1.0] * (items - 2 * half)
    base, candidate = [1.0] * half + [0.0] * half + rest, [0.0] * half + [1.0] * half + rest
    return minimum_detectable(paired_sample(base, candidate))


def _worth(tier: str, items: int, units: int) -> Worth:
    return Worth(tier=tier, items=items, units=units, smallest={d: smallest_difference(units, d) for d in DISCORDANCES})
