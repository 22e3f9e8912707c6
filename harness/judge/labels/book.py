"""Labels that people give one by one, in the dashboard: a file for each annotator beside the draw, only appended to.

`draws/ID/labels/NAME-DIGEST.jsonl`. Whoever labels may stop at any row and go on later, anywhere; of a row that was
labelled again the last label holds. Nobody's labels are changed by what another annotator does at the same time.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.digest import digest_bytes
from harness.errors import InputError
from harness.judge.labels.drawing import Draw
from harness.judge.labels.reading import Labels
from harness.runs.files import RunStore, now
from harness.runs.journal import Journal, journals

LONGEST_NAME = 60


class Label(BaseModel):
    """One line of the file.

    Attributes:
        row: which of the draw's rows, by its name (`Draw.row_name`).
        labels: by measure.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema")
    draw: str
    row: str
    annotator: str
    labels: dict[str, str]
    created: datetime


@dataclass(frozen=True)
class Sheet:
    """What one annotator has said so far.

    Attributes:
        said: by position in `Draw.rows`, the label of each measure.
        broken: where lines stand that are no labels of this draw.
    """

    annotator: str
    said: Mapping[int, Mapping[str, str]]
    broken: tuple[str, ...] = ()


class LabelBook:
    """The labels of one draw in a store."""

    def __init__(self, store: RunStore, draw: Draw) -> None:
        self._store = store
        self.draw = draw
        self._folder = f"draws/{draw.id}/labels"
        self._rows = {draw.row_name(position): position for position in range(len(draw.rows))}

    def add(self, annotator: str, position: int, labels: Mapping[str, str]) -> None:
        """Label a row; when this returns it is on disk.

        Args:
            labels: a label for each of the draw's measures.

        Raises:
            InputError: no name, a label that the draw does not know, or a store that cannot be written.
        """
        name = annotator_name(annotator)
        if set(labels) != set(self.draw.measures) or not set(labels.values()) <= set(self.draw.labels):
            raise InputError(f"{dict(labels)} does not label {', '.join(self.draw.measures)}", where=self.draw.id)
        label = Label(
            draw=self.draw.id,
            row=self.draw.row_name(position),
            annotator=name,
            labels=dict(labels),
            created=now(),
        )
        self._journal(name).append(label.model_dump_json(by_alias=True))

    def sheet(self, annotator: str) -> Sheet:
        """What an annotator has said so far; nothing of one who is new."""
        name = annotator_name(annotator)
        return self._read(self._journal(name)) or Sheet(name, {})

    def sheets(self) -> list[Sheet]:
        """What everybody has said so far, by name."""
        found = [sheet for journal in journals(self._store, self._folder) if (sheet := self._read(journal))]
        return sorted(found, key=lambda sheet: sheet.annotator)

    def complete(self, sheet: Sheet) -> bool:
        return len(sheet.said) == len(self.draw.rows)

    def labels(self) -> Labels:
        """The labels of everybody who has labelled every row.

        A sheet that is filled in part is left out, because people leave out what is hard.

        Raises:
            InputError: nobody has.
        """
        sheets = self.sheets()
        whole = [sheet for sheet in sheets if self.complete(sheet)]
        if not whole:
            progress = ", ".join(f"{sheet.annotator} {len(sheet.said)}" for sheet in sheets) or "nobody has begun"
            raise InputError(
                f"nobody has labelled all {len(self.draw.rows)} rows ({progress})",
                where=self.draw.id,
                remedy="Label the rest in the dashboard: what is left out is seldom left out at random.",
            )
        rows = range(len(self.draw.rows))
        return Labels(
            self.draw,
            tuple(sheet.annotator for sheet in whole),
            tuple(tuple(sheet.said[position] for position in rows) for sheet in whole),
        )

    def _journal(self, name: str) -> Journal:
        readable = re.sub(r"[^\w]+", "_", name).strip("_")[:40]
        return Journal(self._store, f"{self._folder}/{readable}-{digest_bytes(name.encode())[:8]}")

    def _read(self, journal: Journal) -> Sheet | None:
        said: dict[int, Mapping[str, str]] = {}
        broken: list[str] = []
        name = ""
        for line in journal.lines():
            try:
                label = Label.model_validate_json(line.data)
            except ValidationError:
                broken.append(line.where)
                continue
            known = set(label.labels) == set(self.draw.measures) and set(label.labels.values()) <= set(self.draw.labels)
            if label.draw != self.draw.id or label.row not in self._rows or not known:
                broken.append(line.where)
                continue
            name = label.annotator
            said[self._rows[label.row]] = label.labels
        return Sheet(name, said, tuple(broken)) if name else None


def annotator_name(text: str) -> str:
    """A name as it is kept: one form for one person.

    Raises:
        InputError: there is none, or it is too long.
    """
    name = " ".join(unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode()).split())
    if not name or len(name) > LONGEST_NAME:
        raise InputError(
            f"an annotator's name has between 1 and {LONGEST_NAME} characters, not {len(name)}",
            remedy="Say who labels.",
        )
    return name
