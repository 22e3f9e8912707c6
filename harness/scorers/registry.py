"""Scorers by name. Only the module of the scorer asked for is imported."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.errors import InputError, did_you_mean
from harness.scorers.base import Scorer
from harness.scorers.custom import PREFIX, Custom

# name -> module:class. Each class is a frozen pydantic model: its fields are the scorer's options.
_SCORERS = {
    "answered": "harness.scorers.answered:Answered",
    "bleu": "harness.scorers.bleu:Bleu",
    "choice": "harness.scorers.choice:Choice",
    "chrf": "harness.scorers.chrf:Chrf",
    "contains": "harness.scorers.contains:Contains",
    "embedding": "harness.scorers.embedding:Embedding",
    "exact": "harness.scorers.exact:Exact",
    "fields": "harness.scorers.fields:Fields",
    "format": "harness.scorers.format:Format",
    "length_ratio": "harness.scorers.length_ratio:LengthRatio",
    "math": "harness.scorers.math:Math",
    "number": "harness.scorers.number:Number",
    "regex": "harness.scorers.regex:Regex",
    "rouge": "harness.scorers.rouge:Rouge",
}


@dataclass(frozen=True, slots=True)
class OptionInfo:
    """One option of a scorer, for documentation and the command line.

    Attributes:
        required: it has no default and must be given.
    """

    name: str
    default: Any
    description: str
    required: bool


@dataclass(frozen=True, slots=True)
class ScorerInfo:
    """One scorer, for documentation and the command line.

    Attributes:
        signature: that of the defaults; None where an option has to be given.
    """

    name: str
    summary: str
    metrics: tuple[str, ...]
    options: tuple[OptionInfo, ...]
    signature: str | None


def make_scorer(spec: str | Mapping[str, Mapping[str, Any] | None]) -> Scorer:
    """The scorer that `spec` names: `exact`, `{number: {tolerance: 0.01}}`, or `py:module:function`.

    Raises:
        InputError: unknown scorer or option, or an option's value that does not fit.
    """
    name, options = _split(spec)
    if name.startswith(PREFIX):
        return _checked(Custom(reference=name, options=options))
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
    """Every scorer with its metrics and options, by name."""
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
    if fault["type"] == "missing":
        described = model.model_fields[option].description
        return InputError(
            f"the option {option!r} is missing ({described})",
            where=f"scorers: {name}",
            remedy=f"Write {{{name}: {{{option}: …}}}}.",
        )
    if not option:  # options that do not go together
        return InputError(fault["msg"].removeprefix("Value error, "), where=f"scorers: {name}")
    return InputError(
        f"{fault['msg'].removeprefix('Value error, ')}, not {fault['input']!r}", where=f"scorers: {name}: {option}"
    )


def _describe(name: str) -> ScorerInfo:
    model = _load(name)
    options = tuple(
        OptionInfo(option, None if field.is_required() else field.default, field.description or "", field.is_required())
        for option, field in model.model_fields.items()
    )
    # Metrics with required options do not depend on them, so a scorer without them can tell.
    required = any(option.required for option in options)
    scorer = _checked(model.model_construct()) if required else make_scorer(name)
    signature = None if required else scorer.signature
    return ScorerInfo(name, (model.__doc__ or "").partition("\n")[0], scorer.metrics, options, signature)
