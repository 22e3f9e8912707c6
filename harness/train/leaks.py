"""Gold items that stand in the training data: who trains on the test measures memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.candidates.lineage import Leak
from harness.errors import InputError
from harness.gold.checks.finding import Finding
from harness.gold.checks.material import Material
from harness.gold.checks.training import TrainingLeaks
from harness.gold.goldset import GoldSet, load_goldset
from harness.gold.sources import NotHere
from harness.suites.spec import load_suite


@dataclass(frozen=True)
class LeakCheck:
    """What was looked for and found. `skipped` are gold sets that are not on this machine."""

    leaks: tuple[Leak, ...]
    findings: tuple[tuple[str, Finding], ...]
    skipped: tuple[str, ...]

    @property
    def verbatim(self) -> int:
        return sum(leak.verbatim for leak in self.leaks)


def check_leaks(
    files: Sequence[Path],
    *,
    suites: Sequence[str] = (),
    goldsets: Sequence[str],
    copies: Mapping[str, str],
    here: Path,
    allowed: bool,
) -> LeakCheck:
    """Look for the items of gold sets in training files.

    Args:
        suites: whose gold sets are looked for besides `goldsets`.
        allowed: trained on in spite of what is found; it stands in the lineage.

    Raises:
        InputError: an item stands there word for word, and that is not allowed.
    """
    wanted: dict[str, Path] = dict.fromkeys(goldsets, here)
    for suite in suites:
        spec, place = load_suite(suite)
        wanted |= {task.goldset: place for task in spec.tasks}
    leaks: list[Leak] = []
    findings: list[tuple[str, Finding]] = []
    skipped: list[str] = []
    for name, folder in wanted.items():
        try:
            goldset = load_goldset(name, folder=folder, overrides=copies)
        except NotHere:
            skipped.append(name)
            continue
        found = list(TrainingLeaks([str(file) for file in files])(Material(goldset)))
        counts = {finding.code: finding.count for finding in found}
        verbatim, near = counts.get("train-verbatim", 0), counts.get("train-near", 0)
        leaks.append(
            Leak(
                goldset=goldset.name,
                digest=goldset.digest,
                items=len(goldset.items),
                verbatim=verbatim,
                near=near,
                allowed=allowed and verbatim > 0,
            )
        )
        findings += [(goldset.name, finding) for finding in found]
        if verbatim and not allowed:
            raise _leaked(goldset, next(f for f in found if f.code == "train-verbatim"), verbatim)
    return LeakCheck(tuple(leaks), tuple(findings), tuple(skipped))


def _leaked(goldset: GoldSet, finding: Finding, count: int) -> InputError:
    item, row = finding.evidence[0].quotes
    return InputError(
        f"{count} of the {len(goldset.items)} items of gold set {goldset.name!r} stand in the training data; "
        f"{item.where!r} stands at {row.where}",
        remedy="Take these rows out (harness goldset check --against shows them all). To train on them all the same, "
        "give --allow-leak: the lineage will say so for ever.",
    )
