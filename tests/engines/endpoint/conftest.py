"""Requests to an endpoint, and all that comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.candidates.endpoint import Endpoint
from harness.engines.base import Completion, Request, Sampling
from harness.engines.endpoint.engine import EndpointEngine
from harness.engines.endpoint.limits import Budget
from harness.gold.item import Message

Ask = Callable[..., dict[str, Completion]]


def request(text: str, **sampling: Any) -> Request:
    turns = (Message(role="user", content=text),)
    return Request(text, text, "t", 0, Sampling(**{"max_tokens": 16, **sampling}), messages=turns)


def ask(url: str, texts: list[str], *, budget: Budget | None = None, **settings: Any) -> dict[str, Completion]:
    """The completions by question."""
    engine = EndpointEngine(Endpoint(url=url, **{"model": "m", "timeout": 2.0, **settings}), "v", budget)
    try:
        return {done.key: done for finished in engine.generate([request(t) for t in texts]) for done in finished}
    finally:
        engine.close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between attempts are those of a test; no key of whoever runs it is sent anywhere."""
    monkeypatch.setattr("harness.engines.endpoint.faults.LONGEST_WAIT", 0.05)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
