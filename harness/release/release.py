"""A comparison under review: the checklist of each candidate beside what was signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.comparison.results import Comparison
from harness.errors import EXIT_OK, InputError
from harness.release.checklist import Check, JudgedBy, checklist, judgings_of
from harness.release.signoffs import Signed, SignOffs, State, read_signoffs
from harness.report.stored import parse_comparison, stored_view
from harness.report.view import CandidateView, Evidence, View, build_view
from harness.runs.files import RunStore


@dataclass(frozen=True, slots=True)
class CandidateReview:
    """One candidate under review.

    Attributes:
        candidate: its name as it was given; `view.name` is that name made visible.
    """

    candidate: str
    view: CandidateView
    checks: tuple[Check, ...]
    signed: tuple[Signed, ...]
    state: State

    @property
    def gate(self) -> int:
        """The gate's exit code."""
        return self.view.code

    @property
    def against_gate(self) -> bool:
        """Approved although the gate did not pass it."""
        return self.state == "approved" and self.gate != EXIT_OK

    @property
    def deciders(self) -> tuple[str, ...]:
        """Whose decisions stand, in the order in which they were made."""
        return tuple(dict.fromkeys(one.entry.name for one in self.signed if one.counts))


@dataclass(frozen=True, slots=True)
class Release:
    """A whole comparison under review.

    Attributes:
        broken: where lines of the file of sign-offs cannot be read.
    """

    view: View
    candidates: tuple[CandidateReview, ...]
    broken: tuple[str, ...]

    @property
    def comparison(self) -> Comparison:
        return self.view.comparison


def open_release(
    reference: str,
    store: str,
    overrides: Mapping[str, str] | None = None,
    folder: Path | None = None,
    *,
    texts: bool = True,
) -> Release:
    """A stored comparison under review.

    Args:
        reference: its id in the store.
        overrides, folder: as of `stored_view`.
        texts: with the texts of what flipped, for which both runs are read.

    Raises:
        InputError: it is not in the store, or its sign-offs cannot be read.
    """
    runs = RunStore(store)
    if "/" in reference or reference.endswith(".json"):
        raise InputError(
            "is a file; what is signed off stands in a store", where=reference, remedy="Give the comparison's id."
        )
    comparison = parse_comparison(runs.read_document("comparison", reference), reference)
    view = stored_view(comparison, store, overrides or {}, folder) if texts else build_view(comparison, _NOTHING, store)
    signoffs = read_signoffs(runs, reference)
    judged = judgings_of(runs, comparison)
    shown = zip(comparison.comparisons, view.candidates, strict=True)
    return Release(
        view=view,
        candidates=tuple(
            _candidate(comparison, one.candidate, candidate, judged, signoffs) for one, candidate in shown
        ),
        broken=signoffs.broken,
    )


_NOTHING = Evidence({}, {})


def _candidate(
    comparison: Comparison, name: str, view: CandidateView, judged: Sequence[JudgedBy], signoffs: SignOffs
) -> CandidateReview:
    return CandidateReview(
        candidate=name,
        view=view,
        checks=checklist(comparison, view, [one for one in judged if one.judging.candidate == name]),
        signed=signoffs.of(name),
        state=signoffs.state(name),
    )
