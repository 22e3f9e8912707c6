"""The page Release review in a real browser, over a real demo run: read, sign off, take the page away and open it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser import Open
from tests.served import Served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def visit(browser: Browser, address: str) -> Page:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.goto(address)
    page.locator(".hx-state").wait_for()
    return page


def entries(store: Path) -> list[dict[str, object]]:
    (file,) = store.glob("comparisons/*/signoffs.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]


def fill(page: Page, name: str, decision: str, note: str) -> None:
    page.get_by_role("textbox", name="Your name").fill(name)
    page.get_by_text(decision, exact=True).click()
    page.get_by_role("textbox", name="Note").fill(note)
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Sign").click()


def test_a_release_is_read_signed_off_and_taken_away(
    demo_served: Served, browser: Browser, opened: Open, tmp_path: Path
) -> None:
    store = demo_served.store
    page = visit(browser, f"{demo_served.address}/release?lang=zh")
    assert page.get_by_role("heading", name="发布评审").is_visible()
    assert page.locator(".hx-check").first.inner_text().startswith("✓ 通过")
    page.get_by_text("English", exact=True).click()
    page.get_by_role("heading", name="Release review").wait_for()
    assert page.locator(".hx-state").get_attribute("data-state") == "open"
    statuses = {row.inner_text().split("\n")[0]: row for row in page.locator(".hx-check").all()}
    assert any(word.startswith("✗ blocks") for word in statuses), "the guards that were lost"
    assert page.get_by_text("lost general ability").is_visible()

    fill(page, "王芳", "Approve", "")
    page.get_by_text("says why: --note").wait_for()
    assert not list(store.glob("comparisons/*/signoffs.jsonl"))
    page.get_by_role("textbox", name="Note").fill("the router covers it <script>alert(1)</script>")
    page.get_by_role("button", name="Sign").click()
    page.locator(".hx-state[data-state=against]").wait_for()
    assert page.locator(".hx-state").evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(180, 35, 24)"
    (entry,) = entries(store)
    assert (entry["name"], entry["decision"], entry["candidate"]) == ("王芳", "approve", "lora_model_medical")

    fill(page, "Li Wei", "Reject", "arithmetic is gone")
    page.locator(".hx-state[data-state=rejected]").wait_for()
    assert len(entries(store)) == 2

    with page.expect_download() as waited:
        page.get_by_role("button", name="Save as HTML").click()
    saved = tmp_path / "review.html"
    waited.value.save_as(saved)
    assert waited.value.suggested_filename.endswith("-review.html")
    found = opened(saved.read_text(encoding="utf-8"))
    text = found.page.locator("body").inner_text()
    for part in ("Rejected", "Li Wei", "arithmetic is gone", "the router covers it <script>alert(1)</script>"):
        assert part in text
    assert (found.requests, found.dialogs, found.errors) == ([], [], [])

    page.get_by_role("combobox").nth(1).click()
    page.get_by_role("option", name="lora_model_medical_mix").click()
    page.locator(".hx-state[data-state=open]").wait_for()
    page.context.close()
