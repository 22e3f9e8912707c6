"""The card that stands beside a gold set and says what it is."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.gold.mapping import RowMap


class Source(BaseModel):
    """Where the items of a gold set that is not stored here come from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    huggingface: str | None = Field(None, description="ORG/NAME of a dataset repository")
    modelscope: str | None = Field(None, description="ORG/NAME of a dataset repository")
    revision: str | None = Field(
        None, description="branch, tag or commit on Hugging Face (default: main); a commit is reproducible"
    )
    modelscope_revision: str | None = Field(None, description="the same on ModelScope (default: master)")
    file: str = Field(description="path of the file inside the repository; a pattern (data/test/*.csv) for several")


class Origin(BaseModel):
    """What an imported gold set was made from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(description="path, or hf:ORG/NAME@COMMIT, ms:ORG/NAME@REVISION")
    digest: str = Field(description="SHA-256 over the names and bytes of the files read")
    encodings: dict[str, str] = Field(default_factory=dict, description="encoding of each text file")
    rows: int = Field(description="rows read")
    map: RowMap = Field(description="how the rows became items")


class Card(BaseModel):
    """Purpose, authorship and content of a gold set (`<name>.yaml` beside `<name>.jsonl`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    name: str
    purpose: str
    authorship: str
    licence: str
    languages: tuple[str, ...]
    fields: dict[str, str] = Field(default_factory=dict, description="what each field of an item holds")
    items: int | None = None
    counts: dict[str, dict[str, int]] = Field(default_factory=dict, description="items by topic and difficulty")
    digest: str | None = Field(None, description="digest of the items; a mismatch is reported when loading")
    notes: str = ""
    source: Source | None = None
    map: RowMap | None = Field(None, description="how the rows of `source`, or of a local copy, become items")
    origin: Origin | None = Field(None, description="what `harness goldset import` read")
