"""The card, and what was noticed while reading."""

from __future__ import annotations

from collections.abc import Iterator

from harness.gold.checks.finding import Finding
from harness.gold.checks.material import Material
from harness.gold.checks.messages import Code


def card(material: Material) -> Iterator[Finding]:
    """No card, a card that no longer fits the items, or one that says too little to tell."""
    goldset = material.goldset
    details = list(goldset.warnings)
    said = goldset.card
    if said is not None and said.items is not None and said.items != len(goldset.items):
        details.append(f"the card says {said.items} items, the file holds {len(goldset.items)}")
    if said is not None and said.digest is None and said.source is None and said.map is None:
        details.append(f"the card states no digest; now it is {goldset.digest}")
    if said is not None and said.licence.strip().lower() in ("", "unknown", "unclear", "?"):
        details.append("the card states no licence")
    for detail in details:
        about_rows = detail.endswith("repeated rows were dropped") or " rows were left out" in detail
        code: Code = "left-out" if about_rows else "card"
        yield Finding(code=code, severity="warning", values={"detail": detail})
