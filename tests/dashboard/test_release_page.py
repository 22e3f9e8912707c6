"""The page Release review in a real browser, over a real demo run: read, sign off, take the page away and open it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser import Open
from tests.dashboard.conftest import HOSTILE, Written
from tests.dashboard.test_browser import shot

if TYPE_CHECKING:
    from playwright.sync_api import Page


def visit(page: Page, address: str) -> None:
    page.goto(address)
    page.locator(".hx-state").wait_for()


def entries(store: Path, comparison: str) -> list[dict[str, object]]:
    file = store / "comparisons" / comparison / "signoffs.jsonl"
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text().splitlines()]


def fill(page: Page, name: str, decision: str, note: str) -> None:
    page.get_by_role("textbox", name="Your name").fill(name)
    page.get_by_text(decision, exact=True).click()
    page.get_by_role("textbox", name="Note").fill(note)
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Sign").click()


def test_a_release_is_read_signed_off_and_taken_away(
    written: Written, page: Page, opened: Open, tmp_path: Path
) -> None:
    store, comparison = written.store, written.workspace.comparisons["medical"]
    visit(page, f"{written.url}/release?lang=zh&comparison={comparison}")
    assert page.get_by_role("heading", name="发布评审").is_visible()
    assert page.locator(".hx-check").first.inner_text().startswith("✓ 通过")
    page.get_by_text("English", exact=True).click()
    page.get_by_role("heading", name="Release review").wait_for()
    assert page.locator(".hx-state").get_attribute("data-state") == "open"
    page.get_by_text("lost general ability").wait_for()
    page.locator(".hx-check[data-status=fail]", has_text="✗ blocks").first.wait_for()

    fill(page, "王芳", "Approve", "")
    page.get_by_text("says why: --note").wait_for()
    assert entries(store, comparison) == []
    page.get_by_role("textbox", name="Note").fill("the router covers it <script>alert(1)</script>")
    page.get_by_role("button", name="Sign").click()
    page.locator(".hx-state[data-state=against]").wait_for()
    assert page.locator(".hx-state").evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(180, 35, 24)"
    shot(page, "release-review")
    (entry,) = entries(store, comparison)
    assert (entry["name"], entry["decision"], entry["candidate"]) == ("王芳", "approve", "lora_model_medical")

    fill(page, "Li Wei", "Reject", "arithmetic is gone")
    page.locator(".hx-state[data-state=rejected]").wait_for()
    assert len(entries(store, comparison)) == 2

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


def test_what_models_and_signers_write_stays_text(written: Written, page: Page) -> None:
    store, comparison = written.store, written.workspace.comparisons["hostile"]
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    visit(page, f"{written.url}/release?lang=en&comparison={comparison}")
    title = page.title()
    fill(page, HOSTILE["script"], "Reject", "\n".join([HOSTILE["image"], HOSTILE["latex"], HOSTILE["quit"]]))
    page.locator(".hx-signed").wait_for()
    shown = page.locator(".hx-signed").inner_text()
    for part in (
        "<script>document.title='owned'</script>",
        "![x](https://evil.example/track.png)",
        ":red[x]",
        "</div>",
    ):
        assert part in shown
    assert page.locator(".hx-signed img, .hx-signed a, .hx-signed script").count() == 0
    assert (page.title(), dialogs) == (title, [])
    assert len(entries(store, comparison)) == 1


def test_a_store_that_cannot_be_written_says_so_and_is_still_shown(written: Written, page: Page) -> None:
    comparison = written.workspace.comparisons["five"]
    file = written.store / "comparisons" / comparison / "signoffs.jsonl"
    file.symlink_to(written.store / "nowhere" / "file")  # permissions do not stop a test that runs as root
    visit(page, f"{written.url}/release?lang=en&comparison={comparison}")
    fill(page, "Li", "Reject", "")
    page.get_by_text("the store cannot be written").wait_for()
    assert page.locator(".hx-check").count() > 1
