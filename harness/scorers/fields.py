"""Structured extraction: several named values read from one answer, each compared as what it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from rapidfuzz.distance import Levenshtein

from harness.gold.item import Item
from harness.scorers._field_answers import Said, read_answer
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
        default={},
        description="what each field is: text, code, number, money, unit, time, date; others go by their gold value",
    )
    aliases: dict[str, list[str]] = Field(default={}, description="more names of fields in answers")

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
        kinds = {name: self._kind(name, value) for name, value in item.fields.items()}
        gold: dict[str, Value | None] = {}
        for name, value in item.fields.items():
            gold[name] = _read_gold(kinds[name], value)
            if gold[name] is None and value is not None:
                return self._unscored(f"the gold field {name!r} is no {kinds[name].type}: {str(value)[:60]!r}")
        said = read_answer(output, _names(tuple(item.fields), self._aliases))
        if not said:
            return tuple(Score(metric, 0.0) for metric in self.metrics)
        given = _read_given(kinds, said)
        found = {name: _compare(name, kinds[name], gold, given) for name in gold}
        return tuple(self._scores(found))

    def _scores(self, found: Mapping[str, _Found]) -> Iterator[Score]:
        shown = json.dumps({name: field.text for name, field in found.items()}, ensure_ascii=False)
        right = [field.right for field in found.values()]
        alike = [field.alike for field in found.values() if field.alike is not None]
        yield Score("fields", sum(right) / len(right), shown)
        yield Score("fields_all", float(all(right)), shown)
        if alike:
            yield Score("fields_digits", sum(alike) / len(alike), shown)
        else:
            yield Score("fields_digits", None, note="the item has no numbers among its fields")
        for name in self.kinds:
            if (field := found.get(name)) is None:
                yield Score(f"field_{name}", None, note=f"the item has no field {name!r}")
            else:
                yield Score(f"field_{name}", float(field.right), field.text or (_ABSENT if field.right else None))

    def _unscored(self, why: str) -> tuple[Score, ...]:
        return tuple(Score(metric, None, note=why) for metric in self.metrics)

    def _kind(self, name: str, gold: Any) -> Kind:
        return self.kinds.get(name) or (_TEXT if isinstance(gold, str) or gold is None else _NUMBER)

    @cached_property
    def _aliases(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return tuple((name, tuple(more)) for name, more in sorted(self.aliases.items()))


@dataclass(frozen=True, slots=True)
class _Found:
    """What became of one gold field: whether it is right, what was read, how alike the digits are (None: no number)."""

    right: bool
    text: str | None
    alike: float | None


@lru_cache(maxsize=256)
def _names(fields: tuple[str, ...], aliases: tuple[tuple[str, tuple[str, ...]], ...]) -> Names:
    return Names(fields, aliases)


def _read_gold(kind: Kind, value: Any) -> Value | None:
    return None if value is None or isinstance(value, bool | dict | list) else kind.read(str(value))


def _read_given(kinds: Mapping[str, Kind], said: Said) -> dict[str, Value | None]:
    """The last value said of each field that can be read as its kind.

    A unit that is stated only beside its number (`528,915公里`) is the answer to the field of that unit.
    """
    given = {
        name: next(
            (read for text in reversed(said.get(name, ())) if text is not None and (read := kind.read(text))), None
        )
        for name, kind in kinds.items()
    }
    for name, kind in kinds.items():
        value = given[name]
        if kind.unit in given and kind.unit not in said and value is not None and value.unit is not None:
            given[kind.unit] = kinds[kind.unit].read(value.unit)
    return given


def _compare(name: str, kind: Kind, gold: Mapping[str, Value | None], given: Mapping[str, Value | None]) -> _Found:
    wanted, read = gold[name], given[name]
    text = None if read is None else read.text
    if wanted is None:
        return _Found(read is None, text, None)
    if read is None:
        return _Found(False, None, 0.0 if kind.numeric else None)
    right = same(kind, wanted, read, _unit_of(kind, wanted, gold), _unit_of(kind, read, given))
    alike = 1.0 if right else Levenshtein.normalized_similarity(wanted.digits, read.digits)
    return _Found(right, text, alike if kind.numeric else None)


def _unit_of(kind: Kind, value: Value, values: Mapping[str, Value | None]) -> str | None:
    """The unit beside a number, else the one in the field that holds it."""
    beside = values.get(kind.unit) if kind.unit else None
    return value.unit or (unit_at(fold_case(fold_width(beside.text))) if beside else None)
