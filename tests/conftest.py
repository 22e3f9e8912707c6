"""Fixtures that any test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.browser import browser as browser  # fixtures
from tests.browser import opened as opened

_REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data sets beside the checkout; it is too big to be in it.

    The test is skipped without it, and fails where `HARNESS_REQUIRE_SHARED_DATA=1` says that it has to be there.
    """
    folder = _REPOSITORY.parent / "shared" / "data"
    if folder.is_dir():
        return folder
    reason = f"needs the public data sets in ../shared/data beside the checkout ({folder} is no folder)"
    if os.environ.get("HARNESS_REQUIRE_SHARED_DATA") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
