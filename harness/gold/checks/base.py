"""What a check is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from harness.gold.checks.finding import Finding
from harness.gold.checks.material import Material


class Check(Protocol):
    """Looks at a gold set for one kind of fault. Says nothing where there is none."""

    def __call__(self, material: Material) -> Iterable[Finding]: ...
