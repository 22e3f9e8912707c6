"""The checklist and the page of a release review."""

from __future__ import annotations

import dataclasses
import string
from pathlib import Path

import pytest

from harness.comparison.results import Comparison, Sides
from harness.doctor.finding import Finding
from harness.release.checklist import Check, checklist
from harness.release.page import render_release
from harness.release.release import open_release
from harness.release.signoffs import sign
from harness.release.words import EN, ZH, ReleaseWords
from harness.report.view import Evidence, build_view
from harness.runs.files import RunStore
from tests.browser import Open
from tests.report.made import compared, comparison, guard, result
from tests.report.test_hostile import HOSTILE
from tests.report.test_page_in_browser import ACTING

PASSED = Finding(probe="base-match", status="pass", detail="the base it was trained on")
WARNED = Finding(probe="template-match", status="warn", detail="another format is likelier", remedy="Ask in it.")
FAILED = Finding(probe="eos-learned", status="fail", detail="40% of answers never end", remedy="Train with EOS.")
SKIPPED = Finding(probe="truncation", status="skip", detail="no lineage")


def checks_of(made: Comparison) -> list[Check]:
    view = build_view(made, Evidence({}, {}))
    return list(checklist(made, view.candidates[0]))


def told(checks: list[Check]) -> list[tuple[str, str, str]]:
    return [(check.kind, check.status, check.name["en"]) for check in checks]


def test_every_target_guard_and_probe_is_a_line_with_its_outcome() -> None:
    held = guard("held", verdict="held", delta=0.0, ci=(-0.01, 0.01), mde=0.01)
    unsure = guard("unsure", verdict="inconclusive", note="n", note_code="more_items", note_params={"items": 200})
    made = comparison(compared(held, guard(), unsure, result(), doctor=(SKIPPED, PASSED, WARNED, FAILED)))
    checks = checks_of(made)
    assert told(checks) == [
        ("target", "pass", "medical-qa"),
        ("guard", "fail", "general-retention"),
        ("guard", "unsure", "unsure"),
        ("guard", "pass", "held"),
        ("doctor", "fail", "eos-learned"),
        ("doctor", "look", "template-match"),
        ("doctor", "pass", "base-match"),
        ("answers", "pass", "failed, missing or unscored answers"),
        ("power", "look", "what unsure could show"),
    ]
    assert "about 200 more items would decide it" in checks[2].says["en"]
    assert "大约再有 200 题即可判定" in checks[2].says["zh"]


def test_what_a_person_has_to_weigh_is_told() -> None:
    lazy = result(verdict="held", delta=0.0, ci=(-0.05, 0.05), mde=0.11, errors=Sides(base=1, candidate=0))
    odd = compared(lazy).model_copy(update={"prompts_differ": True, "warnings": ("careful",)})
    checks = checks_of(comparison(odd, limit=50, part="dev"))
    assert told(checks) == [
        ("target", "fail", "medical-qa"),
        ("doctor", "look", "silent failures"),
        ("answers", "look", "failed, missing or unscored answers"),
        ("power", "look", "what medical-qa could show"),
        ("setting", "look", "a part of the questions"),
        ("setting", "look", "half of the questions"),
        ("setting", "look", "prompt formats"),
        ("setting", "look", "warning"),
    ]
    assert "medical-qa: 1 of the base, 0 of the candidate" in checks[2].says["en"]
    assert "differences of 11.0 points and more; a smaller gain may be there unseen" in checks[3].says["en"]


def test_a_comparison_that_was_changed_after_it_was_made_is_found() -> None:
    made = comparison(compared(result()))
    changed = made.model_copy(update={"alpha": 0.2})
    assert told(checks_of(changed))[0] == ("record", "fail", "the comparison's file")


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(ReleaseWords)])
def test_both_languages_have_the_same_texts_with_the_same_names(field: str) -> None:
    en, zh = getattr(EN, field), getattr(ZH, field)
    texts = [(en, zh)] if isinstance(en, str) else [(en[key], zh[key]) for key in en.keys() | zh.keys()]
    assert all(one and other and _fields(one) == _fields(other) for one, other in texts)


