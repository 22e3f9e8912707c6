"""What a run tells whoever watches it."""

from __future__ import annotations

from typing import Protocol

from harness.runs.plan import Plan
from harness.runs.samples import Sample


class Progress(Protocol):
    """Receives events of a run in order; draws them or ignores them."""

    def planned(self, plan: Plan, cached: dict[int, int], seconds: float | None) -> None:
        """Before anything starts.

        Args:
            cached: completions already stored, by index of candidate.
            seconds: estimated time to generate the rest; None when this machine has not run this model before.
        """
        ...

    def noticed(self, candidate: int, lines: list[str]) -> None:
        """Something the user should know before waiting for answers."""
        ...

    def starting(self, engine: str, reason: str) -> None:
        """An engine is being started."""
        ...

    def started(self, engine: str, seconds: float) -> None:
        """It is up."""
        ...

    def answered(self, candidate: int, samples: list[Sample], *, stored: bool) -> None:
        """Samples finished together; `stored` when they came from the store."""
        ...

    def charged(self, cost: float, answers: int) -> None:
        """What endpoints charged for answers, in the currency of their prices; told also when a run breaks off."""
        ...

    def finished(self) -> None: ...


class Silent:
    """No output."""

    def planned(self, plan: Plan, cached: dict[int, int], seconds: float | None) -> None: ...
    def noticed(self, candidate: int, lines: list[str]) -> None: ...
    def starting(self, engine: str, reason: str) -> None: ...
    def started(self, engine: str, seconds: float) -> None: ...
    def answered(self, candidate: int, samples: list[Sample], *, stored: bool) -> None: ...
    def charged(self, cost: float, answers: int) -> None: ...
    def finished(self) -> None: ...
