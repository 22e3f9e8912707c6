"""What a run remembers of itself between starts: `run.json` beside its checkpoints."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from harness.validation import read_json_model

_FILE = "run.json"


class RunState(BaseModel):
    """One training run, from its first start until its candidate stands.

    Attributes:
        identity: digest of what decides the result.
        seconds: spent training until the last checkpoint.
        peak_memory: most bytes of the GPU until then; None on a CPU.
        starts: how often it was started.
        device, versions: of the last stretch.
    """

    model_config = ConfigDict(extra="forbid")

    schema_version: int = Field(1, alias="schema")
    identity: str
    started: str
    seconds: float = 0.0
    peak_memory: int | None = None
    starts: int = 1
    device: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    _folder: Path = PrivateAttr()

    @classmethod
    def begin(cls, folder: Path, identity: str) -> RunState:
        """A new run in an empty folder."""
        state = cls(schema=1, identity=identity, started=datetime.now(UTC).isoformat(timespec="seconds"))
        state._folder = folder
        state.save()
        return state

    @classmethod
    def load(cls, folder: Path) -> RunState | None:
        """The run in a folder; None where there is none.

        Raises:
            InputError: the file is broken.
        """
        path = folder / _FILE
        if not path.is_file():
            return None
        state = read_json_model(path, cls, remedy="Start anew with --replace.")
        state._folder = folder
        return state

    def save(self) -> None:
        """Write it whole or not at all."""
        made = self._folder / f".{_FILE}"
        made.write_text(self.model_dump_json(indent=1, by_alias=True) + "\n", encoding="utf-8")
        os.replace(made, self._folder / _FILE)
