"""What the tests of scorers share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.gold.item import Item


@pytest.fixture(scope="session")
def item() -> Callable[..., Item]:
    """Makes an item from its accepted answers and, by name, its metadata."""

    def make(*answers: str, question: str = "?", **metadata: object) -> Item:
        return Item(question=question, answer=answers, metadata=dict(metadata))

    return make
