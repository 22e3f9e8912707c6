"""What an import did with every row."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from harness.gold.importers.shapes import Shape
from harness.gold.mapping import RowMap, Why


class FileRead(BaseModel):
    """One file: what kind it turned out to be, and the encoding that the whole of it proved to be in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    kind: str
    encoding: str | None
    rows: int


class LeftOutRows(BaseModel):
    """Rows that made no item, for one reason; `examples` are the places of the first few."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    why: Why
    column: str
    rows: int
    examples: tuple[str, ...]


class ImportReport(BaseModel):
    """`harness goldset import --json`. Always rows = items + duplicates + all that were left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = Field(1, alias="schema")
    name: str
    source: str = Field(description="path, or hub name with the commit")
    shape: Shape
    map: RowMap
    files: tuple[FileRead, ...]
    rows: int
    items: int
    duplicates: int = Field(description="rows that repeat an item word for word (ids aside)")
    duplicate_examples: tuple[str, ...]
    left_out: tuple[LeftOutRows, ...]
    images: int
    languages: dict[str, int]
    licence: str | None
    digest: str
    goldset: str = Field(description="path of the JSONL file")
    card: str
    warnings: tuple[str, ...]
