"""A rubric: criteria, each with anchors that say what a score looks like.

Anchors make two readers mean the same by a 4. An anchor stands on one score or on several that follow each other
(`1-2`); two anchors on one score would say two things of it, which is an error and not a question of taste.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from harness.digest import digest_json
from harness.errors import InputError, did_you_mean
from harness.resources import packaged
from harness.validation import read_yaml

LOWEST, HIGHEST = 1, 5


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Wording(_Model):
    """A text in one language or both; one alone serves both."""

    en: str = ""
    zh: str = ""

    def of(self, language: str) -> str:
        return (self.zh or self.en) if language == "zh" else (self.en or self.zh)


def _worded(value: Any) -> Any:
    return {"en": value} if isinstance(value, str) else value


Text = Annotated[Wording, BeforeValidator(_worded)]


class Criterion(_Model):
    """One thing that an answer is scored on, from 1 to 5.

    Attributes:
        anchors: what a score, or a range of scores (`1-2`), looks like.
    """

    name: str = Field(pattern=r"^[^\s:=\"{}\[\]]+$")
    asks: Text
    anchors: dict[str, Text] = Field(min_length=2)

    @field_validator("asks")
    @classmethod
    def _asks_something(cls, value: Wording) -> Wording:
        if not (value.en.strip() or value.zh.strip()):
            raise ValueError("is empty")
        return value

    @field_validator("anchors", mode="before")
    @classmethod
    def _keys_are_text(cls, value: Any) -> Any:
        return {str(key): text for key, text in value.items()} if isinstance(value, dict) else value

    @field_validator("anchors")
    @classmethod
    def _anchors_do_not_overlap(cls, value: dict[str, Wording]) -> dict[str, Wording]:
        taken: dict[int, str] = {}
        said: dict[str, str] = {}
        for key, text in value.items():
            for score in _scores(key):
                if score in taken:
                    raise ValueError(f"the anchors {taken[score]!r} and {key!r} overlap: both say what a {score} is")
                taken[score] = key
            words = (text.en or text.zh).strip()
            if not words:
                raise ValueError(f"the anchor {key!r} is empty")
            if words in said:
                raise ValueError(f"the anchors {said[words]!r} and {key!r} say the same")
            said[words] = key
        for end in (LOWEST, HIGHEST):
            if end not in taken:
                raise ValueError(f"no anchor says what a {end} is")
        return value


class Rubric(_Model):
    """Criteria in the order in which they are asked."""

    name: str = Field(pattern=r"^[\w.-]+$")
    criteria: tuple[Criterion, ...] = Field(min_length=1)

    @field_validator("criteria")
    @classmethod
    def _names_differ(cls, value: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
        names = [one.name.lower() for one in value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two criteria are named {name!r}")
            if name == "overall":
                raise ValueError("'overall' is the mean of the criteria; name yours otherwise")
        return value

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what a judge is told."""
        return digest_json(self.model_dump(mode="json"))


def load_rubric(reference: str, *, folder: Path | None = None) -> Rubric:
    """A rubric by name (`medical`, `general`, or one in ./rubrics) or from a YAML file.

    Raises:
        InputError: unknown, or a fault in the file with its key.
    """
    base = folder or Path.cwd()
    if reference.endswith((".yaml", ".yml")) or "/" in reference:
        path = base / reference
        if not path.is_file():
            raise InputError("rubric file does not exist", where=str(path))
        return read_yaml(path, Rubric)
    known: dict[str, Path] = {}
    for place in (packaged("rubrics"), base / "rubrics"):
        known.update({path.stem: path for path in sorted(place.glob("*.yaml"))})
    if reference not in known:
        raise InputError(f"unknown rubric {reference!r}", where="--rubric", remedy=did_you_mean(reference, known))
    return read_yaml(known[reference], Rubric)


def _scores(key: str) -> range:
    match = re.fullmatch(r"\s*(\d+)\s*(?:[-–~]\s*(\d+)\s*)?", key)
    if match is None:
        raise ValueError(f"{key!r} is neither a score nor a range of scores such as '1-2'")
    low, high = int(match[1]), int(match[2] or match[1])
    if not LOWEST <= low <= high <= HIGHEST:
        raise ValueError(f"{key!r} does not lie between {LOWEST} and {HIGHEST}")
    return range(low, high + 1)
