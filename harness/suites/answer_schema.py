"""Answers held to a JSON schema while they are generated, by engines that can."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    if isinstance(value, str) and value:
        try:
            schema = json.loads(value)
        except ValueError:
            schema = None
        if not isinstance(schema, dict):
            raise ValueError("is no JSON schema: it has to be a JSON object")
    return value


class WithAnswerSchema(BaseModel):
    """Settings that may hold answers to a schema.

    Attributes:
        json_schema: a JSON schema, as text so that settings can be hashed; "" lets a model say what it likes. vLLM and
            servers with `response_format` hold answers to it; other engines let the model answer freely.
    """

    json_schema: Annotated[str, BeforeValidator(_as_json)] = Field("", description="vLLM and endpoints; else ignored")

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = handler(self)
        if not self.json_schema:  # keys and digests are of the content: those of free answers stay what they were
            found.pop("json_schema", None)
        return found
