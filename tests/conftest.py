"""Fixtures that any test may use, and what runs side by side."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.browser import browser as browser  # fixtures
from tests.browser import opened as opened

_REPOSITORY = Path(__file__).resolve().parent.parent

if "PYTEST_XDIST_WORKER" in os.environ:
    # Every process has a core of its own; two threads that share a busy one are far slower on models this small.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_configure() -> None:
    """Keep absl's log handler (rouge-score brings it) off pytest's streams.

    It takes the `sys.stderr` of the moment in which it is imported and closes it when logging is configured anew, as
    TRL does: with pytest's stream every later test of the process would fail. The process's own it leaves alone.
    """
    with suppress(ImportError):
        from absl import logging

        logging.get_absl_handler().python_handler.stream = sys.__stderr__


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each process whole folders of tests that share fixtures, so that none of those is made twice."""
    from xdist.scheduler import LoadScopeScheduling

    class Folders(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _together(_REPOSITORY / nodeid.partition("::")[0])

    return Folders(config, log)


@cache
def _together(file: Path) -> str:
    """The folder whose conftest.py a test has fixtures from; the file itself where there is only this one."""
    for folder in file.parents:
        if folder == Path(__file__).parent:
            break
        if (folder / "conftest.py").is_file():
            return str(folder)
    return str(file)


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
