"""`harness.yaml`: the names a team gives its candidates, and its defaults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.candidates.endpoint import Endpoint
from harness.candidates.settings import EngineSettings
from harness.errors import InputError
from harness.resources import demo_workspace
from harness.validation import read_yaml

FILE_NAME = "harness.yaml"


class SamplingOverrides(BaseModel):
    """What a candidate generates with, where it differs from the suite."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0.0)
    top_p: float | None = Field(None, gt=0.0, le=1.0)
    top_k: int | None = Field(None, ge=0)
    repetition_penalty: float | None = Field(None, gt=0.0)
    stop: tuple[str, ...] | None = None


class Entry(BaseModel):
    """One candidate of `candidates:`.

    Attributes:
        model: directory, `hf:ORG/NAME[@REV]` or `ms:ORG/NAME[@REV]` of the base weights.
        base: another entry whose `model` (and quantization) this one shares.
        adapter: directory of a PEFT adapter.
        quantization: applied on load, e.g. `bitsandbytes`.
        system: system prompt.
        prompt: `chat`, `alpaca`, `alpaca-input`, `medical-zh`, `plain`, or a template file.
        replay: recorded outputs (JSONL) instead of weights.
        endpoint: a model behind a URL instead of weights.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str | None = None
    base: str | None = None
    adapter: str | None = None
    revision: str | None = None
    quantization: str | None = None
    system: str | None = None
    prompt: str | None = None
    sampling: SamplingOverrides = SamplingOverrides()
    replay: str | None = None
    endpoint: Endpoint | None = None

    @model_validator(mode="after")
    def _names_one_thing(self) -> Entry:
        if self.endpoint is not None:
            if self.model or self.adapter or self.base or self.replay:
                raise ValueError("'endpoint' stands alone: its weights are not here")
            if self.prompt or self.quantization or self.revision:
                raise ValueError("the server behind 'endpoint' has a prompt format and a quantization of its own")
        elif self.replay is not None:
            if self.model or self.adapter or self.base:
                raise ValueError("'replay' stands alone: recorded outputs have no model, adapter or base")
        elif self.model and self.base:
            raise ValueError("give 'model' or 'base', not both: 'base' names the entry whose model is used")
        elif not (self.model or self.base or self.adapter):
            raise ValueError("needs 'model', 'adapter', 'replay' or 'endpoint'")
        return self


class WorkspaceFile(BaseModel):
    """The content of `harness.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidates: dict[str, Entry] = Field(default_factory=dict)
    engine: EngineSettings = EngineSettings()
    store: str = "runs"
    goldsets: dict[str, str] = Field(default_factory=dict, description="gold set name -> local copy")


@dataclass(frozen=True)
class Workspace:
    """A workspace file and the folder that its relative paths start from.

    Attributes:
        folder: relative paths in the file are relative to it.
        here: relative paths on the command line, and the store, are relative to it.
        file: the file read; None when there is none.
    """

    content: WorkspaceFile
    folder: Path
    here: Path
    file: Path | None = None

    @property
    def store(self) -> str:
        """Folder or fsspec URL of the run store."""
        if "://" in self.content.store:
            return self.content.store
        return str(self.here / self.content.store)

    @property
    def goldsets(self) -> dict[str, str]:
        """Local copies of gold sets, by name."""
        return {name: str(self.folder / path) for name, path in self.content.goldsets.items()}

    def engine(self, asked: str) -> EngineSettings:
        """The engine's settings; `asked` ("auto" is nobody in particular) goes before the file's name."""
        settings = self.content.engine
        return settings if asked == "auto" else settings.model_copy(update={"name": asked})

    def entry(self, name: str) -> Entry | None:
        return self.content.candidates.get(name)


def load_workspace(here: Path | None = None, *, demo: bool = False) -> Workspace:
    """The workspace of a folder (default: the working directory), or the packaged demo.

    A missing `harness.yaml` is no error: paths and references work without one.

    Raises:
        InputError: the file is there but not valid.
    """
    folder = (here or Path.cwd()).resolve()
    if demo:
        file, root = demo_workspace()
        return Workspace(read_yaml(file, WorkspaceFile), root, folder, file)
    file = folder / FILE_NAME
    if not file.is_file():
        return Workspace(WorkspaceFile(), folder, folder)
    content = read_yaml(file, WorkspaceFile)
    for name in content.candidates:
        if ":" in name or "/" in name:
            raise InputError(
                f"candidate name {name!r} holds ':' or '/'", where=str(file), remedy="Choose a plain name."
            )
    return Workspace(content, folder, folder, file)
