"""Who is compared with whom on a page: the candidates of a stored comparison, or any runs of one suite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from harness.comparison.results import CandidateComparison, Comparison, TaskResult
from harness.report.untrusted import one_line, visible
from harness.report.view import CandidateView, Evidence, build_view, task_notes
from harness.report.words import Words
from harness.review.catalog import Catalog, StoredComparison
from harness.review.comparing import Comparing
from harness.review.pairs import Paired
from harness.runs.files import RunManifest

#: Terminal cells of a label in a list to choose from.
_LABEL = 90


@dataclass(frozen=True, slots=True)
class Contest:
    """One candidate against a base.

    Attributes:
        base, candidate: visible names.
        raw: with the names and ids as they are stored.
        stored: the comparison lies in the store; else it was made here.
    """

    comparison: str
    base: str
    candidate: str
    alpha: float
    view: CandidateView
    raw: CandidateComparison
    stored: bool

    @property
    def runs(self) -> tuple[str, str]:
        """Ids of the base's run and the candidate's."""
        return self.raw.run_ids.base, self.raw.run_ids.candidate

    def primary(self, task: str) -> TaskResult | None:
        """The result on which a task's verdict stands."""
        return next((one for one in self.raw.results if one.task == task and one.primary), None)

    def paired(self, task: str, metric: str) -> Paired:
        return Paired(*self.runs, task, metric)


@dataclass(frozen=True, slots=True)
class NumberRow:
    """A line of the table of all numbers."""

    candidate: str
    result: TaskResult
    notes: tuple[str, ...]


def stored_contests(stored: StoredComparison) -> tuple[Contest, ...]:
    """Every candidate of a stored comparison."""
    return _contests(stored.comparison, stored=True)


def any_contests(comparing: Comparing, catalog: Catalog, base: str, candidates: Sequence[str]) -> tuple[Contest, ...]:
    """Runs against a run.

    Raises:
        InputError: as `Comparing.of`.
    """
    contests: list[Contest] = []
    for candidate in candidates:
        found = comparing.of(catalog, base, candidate)
        all_of = _contests(found.comparison, stored=found.stored)
        contests += [one for one in all_of if one.runs == (base, candidate)][:1]
    return tuple(_told_apart(contests))


def number_rows(contests: Sequence[Contest], words: Words) -> list[NumberRow]:
    """All metrics of all tasks, the primary one of each first."""
    found = []
    for contest in contests:
        for task in contest.view.tasks:
            found.append(NumberRow(contest.candidate, task.result, tuple(task_notes(task, words))))
            found += [NumberRow(contest.candidate, other, ()) for other in task.others]
    return found


def comparison_label(stored: StoredComparison) -> str:
    """A comparison in a list to choose from."""
    comparison = stored.comparison
    names = ", ".join(one.candidate for one in comparison.comparisons)
    title = f"{comparison.suite} · {comparison.base} → {names}"
    return f"{one_line(title, _LABEL)} · {stored.made:%Y-%m-%d %H:%M} · {visible(comparison.id)[-12:]}"


def run_label(run: RunManifest) -> str:
    """A run in a list to choose from."""
    return f"{one_line(run.candidate.name, _LABEL)} · {run.created:%Y-%m-%d %H:%M} · {visible(run.id)[-12:]}"


def runs_by_suite(catalog: Catalog) -> dict[str, list[RunManifest]]:
    """Readable runs of each suite, newest first."""
    found: dict[str, list[RunManifest]] = {}
    for run in catalog.runs.values():
        found.setdefault(run.suite, []).append(run)
    return found


def _contests(comparison: Comparison, *, stored: bool) -> tuple[Contest, ...]:
    key = _Key(comparison)
    views = _views(key)
    return tuple(
        Contest(
            comparison=comparison.id,
            base=visible(comparison.base),
            candidate=view.name,
            alpha=comparison.alpha,
            view=view,
            raw=raw,
            stored=stored,
        )
        for view, raw in zip(views, comparison.comparisons, strict=True)
    )


class _Key:
    """A comparison as the object that it is: a store reads a file once, and hashing all of its content takes long."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison

    def __hash__(self) -> int:
        return id(self.comparison)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.comparison is other.comparison


@lru_cache(maxsize=64)
def _views(key: _Key) -> tuple[CandidateView, ...]:
    return build_view(key.comparison, Evidence({}, {})).candidates


def views_of(comparison: Comparison) -> tuple[CandidateView, ...]:
    """What the reports say of each candidate of a comparison, without any text of an answer."""
    return _views(_Key(comparison))


def _told_apart(contests: Sequence[Contest]) -> list[Contest]:
    """Candidates that go by one name get the end of their run's id."""
    names = [one.candidate for one in contests]
    return [
        one if names.count(one.candidate) == 1 else replace(one, candidate=f"{one.candidate} ({one.runs[1][-6:]})")
        for one in contests
    ]
