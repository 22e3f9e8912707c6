"""The card, and what was noticed while reading."""

from __future__ import annotations

from collections.abc import Iterator

from harness.gold.checks.finding import Finding, Value
from harness.gold.checks.material import Material
from harness.gold.checks.messages import Code


def card(material: Material) -> Iterator[Finding]:
    """No card, a card that no longer fits the items, or one that says too little to tell."""
    goldset = material.goldset
    for notice in goldset.notices:
        yield _warning(notice.code, **notice.values)
    said = goldset.card
    if said is None:
        return
    if said.items is not None and said.items != len(goldset.items):
        yield _warning("card-items", said=said.items, items=len(goldset.items))
    if said.digest is None and said.source is None and said.map is None:
        yield _warning("no-digest", digest=goldset.digest)
    if said.licence.strip().lower() in ("", "unknown", "unclear", "?"):
        yield _warning("no-licence")


def _warning(code: Code, **values: Value) -> Finding:
    return Finding(code=code, severity="warning", values=values)
