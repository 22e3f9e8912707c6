"""The page Label in a real browser, over a real demo run: draw, label ten pairs by keyboard, go on later, agree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.judge.labels.book import LabelBook
from harness.judge.labels.drawing import PREFERENCE
from harness.judge.labels.shown import open_draw
from harness.runs.files import RunStore
from tests.dashboard.conftest import Written, harness
from tests.dashboard.test_browser import shot

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def enter(browser: Browser, address: str) -> Page:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(address)
    return page


def as_annotator(page: Page, name: str) -> None:
    page.get_by_role("textbox", name="Your name").fill(name)
    page.keyboard.press("Enter")
    page.locator("[data-row]").wait_for()


#: What is asked, of which row and measure; "" while a row is being drawn or another one is still there.
ASKED = """() => {
    const keys = [...document.querySelectorAll('[class*=st-key-say-]')]
        .map(e => e.className.match(/st-key-say-(\\S+)-[^-]+/)[1]);
    return new Set(keys).size == 1 ? keys[0] : '';
}"""


def ready(page: Page, row: int, measure: str = PREFERENCE) -> None:
    """Wait until a row is asked for a measure, and nothing else is."""
    page.locator(f"[data-row='{row}']").wait_for()
    page.wait_for_function(f"wanted => ({ASKED})() == wanted", arg=f"{row - 1}-{measure}")


def press(page: Page, row: int, key: str, measure: str = PREFERENCE) -> None:
    """Label what is asked; as somebody does who presses a key again when the page was not ready for it."""
    from playwright.sync_api import TimeoutError as TooLate

    ready(page, row, measure)
    for _ in range(5):
        page.keyboard.press(key)
        try:
            page.wait_for_function(f"asked => ({ASKED})() != asked", arg=f"{row - 1}-{measure}", timeout=2_000)
        except TooLate:
            continue
        return
    raise AssertionError(f"the key {key} labels nothing")


def label(page: Page, first: int, keys: str) -> None:
    """Press a key for each row from `first` on."""
    for row, key in enumerate(keys, first):
        press(page, row, key)
    ready(page, first + len(keys))


def book_of(store: Path, mode: str) -> LabelBook:
    runs = RunStore(str(store))
    (name,) = [name for name in runs.list_documents("draw") if f"-{mode}-" in name]
    return LabelBook(runs, open_draw(runs, name))


def test_ten_pairs_are_labelled_by_keyboard_and_a_second_annotator_agrees(written: Written, browser: Browser) -> None:
    address = written.url
    page = enter(browser, f"{address}/label")
    page.get_by_role("combobox", name="Comparison").click()
    page.get_by_role("option", name="medical ·").click()
    page.get_by_role("spinbutton", name="Items of each task").fill("10")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Draw", exact=True).click()
    as_annotator(page, "王芳")
    text = page.locator("[data-row]").inner_text()
    assert "Answer A" in text
    assert "lora" not in text, "it is blind"

    keys = "1213112331"
    label(page, 1, keys)
    book = book_of(written.store, "pairwise")
    said = book.sheet("王芳").said
    labels = {"1": "A", "2": "B", "3": "tie"}
    assert [said[position][PREFERENCE] for position in range(10)] == [labels[key] for key in keys]

    page.keyboard.press("ArrowLeft")
    ready(page, 10)
    assert "labelled: A is better" in page.locator("[data-row]").inner_text()
    label(page, 10, "2")
    assert book.sheet("王芳").said[9][PREFERENCE] == "B", "what was said can be corrected"
    page.context.close()

    again = enter(browser, f"{address}/label")
    as_annotator(again, "王芳")
    ready(again, 11)  # and gone on with elsewhere
    again.get_by_role("button", name="Change").click()
    as_annotator(again, "Li")
    label(again, 1, "121")
    agreement = again.locator(".hx-people table")
    agreement.wait_for()
    assert "100.0%" in agreement.inner_text()
    shot(again, "label")
    assert [len(sheet.said) for sheet in book.sheets()] == [3, 10]
    again.context.close()


def test_a_rubric_takes_a_key_for_each_criterion_and_the_end_says_what_comes_next(
    written: Written, browser: Browser
) -> None:
    store = written.store
    comparison = written.workspace.comparisons["medical"]
    asked = ["judge", "label", comparison, "--mode", "rubric", "--rubric", "general", "--items", "2"]
    one = ["--candidate", "lora_model_medical", "--task", "medical-qa", "--store", str(store)]
    harness([*asked, *one], folder=written.workspace.folder)
    book = book_of(store, "rubric")
    page = enter(browser, f"{written.url}/label?draw={book.draw.id}")
    as_annotator(page, "Li")
    rows = len(book.draw.rows)
    for number in range(rows):
        for position, measure in enumerate(book.draw.measures):
            ready(page, number + 1, measure)
            assert page.get_by_text(f"How good is the answer: {measure}").is_visible()
            press(page, number + 1, str(position + 2), measure)
    page.get_by_text(f"All {rows} rows are labelled").wait_for()
    assert "harness judge calibrate" in page.locator(".hx-done").inner_text()
    expected = {measure: str(position + 2) for position, measure in enumerate(book.draw.measures)}
    assert book.labels().said[0] == (expected,) * rows
    page.context.close()


def test_hostile_answers_are_labelled_and_stay_text(written: Written, browser: Browser) -> None:
    store = written.store
    comparison = written.workspace.comparisons["hostile"]
    harness(
        ["judge", "label", comparison, "--mode", "reference", "--store", str(store)], folder=written.workspace.folder
    )
    book = book_of(store, "reference")
    page = enter(browser, f"{written.url}/label?draw={book.draw.id}")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    as_annotator(page, "<script>document.title='owned'</script>")
    title = page.title()
    seen, pictures = "", 0
    for row in range(1, len(book.draw.rows) + 1):
        ready(page, row, "grade")
        seen += page.locator("[data-row]").inner_text()
        pictures += page.locator("[data-row] img[src^='data:image/jpeg']").count()
        assert (
            page.locator(
                "[data-row] img:not([src^='data:']), [data-row] a, [data-row] script, [data-row] style"
            ).count()
            == 0
        )
        press(page, row, "3", "grade")
    page.get_by_text(f"All {len(book.draw.rows)} rows are labelled").wait_for()
    for part in (
        "<script>document.title='owned'</script>",
        "![x](https://evil.example",
        "=HYPERLINK(",
        "\\u202e",
        "␛[2J",
    ):
        assert part in seen
    assert pictures == 2, "the picture of the one question that has one, beside each of its answers"
    assert page.title() == title
    assert all(url.startswith(("http://127.0.0.1:", "data:", "blob:")) for url in requests)
    page.context.close()
