"""One question, several answers that cannot all be right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from harness.gold.checks.answers import Agreement
from harness.gold.checks.finding import MOST_EVIDENCE, Evidence, Finding, Severity, quote
from harness.gold.checks.material import Material, groups
from harness.gold.checks.messages import Code

# The worst that two items of a group say to each other decides what the group is.
_ORDER: tuple[Agreement, ...] = ("other", "unknown", "related")


def contradictions(material: Material) -> Iterator[Finding]:
    """The same question word for word, or but for filler words ("请问", "please"), with answers that differ.

    Short answers contradict each other; of long ones nobody can tell without reading, so they are only shown.
    """
    exact = groups(material.asked)
    codes: dict[Agreement, tuple[Code, Severity]] = {
        "other": ("contradiction", "error"),
        "unknown": ("several-answers", "warning"),
        "related": ("aliases-differ", "warning"),
    }
    pictured = [group for group in exact if material.items[group[0]].images]
    plain = [group for group in exact if not material.items[group[0]].images]
    told: set[int] = set()
    for agreement, found in _sorted_out(material, plain):
        code, severity = codes[agreement]
        told.update(position for group in found for position in group)
        yield _finding(material, code, severity, found)
    for agreement, found in _sorted_out(material, pictured):
        told.update(position for group in found for position in group)
        code, severity = ("picture-contradiction", "error") if agreement == "other" else codes[agreement]
        yield _finding(material, code, severity, found)
    # Only what the groups above did not say already.
    rest = [group for group in groups(material.cores) if len({material.forms[at] for at in group}) > 1]
    for agreement, found in _sorted_out(material, [group for group in rest if not told.issuperset(group)]):
        if agreement == "other":
            yield _finding(material, "likely-contradiction", "warning", found)


def _sorted_out(material: Material, candidates: Iterable[list[int]]) -> list[tuple[Agreement, list[list[int]]]]:
    """Groups of several items by the worst disagreement in them."""
    by_worst: dict[Agreement, list[list[int]]] = {agreement: [] for agreement in _ORDER}
    for group in candidates:
        if len(group) < 2:
            continue
        said = {material.wanted[group[0]].against(material.wanted[other]) for other in group[1:]}
        worst = next((agreement for agreement in _ORDER if agreement in said), None)
        if worst == "other" or (worst is not None and not material.declared_together(group)):
            by_worst[worst].append(group)
    return [(agreement, found) for agreement, found in by_worst.items() if found]


def _finding(material: Material, code: Code, severity: Severity, found: Sequence[Sequence[int]]) -> Finding:
    return Finding(
        code=code,
        severity=severity,
        count=len(found),
        items=tuple(material.items[position].id for group in found for position in group),
        evidence=tuple(
            Evidence(quotes=tuple(quote(material.items[position]) for position in group[:6]))
            for group in found[:MOST_EVIDENCE]
        ),
    )
