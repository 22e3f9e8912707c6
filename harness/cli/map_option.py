"""What `--map` says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.errors import InputError, did_you_mean


def parse_map(given: Sequence[str]) -> dict[str, Any]:
    """What `--map` says, as a card writes it: `question=title+ask,answer=answer,metadata.topic=department`.

    `+` puts columns together; `question=text:Read the meter.` is a text of one's own and takes the rest of its option.
    A YAML file may stand alone. What is left out may be guessed, so that this need not be a whole mapping.

    Raises:
        InputError: not of that form.
    """
    from harness.gold.mapping import RowMap
    from harness.validation import read_yaml

    raw: dict[str, Any] = {}
    for text in given:
        if text.endswith((".yaml", ".yml")) and "=" not in text:
            if not Path(text).is_file():
                raise InputError(f"the file {text!r} does not exist", where="--map")
            if len(given) > 1:
                raise InputError("a mapping in a file stands alone", where="--map")
            return read_yaml(Path(text), RowMap).written()
        for target, value in _pairs(text):
            if target in raw:
                raise InputError(f"{target!r} is given twice", where="--map", remedy="Join columns with '+'.")
            head = target.partition(".")[0]
            if head not in RowMap.model_fields:
                raise InputError(
                    f"an item has no {head!r}", where="--map", remedy=did_you_mean(head, RowMap.model_fields)
                )
            raw[target] = value
    return raw


def _pairs(text: str) -> Iterator[tuple[str, Any]]:
    while text:
        target, equals, rest = text.partition("=")
        target = target.strip()
        if not (target and equals and rest):
            raise InputError(
                f"{text!r} is not TARGET=COLUMN", where="--map", remedy="Write --map question=ask,answer=answer."
            )
        if rest.startswith("text:"):
            yield target, {"text": rest.removeprefix("text:")}
            return
        value, _, text = rest.partition(",")
        columns = [column.strip() for column in value.split("+")]
        if target == "fields" and len(columns) > 1:
            yield target, columns
        else:
            yield target, columns[0] if len(columns) == 1 else columns
