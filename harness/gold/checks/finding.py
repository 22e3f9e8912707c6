"""What a check has to say: how bad it is, which items it is about, the texts themselves, and what to do."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, computed_field

from harness.gold.checks.messages import MESSAGES, Code
from harness.gold.item import Item

#: An error is certain and makes results wrong; a warning is likely, and a person should look; info is good to know.
Severity: TypeAlias = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
Value: TypeAlias = str | int | float

#: Pieces of evidence that a finding carries at most; `count` and `items` are always complete.
MOST_EVIDENCE = 200
_LONGEST = 600


class Quote(BaseModel):
    """A text and where it stands: an item's id, or file and row of a training text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    where: str
    question: str
    answer: str = ""


class Evidence(BaseModel):
    """Texts that belong side by side.

    Attributes:
        likeness: Jaccard index or covered share, where the check measures one.
        answered: of a training text, whether an accepted answer stands in the same row.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    quotes: tuple[Quote, ...]
    likeness: float | None = None
    answered: bool | None = None


class Finding(BaseModel):
    """One thing that one check found, however often.

    Attributes:
        code: what it is, for programs.
        count: how often: groups of duplicates, pairs, items or cells, as the text says.
        items: ids of all items concerned.
        values: what fills the text.
        what: the text, in English.
        remedy: what to do about it, in English.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Code
    severity: Severity
    count: int = 1
    items: tuple[str, ...] = ()
    values: dict[str, Value] = Field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def what(self) -> str:
        return MESSAGES[self.code].what.format(count=self.count, **self.values)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def remedy(self) -> str:
        return MESSAGES[self.code].remedy.format(count=self.count, **self.values)


def quote(item: Item) -> Quote:
    """An item's question (with its options) and canonical answer."""
    options = "".join(f"\n{letter}. {text}" for letter, text in zip("ABCDEFGHIJ", item.choices or (), strict=False))
    return Quote(where=item.id, question=shortened(item.text + options), answer=shortened(" / ".join(item.answer)))


def shortened(text: str) -> str:
    """At most `_LONGEST` characters of a text."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