def stored(folder: Path, made: Comparison) -> RunStore:
    store = RunStore(str(folder))
    store.write_document("comparison", made.id, made.to_json().encode())
    return store


def test_a_page_says_loudly_what_was_approved_against_the_gate(tmp_path: Path, opened: Open) -> None:
    made = comparison(compared(result(), guard()), compared(result(), name="mix"))
    store = stored(tmp_path, made)
    sign(store, made.id, candidate="lora", name="王芳", decision="approve", note="路由兜底", gate=1)
    sign(store, made.id, candidate="mix", name="Li Wei", decision="approve", note="", gate=0)
    found = opened(render_release(open_release(made.id, str(tmp_path)), "en"))
    page = found.page
    bad, good = page.locator("article.release").all()
    assert bad.locator("h1").inner_text() == "APPROVED AGAINST A FAILED GATE"
    assert good.locator("h1").inner_text() == "Approved"
    assert bad.locator("h1").evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(207, 34, 46)"
    assert "路由兜底" in bad.inner_text()
    assert "general-retention: regressed, had to hold" in bad.inner_text()
    assert bad.bounding_box()["y"] < 100, "it is the first that one sees"  # type: ignore[index]
    assert page.get_by_text("Where it changed").count() == 0
    assert page.locator("section").count() == 2, "the whole report stands below"
    page.check("#zh")
    assert bad.locator("h1").inner_text() == "门禁未通过，仍被批准"
    assert (found.requests, found.dialogs, found.errors) == ([], [], [])


def test_a_page_shows_what_does_not_count_as_such(tmp_path: Path, opened: Open) -> None:
    made = comparison(compared(result()))
    store = stored(tmp_path, made)
    for decision in ("reject", "approve"):
        sign(store, made.id, candidate="lora", name="one", decision=decision, note="", gate=0)  # type: ignore[arg-type]
    page = opened(render_release(open_release(made.id, str(tmp_path)), "en")).page
    assert page.locator("article h1").inner_text() == "Approved"
    assert "replaced by a later decision" in page.locator("article").inner_text()
    place = tmp_path / "comparisons" / made.id / "comparison.json"
    place.write_text(place.read_text().replace('"alpha": 0.05', '"alpha": 0.06'))
    page = opened(render_release(open_release(made.id, str(tmp_path)), "en")).page
    assert page.locator("article h1").inner_text() == "Not signed off yet"
    assert page.get_by_text("signed another content of this comparison").count() == 2
    assert "no longer holds what it was stored with" in page.locator("article").inner_text()


def test_nothing_that_a_signer_or_a_probe_writes_acts(tmp_path: Path, opened: Open) -> None:
    every = " ".join([*(text[:300] for text in ACTING.values()), *HOSTILE.values()]).replace("\ud800", "")
    probe = Finding(probe=every, status="warn", detail=every, remedy=every)
    made = comparison(compared(guard(), doctor=(probe,), name=every), suite=every[:80])
    made = made.model_copy(update={"id": "odd"})
    store = stored(tmp_path, made)
    for text in ACTING.values():
        sign(store, "odd", candidate=every, name=text[:100], decision="approve", note=text[:20_000], gate=1)
    found = opened(render_release(open_release("odd", str(tmp_path)), "en"), bypass_csp=True)
    assert found.page.evaluate("window.acted") is None
    assert (found.requests, found.dialogs, found.errors) == ([], [], [])
    tags = set(found.page.evaluate("[...document.body.querySelectorAll('*')].map(e => e.localName)"))
    assert not tags & {"script", "img", "image", "iframe", "object", "a", "style", "link", "meta", "base"}
    assert found.page.evaluate("document.documentElement.scrollWidth") <= 1440
