"""The pages in a real browser: what people see, click and take away, and that nothing they look at acts."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.conftest import HOSTILE, Served, Workspace, dashboard

#: Where screenshots are kept as artefacts; nowhere without it.
SHOTS = "HARNESS_SCREENSHOTS"


def shot(page: Any, name: str) -> None:
    if SHOTS in os.environ:
        page.wait_for_timeout(800)
        page.screenshot(path=str(Path(os.environ[SHOTS]) / f"{name}.png"))


def ready(page: Any, url: str, wait: str) -> None:
    page.goto(url)
    page.wait_for_selector(wait)
    assert page.locator('[data-testid="stException"]').count() == 0


def choose(page: Any, label: str, option: str | re.Pattern[str]) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option).first.click()


def test_the_regression_is_red_within_one_look_and_the_language_is_remembered(page: Any, served: Served) -> None:
    ready(page, f"{served.url}/?lang=en", ".hx-card")
    card = page.locator('.hx-card[data-outlook="lost_ability"]')
    assert card.locator("h3").inner_text() == "lora_model_medical"
    head = card.locator("header")
    red, green, blue = map(int, re.findall(r"\d+", head.evaluate("e => getComputedStyle(e.children[1]).color"))[:3])
    assert red > 150
    assert green < 60
    assert blue < 60
    box = card.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 900, "without scrolling"
    ability = page.locator(".hx-ability", has_text="lost on 2 of 2 guards")
    ability.wait_for()
    assert ability.locator(".hx-dot").count() == 2
    shot(page, "overview-en")
    page.get_by_role("radio", name="中文").click()
    page.wait_for_selector("text=通用能力下降（降智）")
    assert "lang=zh" in page.url
    shot(page, "overview-zh")
    ready(page, served.url, ".hx-card")
    assert page.locator("h1").inner_text() == "总览", "a new visit"
    page.get_by_role("radio", name="English").click()
    page.wait_for_selector("text=Lost general ability")


def test_from_overview_to_the_lost_items_and_their_differences(page: Any, served: Served) -> None:
    ready(page, f"{served.url}/?lang=en", ".hx-card")
    page.locator(".hx-ability").first.wait_for()
    suites = page.locator(".hx-head h2").all_inner_texts()
    assert suites[:2] == ["medical", "hostile"], "what is red comes first, whatever is newer"
    page.locator('[data-testid="stPageLink"] a').first.click()
    page.wait_for_selector(".hx-item")
    assert "lost general ability" in page.locator(".hx-note").first.inner_text()
    page.get_by_role("radio", name=re.compile("^Lost")).click()
    first = page.locator(".hx-item").first
    assert first.locator(".hx-chip").first.inner_text() == "Lost"
    assert first.locator(".hx-side").count() == 3, "base, candidate, and the other candidate beside them"
    assert first.locator("mark").count() >= 2, "what each side has of its own is marked"
    before = first.inner_text()
    page.get_by_test_id("stPaginationPage").first.click()
    page.wait_for_function("old => document.querySelector('.hx-item').innerText !== old", arg=before)
    page.get_by_text("11–20 of").wait_for()
    page.get_by_role("textbox", name=re.compile("Search")).fill("首都")
    page.keyboard.press("Enter")
    page.wait_for_function("[...document.querySelectorAll('.hx-item')].every(e => e.textContent.includes('首都'))")
    page.locator(".stVegaLiteChart canvas, .stVegaLiteChart svg").first.wait_for()
    assert page.locator(".stVegaLiteChart").count() == 2, "the forest plot and the heat map"
    shot(page, "compare-en")


def test_two_runs_that_were_never_compared_are(page: Any, served: Served) -> None:
    ready(page, f"{served.url}/compare?lang=zh", ".hx-item")
    page.get_by_role("radio", name="任意运行").click()
    page.wait_for_selector("text=基座")
    choose(page, "套件", "medical")
    page.get_by_text("提升；通用能力下降").or_(page.get_by_text("持平")).first.wait_for()
    choose(page, "基座", re.compile("^lora_model_medical ·"))
    page.wait_for_selector("text=由已存的样本当场比较")
    page.locator(".hx-item").first.wait_for()
    shot(page, "compare-any-zh")
    page.get_by_role("radio", name="English").click()
    page.wait_for_selector("text=Compared here from the stored samples")


@pytest.fixture
def hostile(page: Any, served: Served, workspace: Workspace) -> Iterator[Any]:
    """Compare, opened on the answers of the hostile candidate."""
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    ready(page, f"{served.url}/compare?lang=en&comparison={workspace.comparisons['hostile']}", ".hx-item")
    page.wait_for_function(f"document.querySelectorAll('.hx-item').length === {len(HOSTILE)}")
    yield page
    assert not said


def test_what_a_hostile_model_writes_is_text_and_does_nothing(hostile: Any) -> None:
    page = hostile
    items = page.locator(".hx-items")
    assert items.locator("script, a, iframe, style, object, b b, i, form, input").count() == 0
    images = items.locator("img")
    assert images.count() == 1, "the gold set's picture, and none that a model named"
    assert images.first.get_attribute("src").startswith("data:image/jpeg;base64,")
    assert images.first.evaluate("e => e.naturalWidth") == 480
    assert page.title() == "Compare" or "owned" not in page.title()
    shown = items.inner_text()
    assert HOSTILE["script"] in shown
    assert HOSTILE["image"] in shown
    assert HOSTILE["latex"] in shown
    assert HOSTILE["quit"] in shown
    assert "\\u202e" in shown, "an override is shown and turns nothing around"
    assert "\u202e" not in shown
    assert "␛[2J" in shown
    assert "the first 4,000 of 1,000,000 characters" in shown
    assert page.content().count("0123456789" * 500) == 0, "the rest never reached the browser"
    assert "<b>bold</b>" in shown, "nor does a judge's"
    assert page.locator(".hx-judge").first.locator(".hx-side").count() == 2, "both orders"
    shot(page, "hostile")


def test_a_selection_is_exported_without_formulas(hostile: Any, tmp_path: Path) -> None:
    with hostile.expect_download() as waiting:
        hostile.get_by_role("button", name=re.compile("Export")).click()
    file = tmp_path / "selection.csv"
    waiting.value.save_as(str(file))
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["item_id"] for row in rows} == set(HOSTILE)
    assert next(row for row in rows if row["item_id"] == "formula")["candidate_answer"].startswith("'=HYPERLINK")


def test_the_page_has_none_of_streamlits_own_controls(page: Any, served: Served) -> None:
    ready(page, f"{served.url}/compare?lang=en", ".hx-item")
    for control in ("stAppDeployButton", "stMainMenu"):
        assert not page.locator(f'[data-testid="{control}"]').is_visible()
    page.wait_for_selector(".stVegaLiteChart")
    for name in ("Show data", "Download as CSV", "Copy Vega-Lite spec"):
        assert not page.get_by_role("button", name=name).first.is_visible(), "no export of cells but our own"


def test_who_has_no_token_sees_nothing_and_who_has_it_everything(page: Any, workspace: Workspace) -> None:
    options = ("--store", str(workspace.store), "--lang", "en")
    with dashboard(workspace.folder, *options, host="0.0.0.0", HARNESS_DASHBOARD_TOKEN="the-token") as open_server:
        frames: list[str] = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda data: frames.append(str(data))))
        ready(page, open_server.url, 'input[type="password"]')
        page.wait_for_timeout(1000)
        assert frames
        assert not [frame for frame in frames if "lora_model" in frame or str(workspace.store) in frame]
        ready(page, f"{open_server.url}/?token=not-it", "text=That is not the token")
        assert page.locator(".hx-card").count() == 0
        ready(page, f"{open_server.url}/?token=the-token", ".hx-card")
        page.wait_for_function("!location.search.includes('the-token')")
