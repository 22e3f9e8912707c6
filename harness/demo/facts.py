"""The facts the demo models learn, and the questions about them that are held out (`facts/*.yaml`)."""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from harness.demo.overlap import trigrams

FOLDER = Path(__file__).parent / "facts"


def _as_texts(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(str(v) for v in value)
    return (str(value),)


Texts = Annotated[tuple[str, ...], BeforeValidator(_as_texts), Field(min_length=1)]


class Relation(BaseModel):
    """Facts of one kind (`x` -> accepted `y`s) with wordings to train on and wordings held out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    topic: str
    language: Literal["zh", "en"] = "zh"
    difficulty: Literal["easy"] = "easy"
    train: Annotated[tuple[str, ...], Field(min_length=6)]
    test: Annotated[tuple[str, ...], Field(min_length=1)]
    reference: str
    facts: Annotated[
        dict[str, Texts],
        BeforeValidator(lambda v: {str(x): y for x, y in v.items()} if isinstance(v, dict) else v),
        Field(min_length=1),
    ]

    @model_validator(mode="after")
    def _has_places(self) -> Relation:
        for wording in (*self.train, *self.test):
            if "{x}" not in wording:
                raise ValueError(f"{self.name}: a wording needs {{x}}: {wording!r}")
        return self

    @property
    def taught(self) -> tuple[str, ...]:
        """The wordings that are trained on: all but `dev`."""
        return tuple(wording for wording in self.train if wording != self.dev)

    @cached_property
    def dev(self) -> str:
        """The wording kept for the dev split, on which settings are chosen: the one least like the others."""
        grams = [trigrams(wording) for wording in self.train]
        alike = [sum(len(one & other) / len(one | other) for other in grams) for one in grams]
        return self.train[alike.index(min(alike))]

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
