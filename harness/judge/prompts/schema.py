"""The form of a verdict as a JSON schema, for engines and servers that hold a model to one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

#: Characters; a judge that does not come to an end would never come to its verdict.
LONGEST_REASON = 500


def verdict_schema(values: Mapping[str, Sequence[str | int]]) -> str:
    """Reasons in one text, then one of the values under each key. As JSON text, always the same for the same values."""
    properties: dict[str, object] = {"reason": {"type": "string", "maxLength": LONGEST_REASON}}
    properties |= {name: {"enum": list(allowed)} for name, allowed in values.items()}
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return json.dumps(schema, ensure_ascii=False)
