"""What the dashboard was started with. The launcher leaves it in the environment, the app reads it there."""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.errors import InputError

VARIABLE = "HARNESS_DASHBOARD"


class Settings(BaseModel):
    """How this server shows which store.

    Attributes:
        store: folder or fsspec URL of the run store.
        folder: where gold sets, suites and `harness.yaml` are looked up.
        goldsets: gold set name -> local copy.
        language: of a visitor who has not chosen one.
        token: what a visitor has to know; "" where only this machine can reach the server.
        preferences: file that remembers the language chosen; None where several people use the server.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    store: str
    folder: Path
    goldsets: dict[str, str] = Field(default_factory=dict)
    language: Literal["en", "zh"] = "en"
    token: str = ""
    preferences: Path | None = None

    def admits(self, token: str) -> bool:
        """Whether a visitor with this token may see anything; takes as long for a near miss as for a far one."""
        return not self.token or hmac.compare_digest(token.encode(), self.token.encode())

    def leave(self, environment: MutableMapping[str, str] = os.environ) -> None:
        """Put them where the app finds them."""
        environment[VARIABLE] = self.model_dump_json()

    @classmethod
    def found(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """What the launcher left.

        Raises:
            InputError: the app was started by something else.
        """
        if VARIABLE not in environment:
            raise InputError("the app was not started by harness", remedy="Start it with: harness dashboard")
        return cls.model_validate_json(environment[VARIABLE])
