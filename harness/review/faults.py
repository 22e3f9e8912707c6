"""What stands in a store and cannot be shown: which, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import BaseModel, ValidationError

from harness.validation import explain, install, newer_writer

Model = TypeVar("Model", bound=BaseModel)

FaultKind = Literal["newer", "missing", "damaged"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One run or document that cannot be read.

    Attributes:
        name: path in the store.
        kind: written by a newer version; a file of it is missing; not readable.
        detail: the version that wrote it, the missing file, or the reader's words.
    """

    name: str
    kind: FaultKind
    detail: str

    @property
    def remedy(self) -> str:
        """The command that helps with what a newer version wrote."""
        return install(self.detail) if self.kind == "newer" else ""


def read_model(name: str, data: bytes, model: type[Model], known: int = 1) -> Model | Fault:
    """The document as a `model`, or why it is none: a newer schema is told apart from damage.

    Args:
        data: the document as it was found.
        known: the newest schema that this version reads.
    """
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        if newer := newer_writer(data, known):
            return Fault(name, "newer", newer)
        return Fault(name, "damaged", explain(error, model))
