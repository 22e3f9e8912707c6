"""Where a model answers over the OpenAI protocol, and how it is asked there."""

from __future__ import annotations

import re
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from harness.digest import digest_json
from harness.errors import InputError

PREFIX = "openai:"

#: Read for the key unless `key_env` names another variable.
KEY_ENV = "OPENAI_API_KEY"


class Prices(BaseModel):
    """What a million tokens cost, in whatever currency: `--max-cost` is in the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0.0)
    output: float = Field(ge=0.0)

    def cost(self, prompt_tokens: float, completion_tokens: float) -> float:
        """The price of so many tokens."""
        return (prompt_tokens * self.input + completion_tokens * self.output) / 1e6


class Endpoint(BaseModel):
    """`endpoint:` of a candidate in harness.yaml: a model behind a URL.

    Keys stand in the environment and never here, so that neither this file nor a run can give one away.

    Attributes:
        url: base of the API, such as http://127.0.0.1:8000/v1.
        model: the name that the server knows the model by.
        api: `chat` sends a conversation, `completion` a text to be continued.
        key_env: environment variable that holds the key.
        headers: further headers: name -> environment variable that holds the value.
        extra_body: further fields of every request, passed through (Dify and RAGFlow want some).
        timeout: seconds that one answer may take, from sending to its last byte.
        retries: how often a request is sent again after a failure that may pass.
        max_concurrency: requests in flight at most; the number grows to it while the server keeps pace.
        requests_per_minute, tokens_per_minute: limits of the account.
        prices: what tokens cost; `--max-cost` needs them.
        verify: ask the server first which models it has.
        gpus: how many GPUs answer behind the URL; 0 is none, None is not known. `harness bench serving` divides by it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    model: str = Field(min_length=1)
    api: Literal["chat", "completion"] = "chat"
    key_env: str = KEY_ENV
    headers: dict[str, str] = Field(default_factory=dict)
    extra_body: dict[str, Any] = Field(default_factory=dict)
    timeout: float = Field(120.0, gt=0.0)
    retries: int = Field(5, ge=0)
    max_concurrency: int = Field(64, ge=1)
    requests_per_minute: float | None = Field(None, gt=0.0)
    tokens_per_minute: float | None = Field(None, gt=0.0)
    prices: Prices | None = None
    verify: bool = True
    gpus: int | None = Field(None, ge=0)

    @field_validator("url")
    @classmethod
    def _plain_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{_shown(url)!r} is no http:// or https:// address")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError(
                "the address carries a user name, a password or parameters, which would stand in every report; "
                "put secrets into the environment and name them in key_env or headers"
            )
        return url.rstrip("/")

    @field_validator("headers")
    @classmethod
    def _names_of_variables(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, variable in headers.items():
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
                raise ValueError(
                    f"headers.{name} must be the name of an environment variable that holds the value, not the value"
                )
        return headers

    @property
    def digest(self) -> str:
        """Of what decides the answers as far as it can be known from here: not of the weights, which nobody shows."""
        asked = {"url": self.url, "model": self.model, "api": self.api, "extra_body": self.extra_body}
        return digest_json(asked)

    @property
    def label(self) -> str:
        """For a reader."""
        return f"{self.model} at {self.url}"


def parse_reference(reference: str) -> Endpoint:
    """`openai:MODEL@URL`.

    Raises:
        InputError: not of that form.
    """
    model, at, url = reference.removeprefix(PREFIX).rpartition("@")
    # A password in the address holds an @ itself: the address begins where its scheme does.
    if found := re.search(r"@https?://", reference):
        model, at, url = reference[len(PREFIX) : found.start()], "@", reference[found.start() + 1 :]
    if not at or not model:
        raise InputError(
            f"{_shown(reference)!r} does not name a model and a URL",
            remedy="Write openai:MODEL@URL, such as openai:qwen2.5:7b@http://127.0.0.1:11434/v1.",
        )
    try:
        return Endpoint(url=url, model=model)
    except ValueError as error:
        text = str(error).split("Value error, ")[-1].split(" [type=")[0]
        raise InputError(text, where=_shown(reference)) from None


def _shown(text: str) -> str:
    """Without what may be secret in an address: user, password and parameters."""
    return re.sub(r"\?.*", "?…", re.sub(r"//[^/?#]*@", "//…@", text))
