"""Structured extraction: several named values read from one answer, each compared as what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from harness.gold.item import Item
from harness.scorers._field_answers import Said, read_answer, says_nothing
from harness.scorers._field_names import Names
from harness.scorers._field_values import Kind, Value, same, unit_at
from harness.scorers.base import Score
from harness.text import fold_case, fold_width, norm_label

_VERSION = 1
_TEXT, _NUMBER = Kind(type="text"), Kind(type="number")
_ABSENT = "(absent)"


class Fields(BaseModel):
    """The values of an item's `fields` are in the answer, as JSON or as prose.

    `fields` is the share of the item's fields that are right, `fields_all` 1 when all are. `field_NAME`, for every name
    in `kinds`, is that field alone. `fields_digits` is the mean similarity of digits over the numbers: 1 for a right
    one, else 1 - Levenshtein distance / length of the longer (0 when missing).

    A gold value of null says that the picture does not show it: right is an answer that leaves it out or says so. What
    an answer gives beyond the gold fields is not looked at. A field that is missing is wrong, and an answer in which no
    field can be read is unextracted and wrong in all, the null ones included.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kinds: dict[str, Kind] = Field(
        default_factory=dict,
        description="what each field is: text, code, number, money, unit, time, date; others go by their gold value",
    )
    aliases: dict[str, list[str]] = Field(default_factory=dict, description="more names of fields in answers")

    @property
    def metrics(self) -> tuple[str, ...]:
        """`fields`, `fields_all`, `fields_digits`, and `field_NAME` for each of `kinds`."""
        return ("fields", "fields_all", "fields_digits", *(f"field_{name}" for name in self.kinds))

    @cached_property
    def signature(self) -> str:
        """The kinds with their options, the added names, and the rules by version."""
        kinds = ",".join(f"{name}={kind.label}" for name, kind in sorted(self.kinds.items())) or "by-gold"
        more = ";".join(f"{name}({','.join(sorted(more))})" for name, more in sorted(self.aliases.items()))
        rules = f"norm:{norm_label()}|extract:json/prose|null:absent|extra:ignored|units:converted|digits:levenshtein"
        return f"fields|kinds:{kinds}|aliases:{more or 'built-in'}|{rules}|v:{_VERSION}"

    def binary(self, metric: str) -> bool:
        """All but the share and the similarity."""
        return metric not in ("fields", "fields_digits")

    def score(self, item: Item, output: str) -> tuple[Score, ...]:
        """Scores of each metric; None where the item has no fields, or not the one of the metric."""
        if not item.fields:
            return self._unscored("the item has no fields")
        gold: dict[str, Value | None] = {}
        for name, value in item.fields.items():
            if value is None:
                gold[name] = None
                continue
            read = None if isinstance(value, bool | dict | list) else self._kind(name, value).read(str(value))
            if read is None:
                return self._unscored(f"the gold field {name!r} ({value!r}) is no {self._kind(name, value).type}")
            gold[name] = read
        said = read_answer(output, self._names(tuple(item.fields)))
        if not said:
            return tuple(Score(metric, 0.0) for metric in self.metrics)
        return tuple(self._scores(item.fields, gold, said))
