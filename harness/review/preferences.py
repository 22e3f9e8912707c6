"""The language that somebody chose, kept in a file of this user's cache folder."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.report.words import Language

FILE_NAME = "dashboard.json"


class Preferences(BaseModel):
    """The content of the file."""

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1] = 1
    language: Literal["en", "zh"]


def remembered(file: Path | None) -> Language | None:
    """The language chosen last time; None where nothing is remembered, or not readably."""
    if file is None:
        return None
    try:
        return Preferences.model_validate_json(file.read_bytes()).language
    except (OSError, ValidationError):
        return None


def remember(file: Path | None, language: Language) -> None:
    """Keep the choice; where nothing can be written it lasts as long as the page."""
    if file is None or remembered(file) == language:
        return
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Preferences(language=language).model_dump_json() + "\n", encoding="utf-8")
