"""Whole numbers out of a config.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.errors import InputError


def whole_number(config: Mapping[str, Any], key: str, where: str, *, default: int | None = None) -> int:
    """The positive whole number at `key`; `default` where the key is absent or null.

    Raises:
        InputError: there is none, or it is something else.
    """
    found = config.get(key)
    if found is None:
        found = default
    if found is None:
        raise InputError(f"the key {key!r} is missing", where=where)
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise InputError(f"{key!r} must be a whole number above 0, not {found!r}", where=where)
    return found
