"""What Overview shows: the newest comparison of each suite as cards, and every guard of a candidate on one scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from harness.comparison.results import Comparison, TaskResult
from harness.doctor.finding import Finding
from harness.errors import EXIT_INCOMPLETE
from harness.report.untrusted import visible
from harness.report.view import CandidateView, TaskView
from harness.review.catalog import Catalog, StoredComparison
from harness.review.contests import views_of
from harness.review.faults import Fault
from harness.runs.files import RunManifest

#: What a card says at one look, worst first. The first three are red.
Outlook = Literal["doctor", "lost_ability", "worse", "incomplete", "unsure", "identical", "better", "held"]
_RANK: dict[Outlook, int] = {
    outlook: min(place, 3)  # beyond the alarming ones the newest goes first
    for place, outlook in enumerate(get_args(Outlook))
}
ALARMING: frozenset[Outlook] = frozenset({"doctor", "lost_ability", "worse"})


@dataclass(frozen=True, slots=True)
class Card:
    """One candidate against the base, on the newest comparison of a suite.

    Attributes:
        suite, base, comparison: visible names; `comparison` is the id.
    """

    suite: str
    base: str
    comparison: str
    alpha: float
    view: CandidateView
    outlook: Outlook

    @property
    def alarming(self) -> bool:
        return self.outlook in ALARMING

    @property
    def targets(self) -> tuple[TaskView, ...]:
        return tuple(task for task in self.view.tasks if task.result.role == "target")

    @property
    def guards(self) -> tuple[TaskView, ...]:
        return tuple(task for task in self.view.tasks if task.result.role == "guard")

    @property
    def lost_guards(self) -> tuple[TaskView, ...]:
        """Guards that regressed: what is called 降智."""
        return tuple(task for task in self.guards if task.result.verdict == "regressed")


@dataclass(frozen=True, slots=True)
class SuiteCards:
    """The newest comparison of a suite.

    Attributes:
        older: how many comparisons of this suite there are besides.
        runs_gone: some of its runs were pruned: the numbers stand, their answers are gone.
    """

    suite: str
    base: str
    comparison: str
    made: datetime
    part: str | None
    limit: int | None
    cards: tuple[Card, ...]
    older: int
    runs_gone: bool


@dataclass(frozen=True, slots=True)
class GuardRow:
    """One guard of a candidate, in the suite whose newest comparison asked it."""

    suite: str
    task: TaskView


@dataclass(frozen=True, slots=True)
class Ability:
    """Whether a candidate lost general ability: all its guards on one scale.

    Attributes:
        candidate: visible name; with the first digits of its digest where two candidates go by one name.
    """

    candidate: str
    guards: tuple[GuardRow, ...]

    @property
    def lost(self) -> int:
        return sum(row.task.result.verdict == "regressed" for row in self.guards)

    @property
    def unsure(self) -> int:
        return sum(row.task.result.verdict == "inconclusive" for row in self.guards)

    @property
    def identical(self) -> bool:
        return all(row.task.result.identical for row in self.guards)


@dataclass(frozen=True, slots=True)
class FailedFinding:
    """What the doctor failed."""

    suite: str
    candidate: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole page.

    Attributes:
        span: half the width of the guards' common scale, as a difference of scores.
    """

    suites: tuple[SuiteCards, ...]
    abilities: tuple[Ability, ...]
    failed: tuple[FailedFinding, ...]
    faults: tuple[Fault, ...]
    span: float


def build_overview(catalog: Catalog) -> Overview:
    """Gather the page; reads no sample."""
    counts: dict[str, int] = {}
    for one in catalog.comparisons:
        counts[one.suite] = counts.get(one.suite, 0) + 1
    latest = list(catalog.latest().values())
    found = [(one, _suite(one, counts[one.suite] - 1, catalog.runs)) for one in latest]
    # What is alarming stands where one looks first, however many suites came after it.
    found.sort(key=lambda pair: min((_RANK[card.outlook] for card in pair[1].cards), default=len(_RANK)))
    suites = tuple(shown for _, shown in found)
    abilities = _abilities([one for one, _ in found], suites, catalog.runs)
    failed = tuple(
        FailedFinding(card.suite, card.view.name, finding)
        for suite in suites
        for card in suite.cards
        for finding in card.view.findings
        if finding.status == "fail"
    )
    return Overview(
        suites, abilities, failed, catalog.faults, span_of([row.task.result for a in abilities for row in a.guards])
    )


def span_of(results: Sequence[TaskResult]) -> float:
    """Half the width of a scale that holds every interval and margin of the results."""
    ends = [abs(end) for result in results if result.ci for end in result.ci]
    ends += [abs(result.delta) for result in results if result.delta is not None]
    return max([*ends, *(2 * result.margin for result in results), 0.02]) * 1.05


def outlook_of(view: CandidateView) -> Outlook:
    """The one thing to know of a candidate; what is worse outweighs what is better."""
    verdicts = {(task.result.role, task.result.verdict) for task in view.tasks}
    if any(finding.status == "fail" for finding in view.findings):
        return "doctor"
    if ("guard", "regressed") in verdicts:
        return "lost_ability"
    if ("target", "regressed") in verdicts:
        return "worse"
    if any(task.code == EXIT_INCOMPLETE for task in view.tasks):
        return "incomplete"
    if view.tasks and all(task.result.identical for task in view.tasks):
        return "identical"
    if any(verdict == "inconclusive" for _, verdict in verdicts):
        return "unsure"
    return "better" if any(verdict == "improved" for _, verdict in verdicts) else "held"


def cards_of(comparison: Comparison) -> tuple[Card, ...]:
    """A card for each candidate of a comparison."""
    suite, base = visible(comparison.suite), visible(comparison.base)
    return tuple(
        Card(suite, base, comparison.id, comparison.alpha, one, outlook_of(one)) for one in views_of(comparison)
    )


def _suite(stored: StoredComparison, older: int, runs: Mapping[str, RunManifest]) -> SuiteCards:
    comparison = stored.comparison
    named = {i for c in comparison.comparisons for i in (c.run_ids.base, c.run_ids.candidate)}
    return SuiteCards(
        suite=visible(comparison.suite),
        base=visible(comparison.base),
        comparison=comparison.id,
        made=stored.made,
        part=comparison.part,
        limit=comparison.limit,
        cards=cards_of(comparison),
        older=older,
        runs_gone=any(run not in runs for run in named),
    )


def _abilities(
    stored: Iterable[StoredComparison],
    suites: Sequence[SuiteCards],
    runs: Mapping[str, RunManifest],
) -> tuple[Ability, ...]:
    """Guards by who answered: weights that were trained again under the same name are another candidate."""
    found: dict[tuple[str, str], list[GuardRow]] = {}
    for one, shown in zip(stored, suites, strict=True):
        for compared, card in zip(one.comparison.comparisons, shown.cards, strict=True):
            run = runs.get(compared.run_ids.candidate)
            digest = run.candidate.digest if run is not None else ""
            for guard in card.guards:
                found.setdefault((card.view.name, digest), []).append(GuardRow(shown.suite, guard))
    names = [name for name, _ in found]
    abilities = [
        Ability(name if names.count(name) == 1 or not digest else f"{name} ({digest[:8]})", tuple(guards))
        for (name, digest), guards in found.items()
    ]
    return tuple(sorted(abilities, key=lambda one: -one.lost))
