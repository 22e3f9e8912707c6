"""The facts the demo models learn, and the questions about them that are held out (`facts/*.yaml`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

FOLDER = Path(__file__).parent / "facts"


def _as_texts(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(str(v) for v in value)
    return (str(value),)


Texts = Annotated[tuple[str, ...], BeforeValidator(_as_texts), Field(min_length=1)]


class Relation(BaseModel):
    """Facts of one kind (`x` -> accepted `y`s), and how they are asked for.

    Attributes:
        train: wordings that are trained on.
        dev: the wording on which settings are chosen.
        test: wordings of the gold set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    topic: str
    language: Literal["zh", "en"] = "zh"
    difficulty: Literal["easy"] = "easy"
    train: Annotated[tuple[str, ...], Field(min_length=8)]
    dev: str
    test: Annotated[tuple[str, ...], Field(min_length=1)]
    reference: str
    facts: Annotated[
        dict[str, Texts],
        BeforeValidator(lambda v: {str(x): y for x, y in v.items()} if isinstance(v, dict) else v),
        Field(min_length=1),
    ]

    @model_validator(mode="after")
    def _has_places(self) -> Relation:
        for wording in (*self.train, self.dev, *self.test):
            if "{x}" not in wording:
                raise ValueError(f"{self.name}: a wording needs {{x}}: {wording!r}")
        return self

    def statement(self, x: str) -> str:
        """The fact as a full sentence."""
        return self.reference.replace("{x}", x).replace("{y}", self.facts[x][0])


class Question(BaseModel):
    """A question of its own, never trained on (tiers medium and hard)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: str
    language: Literal["zh", "en"] = "zh"
    difficulty: Literal["medium", "hard"]
    question: str
    answer: Texts
    reference: str


class Facts(BaseModel):
    """One file of facts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    relations: tuple[Relation, ...]
    items: tuple[Question, ...] = ()


@cache
def load(name: Literal["medical", "general"]) -> Facts:
    """The facts of one subject, checked."""
    return Facts.model_validate(yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8")))
