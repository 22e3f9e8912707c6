"""The card that stands beside a gold set and says what it is."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Source(BaseModel):
    """Where the items of a gold set that is not stored here come from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    huggingface: str | None = Field(None, description="ORG/NAME of a dataset repository")
    modelscope: str | None = Field(None, description="ORG/NAME of a dataset repository")
    revision: str = Field("main", description="branch, tag or commit; a commit is reproducible")
    file: str = Field(description="path of the JSONL or Parquet file inside the repository")


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
