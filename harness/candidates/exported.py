"""Where an exported model comes from: `export.json`, beside its weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.candidates.adapter import AdapterFolder
from harness.candidates.candidate import ModelCandidate
from harness.errors import InputError
from harness.validation import read_json_model

FILE_NAME = "export.json"

#: good: answers as its adapter does; drifted: does not; unproved: nobody could ask it.
ParityVerdict = Literal["good", "drifted", "unproved"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ParentRecord(_Part):
    """The adapter on its base that was exported: its name, its digests, and where both lay."""

    name: str
    digest: str = Field(description="fingerprint over base weights, adapter, tokenizer and quantization")
    model: str = Field(description="folder of the base; relative paths start from the export's folder")
    model_digest: str
    adapter: str
    adapter_digest: str
    tokenizer_digest: str
    quantization: str | None = None
    prompt: str = Field(description="the prompt format it was asked in")


class TaskParity(_Part):
    """One task's primary metric, adapter against export."""

    task: str
    metric: str
    n: int
    adapter: float | None
    export: float | None
    delta: float | None
    ci: tuple[float, float] | None
    p_adjusted: float | None
    margin: float
    noise: float | None = Field(description="share of the adapter's own scores that change in another batching")
    verdict: str
    same: int = Field(description="answers that are the same text")
    asked: int
    lost: tuple[str, ...] = Field(description="items that the adapter has right and the export wrong")
    gained: tuple[str, ...] = Field(description="the reverse")


class ParityRecord(_Part):
    """What came of holding the export against its adapter."""

    verdict: ParityVerdict
    reasons: tuple[str, ...] = ()
    likelihoods: str = Field("", description="what the probe merge-parity said of the reference answers")
    suite: str = ""
    suite_digest: str = ""
    limit: int | None = None
    engine: str = ""
    engine_version: str = ""
    comparison: str = Field("", description="id of the comparison in the store")
    tasks: tuple[TaskParity, ...] = ()


class ExportRecord(_Part):
    """How an export was made, and whether it answers as its adapter does.

    Attributes:
        digest: fingerprint of the exported weights and their configuration as they were written.
        bits: of a weight.
        merged: a GGUF is made from a merge in 16 bit, and this is how that one answered; None for other exports.
        parity: None until it was held against its adapter.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema")
    name: str
    to: str = Field(description="as the command line names it: merged16, merged4, gguf:q8_0, gguf:q4_k_m")
    parent: ParentRecord
    digest: str
    dtype: str = Field(description="number format of the merged weights")
    bits: Literal[4, 8, 16]
    method: str = Field(description="in words: what merged and what quantised")
    versions: dict[str, str]
    created: str
    merged: ParityRecord | None = None
    parity: ParityRecord | None = None

    def to_json(self) -> str:
        """The text of `export.json`."""
        return self.model_dump_json(by_alias=True, indent=1) + "\n"


def read_export_record(folder: Path) -> ExportRecord | None:
    """The record in an export's folder; None where there is none.

    Raises:
        InputError: the file is broken.
    """
    path = folder / FILE_NAME
    return read_json_model(path, ExportRecord, remedy="Export again with --replace.") if path.is_file() else None


def parent_of(candidate: ModelCandidate) -> ModelCandidate | None:
    """The adapter that an exported model was made from, asked as the export is; None for any other candidate, and
    where adapter or base are no longer on disk. Whether they are still the same ones, their fingerprint tells."""
    record = None if candidate.adapter else read_export_record(candidate.model)
    if record is None:
        return None
    model, adapter = candidate.model / record.parent.model, candidate.model / record.parent.adapter
    if not (model / "config.json").is_file():
        return None
    try:
        opened = AdapterFolder.open(adapter.resolve())
    except InputError:
        return None
    return replace(
        candidate,
        name=record.parent.name,
        model=model.resolve(),
        adapter=opened,
        quantization=record.parent.quantization,
    )
