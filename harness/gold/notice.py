"""What was noticed while a gold set was read, for programs and in English; the reports have the Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

NoticeCode: TypeAlias = Literal[
    "no-card", "card-digest", "repeated-rows", "missing-question", "missing-answer", "ambiguous-options"
]  # fmt: skip

NOTICES: Mapping[NoticeCode, str] = {
    "no-card": "{path} has no card: nobody can tell where its items come from or under which licence",
    "card-digest": "{path}: the items differ from the digest on the card; edit the card when the edit was meant",
    "repeated-rows": "{path}: {rows} repeated rows were dropped",
    "missing-question": "{path}: {rows} rows were left out: missing question (column {column!r})",
    "missing-answer": "{path}: {rows} rows were left out: missing answer (column {column!r})",
    "ambiguous-options": "{path}: {rows} rows were left out: ambiguous options (column {column!r})",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a reader should know but need not stop for; `str()` says it in English.

    Attributes:
        values: what fills the text.
    """

    code: NoticeCode
    values: Mapping[str, str | int] = field(default_factory=dict)

    def __str__(self) -> str:
        return NOTICES[self.code].format(**self.values)
