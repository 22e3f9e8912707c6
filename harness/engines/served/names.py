"""What a server calls its models: by the digest of what they are, so that a name proves what answers."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.digest import digest_json
from harness.errors import InputError

_SCHEME = "sha256"


@dataclass(frozen=True)
class Served:
    """The base that a server names, and how it holds it.

    Attributes:
        url: of the API, ending in /v1.
        version: recorded beside each completion.
        max_model_len: tokens of prompt and answer that it takes.
        arguments: digest of what was passed through to it, any of which may change its answers; "" for nothing.
    """

    url: str
    model: str
    dtype: str
    quantization: str | None
    version: str
    max_model_len: int
    arguments: str = ""

    @property
    def name(self) -> str:
        return base_name(self.model, self.dtype, self.quantization, self.arguments)


def base_name(digest: str, dtype: str, quantization: str | None, arguments: str = "") -> str:
    """A base by the digest of its weights, its number format, how it is quantised on load and what was passed on."""
    return f"{_SCHEME}:{digest}:{dtype}:{quantization or 'none'}{f':{arguments}' if arguments else ''}"


def arguments_digest(passed: Mapping[str, Any]) -> str:
    """What stands for pass-through arguments in a name: nothing where there are none."""
    return digest_json(dict(passed))[:16] if passed else ""


def adapter_name(digest: str) -> str:
    """An adapter by its digest: one that was retrained is another, and is never served stale."""
    return f"{_SCHEME}:{digest}"


def discover(url: str, *, timeout: float = 3.0) -> Served:
    """What a server holds.

    Raises:
        InputError: nobody answers there, or the names prove nothing.
    """
    root = url.rstrip("/").removesuffix("/v1")
    try:
        models = _get(f"{root}/v1/models", timeout).get("data", [])
        version = str(_get(f"{root}/version", timeout).get("version", "unknown"))
    except (OSError, ValueError, AttributeError) as error:
        reason = getattr(error, "reason", error)
        raise InputError(
            f"the server cannot be asked what it holds ({reason})",
            where=url,
            remedy="Start one: harness serve BASE, or leave engine.serve out.",
        ) from None
    for model in models:
        parts = str(model.get("id", "")).split(":")
        if len(parts) in (4, 5) and parts[0] == _SCHEME:
            return Served(
                url=f"{root}/v1",
                model=parts[1],
                dtype=parts[2],
                quantization=None if parts[3] == "none" else parts[3],
                version=f"{version} (vllm server)",
                max_model_len=int(model.get("max_model_len") or 0),
                arguments=parts[4] if len(parts) == 5 else "",
            )
    named = ", ".join(str(model.get("id")) for model in models) or "nothing"
    raise InputError(
        f"the server's names do not prove which weights it holds (it serves {named})",
        where=url,
        remedy="Start it with harness serve, or compare openai:MODEL@URL, which proves nothing either and says so.",
    )


def _get(url: str, timeout: float) -> Any:
    # No proxy: a warm server stands on this machine or beside it.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=timeout) as response:
        return json.loads(response.read())
