"""Scorers by name. Only the module of the scorer asked for is imported."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.errors import InputError, did_you_mean
from harness.scorers.base import Scorer

# name -> module:class. Each class is a frozen pydantic model: its fields are the scorer's options.
_SCORERS = {
    "choice": "harness.scorers.choice:Choice",
    "contains": "harness.scorers.contains:Contains",
    "exact": "harness.scorers.exact:Exact",
    "fields": "harness.scorers.fields:Fields",
    "math": "harness.scorers.math:Math",
    "number": "harness.scorers.number:Number",
    "rouge": "harness.scorers.rouge:Rouge",
}


@dataclass(frozen=True, slots=True)
class OptionInfo:
    """One option of a scorer, for documentation and the command line."""

    name: str
    default: Any
    description: str


@dataclass(frozen=True, slots=True)
class ScorerInfo:
    """One scorer, for documentation and the command line."""

    name: str
    summary: str
    metrics: tuple[str, ...]
    options: tuple[OptionInfo, ...]
    signature: str


def make_scorer(spec: str | Mapping[str, Mapping[str, Any] | None]) -> Scorer:
    """The scorer that `spec` names: `exact`, or `{number: {tolerance: 0.01}}`.

    Raises:
        InputError: unknown scorer or option, or an option's value that does not fit.
    """
    name, options = _split(spec)
    model = _load(name)
    try:
        scorer = model.model_validate(options)
    except ValidationError as error:
        raise _option_error(name, model, error) from None
    return _checked(scorer)


def names() -> tuple[str, ...]:
    """Names of all scorers, sorted."""
    return tuple(sorted(_SCORERS))


def describe() -> tuple[ScorerInfo, ...]:
    """Every scorer with its metrics and options, by name. The signature shown is that of the defaults."""
    return tuple(_describe(name) for name in names())


def _split(spec: object) -> tuple[str, dict[str, Any]]:
    if isinstance(spec, str):
        return spec, {}
    if not isinstance(spec, Mapping) or len(spec) != 1:
        raise InputError(
            f"a scorer is a name or one name with its options, not {spec!r}",
            where="scorers",
            remedy="Write 'exact' or '{number: {tolerance: 0.01}}'.",
        )
    name, options = next(iter(spec.items()))
    if not isinstance(name, str):
        raise InputError(f"{name!r} is not the name of a scorer", where="scorers", remedy=did_you_mean("", _SCORERS))
    if options is None:
        return name, {}
    if not isinstance(options, Mapping):
        raise InputError(f"the options must be a mapping, not {options!r}", where=f"scorers: {name}")
    return name, dict(options)


def _load(name: str) -> type[BaseModel]:
    if name not in _SCORERS:
        raise InputError(f"unknown scorer {name!r}", where="scorers", remedy=did_you_mean(name, _SCORERS))
    module, _, attribute = _SCORERS[name].partition(":")
    model: type[BaseModel] = getattr(importlib.import_module(module), attribute)
    return model


def _checked(scorer: Any) -> Scorer:
    """The one place where a loaded class becomes a `Scorer` for the type checker; the tests hold each to it."""
    checked: Scorer = scorer
    return checked


def _option_error(name: str, model: type[BaseModel], error: ValidationError) -> InputError:
    fault = error.errors()[0]
    option = ".".join(map(str, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        remedy = did_you_mean(option, model.model_fields) if len(fault["loc"]) == 1 else None
        return InputError(f"unknown option {option!r}", where=f"scorers: {name}", remedy=remedy)
    if not option:  # options that do not go together
        return InputError(fault["msg"].removeprefix("Value error, "), where=f"scorers: {name}")
    return InputError(
        f"{fault['msg'].removeprefix('Value error, ')}, not {fault['input']!r}", where=f"scorers: {name}: {option}"
    )


def _describe(name: str) -> ScorerInfo:
    model = _load(name)
    scorer = make_scorer(name)
    options = tuple(
        OptionInfo(option, field.default, field.description or "") for option, field in model.model_fields.items()
    )
    return ScorerInfo(name, (model.__doc__ or "").partition("\n")[0], scorer.metrics, options, scorer.signature)
