"""Reading YAML and JSON into pydantic models, with faults a user can act on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from harness.errors import InputError, did_you_mean

Model = TypeVar("Model", bound=BaseModel)


class _OneKeyOnce(yaml.SafeLoader):
    """YAML forbids a key that stands twice in a mapping; PyYAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} stands here twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path, model: type[Model]) -> Model:
    """The file at `path` as a `model`.

    Raises:
        InputError: not UTF-8, not YAML, or not what the model asks for; names the file and the key.
    """
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_OneKeyOnce)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"is not valid YAML ({error})", where=str(path)) from None
    if not isinstance(raw, Mapping):
        raise InputError(f"must hold a mapping with {_required(model)}", where=str(path))
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise InputError(explain(error, model), where=str(path)) from None
    except InputError as error:  # a validator that knows more than the model, such as that of a scorer's options
        place = f"{path}: {error.where}" if error.where else str(path)
        raise InputError(error.what, where=place, remedy=error.remedy) from None


def read_json_model(path: Path, model: type[Model], *, remedy: str | None = None) -> Model:
    """The JSON file at `path` as a `model`.

    Raises:
        InputError: not UTF-8, not JSON, or not what the model asks for; names the file and the key.
    """
    try:
        return model.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise InputError(explain(error, model), where=str(path), remedy=remedy) from None


def stored_model(data: bytes, model: type[Model], *, what: str, where: str, remedy: str, known: int = 1) -> Model:
    """A document that this program wrote, as a `model`.

    Args:
        what: it should be, with its article.
        known: the newest schema that this version reads.

    Raises:
        InputError: a newer version wrote it (says which to install), or it is something else.
    """
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        if newer := newer_writer(data, known):
            raise InputError(
                f"was written by a newer version ({newer})", where=where, remedy=f"Install it: {install(newer)}"
            ) from None
        raise InputError(f"is not {what} ({explain(error, model)})", where=where, remedy=remedy) from None


def newer_writer(data: bytes, known: int) -> str | None:
    """The version (or schema) that a document was written by; None where its schema is not newer than `known`."""
    try:
        content = json.loads(data)
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    schema = content.get("schema", content.get("schema_version"))
    if not isinstance(schema, int) or schema <= known:
        return None
    return str(content.get("harness_version") or f"schema {schema}")


def install(version: str) -> str:
    """How to get a version that reads what a newer one wrote."""
    package = f"'finetune-harness>={version}'" if version[:1].isdigit() else "finetune-harness"
    return f"pip install -U {package}"


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """The first fault of a validation error in words: the key, what is wrong and the nearest right key."""
    fault = error.errors()[0]
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"unknown key {key!r}. {did_you_mean(str(fault['loc'][-1]), _keys(model))}"
    if fault["type"] == "missing":
        return f"the key {key!r} is missing"
    return f"{key + ': ' if key else ''}{fault['msg'].removeprefix('Value error, ')}"


def _required(model: type[BaseModel]) -> str:
    names = [name for name, field in model.model_fields.items() if field.is_required()]
    return ", ".join(repr(name) for name in names) or f"any of {sorted(model.model_fields)}"


def _keys(model: type[BaseModel]) -> set[str]:
    """Every key of a model and of the models inside it."""
    found: set[str] = set()
    queue: list[Any] = [model]
    while queue:
        current = queue.pop()
        if isinstance(current, type) and issubclass(current, BaseModel):
            for name, field in current.model_fields.items():
                if name not in found:
                    found.add(name)
                    queue.append(field.annotation)
        else:
            queue.extend(getattr(current, "__args__", ()))
    return found
