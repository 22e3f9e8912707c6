"""The HTML report in a real browser: nothing in it acts, it needs no network, and it prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.doctor.finding import Finding
from harness.report.html import render_html
from harness.report.view import Evidence, View, build_view
from tests.browser import Open
from tests.report.made import compared, comparison, guard, plain_view, result, tier, view_of_lost
from tests.report.test_hostile import HOSTILE

#: What would set a mark, open a dialog or ask the network, were it more than text.
ACTING = {
    **HOSTILE,
    "inline": "<script>window.acted = 1; alert(1)</script>",
    "handler": "<img src=https://evil.example/a.png onerror='window.acted = 1'>",
    "svg": "<svg onload='window.acted = 1'><image href=https://evil.example/b.png /></svg>",
    "frame": "<iframe src=https://evil.example></iframe><meta http-equiv=refresh content='0;url=https://evil.example'>",
    "style": "<style>* { background: url(https://evil.example/c.png) }</style>"
    "<link rel=stylesheet href=//evil.example/d>",
    "attribute": "\" autofocus onfocus='window.acted = 1' x=\"",
    "long": "<b>" + "x" * 1_000_000,
}


def hostile_view() -> View:
    """Every text that a report takes from elsewhere tries something."""
    names = {f"{name} {text}"[:300]: text for name, text in ACTING.items()}
    every = " ".join(text[:300] for text in ACTING.values())
    lost = view_of_lost(names, question=every, gold=every)
    probe = Finding(probe=ACTING["handler"], status="fail", detail=every, remedy=every)
    part = tier("easy", -0.4).model_copy(update={"key": ACTING["svg"], "value": ACTING["inline"]})
    odd = compared(guard(ACTING["attribute"], slices=(part,)), result(every, note=every), doctor=(probe,), name=every)
    odd = odd.model_copy(update={"warnings": (every,), "prompts_differ": True})
    view = build_view(comparison(odd, suite=every, base=ACTING["frame"], engine=every), Evidence({}, {}))
    return View(view.comparison, (*view.candidates, *lost.candidates))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("bypass_csp", [False, True], ids=["with its policy", "escaping alone"])
def test_nothing_that_a_model_or_a_file_says_acts(opened: Open, language: str, bypass_csp: bool) -> None:
    found = opened(render_html(hostile_view(), language), bypass_csp=bypass_csp)  # type: ignore[arg-type]
    page = found.page
    for _ in range(page.locator("details:not([open])").count()):
        page.locator("details:not([open]) > summary").first.click()
    assert page.evaluate("window.acted") is None
    assert (found.requests, found.dialogs, found.errors) == ([], [], [])
    tags = set(page.evaluate("[...document.body.querySelectorAll('*')].map(e => e.localName)"))
    assert not tags & {"script", "img", "image", "iframe", "object", "a", "style", "link", "meta", "base"}
    assert page.evaluate(
        "![...document.querySelectorAll('*')].some(e => [...e.attributes].some(a => a.name.startsWith('on')))"
    )
    text = page.locator("body").inner_text()
    assert "<script>window.acted = 1; alert(1)</script>" in text
    assert "(1,000,003)" in text


def test_the_policy_stops_what_escaping_would_miss(opened: Open) -> None:
    html = render_html(plain_view(result()), "en")
    found = opened(html.replace("<body>", f"<body>{ACTING['inline']}{ACTING['handler']}{ACTING['style']}"))
    assert found.page.evaluate("window.acted") is None
    assert (found.requests, found.dialogs) == ([], [])
    unprotected = opened(re.sub("<meta http-equiv[^>]+>", "", html).replace("<body>", f"<body>{ACTING['handler']}"))
    assert unprotected.requests, "the test sees what leaves"


def test_a_language_is_chosen_without_a_script(opened: Open) -> None:
    page = opened(render_html(plain_view(result(), guard()), "en")).page
    english, chinese = page.get_by_text("lost general ability"), page.get_by_text("通用能力下降")
    assert (english.is_visible(), chinese.is_visible()) == (True, False)
    page.check("#zh")
    assert (english.is_visible(), chinese.is_visible()) == (False, True)


@pytest.mark.parametrize("width", [400, 1440])
def test_no_text_makes_the_page_wider_than_the_window(opened: Open, width: int) -> None:
    page = opened(render_html(hostile_view(), "en")).page
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_paper_it_is_black_on_white_and_whole(opened: Open, tmp_path: Path) -> None:
    page = opened(render_html(view_of_lost({f"q{n}": "长回答。" * 300 for n in range(3)}), "zh")).page
    lost, rest = page.locator("details").first, page.locator("details").last
    assert page.locator("pre").first.evaluate("e => e.scrollHeight > 0")
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 703, "height": 1000})  # the width of A4 within the margins
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.evaluate("document.documentElement.scrollWidth") <= 703
    assert not page.locator(".switch").is_visible()
    assert (lost.is_visible(), rest.is_visible()) == (True, False), "what was open is printed, an empty fold is not"
    cut = "[...document.querySelectorAll('details[open] pre')].filter(e => e.scrollHeight > e.clientHeight + 1).length"
    assert page.evaluate(cut) == 0, "nothing is cut where nobody can scroll"
    assert page.get_by_text("medical-qa", exact=False).first.evaluate("e => e.clientHeight") < 40
    assert page.pdf(format="A4").startswith(b"%PDF")
