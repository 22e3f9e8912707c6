"""A real browser for tests: Chromium, driven by Playwright.

A test that asks for `browser` is skipped where there is none, and fails where `HARNESS_REQUIRE_BROWSER=1` says that
there has to be one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request

#: Nothing of Chromium's own goes to the network: a request that a test sees is the page's.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a file; each opens a context of its own in it.

    Not for all tests: while Playwright is up its event loop runs in this thread, and nothing else can run one.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        _do_without("playwright is not installed")
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        try:
            found = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        except Error as error:
            _do_without(f"Chromium does not start: {str(error).splitlines()[0]}")
        yield found
        found.close()


def _do_without(reason: str) -> None:
    if os.environ.get("HARNESS_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass
class Opened:
    """A page and what it did.

    Attributes:
        requests: what it asked the network for; not what its own policy stopped before.
    """

    page: Page
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def stopped(self, request: Request) -> None:
        if request.failure == "csp":
            self.requests.remove(request.url)


Open = Callable[..., Opened]


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a page from disk, without a network."""
    contexts = []

    def do(html: str, *, bypass_csp: bool = False) -> Opened:
        place = tmp_path / f"page{len(contexts)}.html"
        place.write_text(html, encoding="utf-8")
        context = browser.new_context(offline=True, bypass_csp=bypass_csp, viewport={"width": 1440, "height": 900})
        contexts.append(context)
        found = Opened(context.new_page())
        found.page.on("request", lambda request: found.requests.append(request.url))
        found.page.on("requestfailed", found.stopped)
        found.page.on("dialog", lambda dialog: (found.dialogs.append(dialog.message), dialog.dismiss()))
        found.page.on("pageerror", lambda error: found.errors.append(str(error)))
        found.page.goto(place.as_uri())
        found.page.wait_for_timeout(100)
        found.requests.remove(place.as_uri())
        return found

    yield do
    for context in contexts:
        context.close()
