"""What a probe found."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Status = Literal["pass", "warn", "fail", "skip"]


class Finding(BaseModel):
    """The outcome of one probe on one candidate.

    Attributes:
        status: `fail` blocks the gate, `warn` is shown, `skip` says why the probe could not look.
        detail: what was seen, with numbers, in one sentence.
        remedy: what to do, "" when there is nothing to do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    probe: str
    status: Status
    detail: str
    remedy: str = ""

    @property
    def text(self) -> str:
        """What was seen and what to do, as sentences."""
        stop = "" if self.detail.endswith((".", "?", "!", "。")) or not self.remedy else "."
        return f"{self.detail}{stop} {self.remedy}".strip()
