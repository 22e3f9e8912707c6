"""JUnit XML: what a CI system counts, and that every one can read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from harness.comparison.results import Sides
from harness.doctor.finding import Finding
from harness.report.junit import render_junit
from harness.report.view import Evidence, View, build_view
from harness.report.words import EN, ZH, Words
from tests.report.made import compared, comparison, guard, plain_view, result, view_of_lost
from tests.report.test_hostile import HOSTILE

_SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).with_name("junit.xsd")))
UNSURE = guard("unsure", verdict="inconclusive", note="…", note_code="more_items", note_params={"items": 200})
PROBES = tuple(
    Finding(probe=f"probe-{status}", status=status, detail=f"it is {status}", remedy="Do this.")  # type: ignore[arg-type]
    for status in ("pass", "warn", "fail", "skip")
)


def read(view: View, words: Words = EN) -> Any:
    """The root of a report that a CI system would take."""
    root = etree.fromstring(render_junit(view, words))
    _SCHEMA.assertValid(root)
    return root


def outcomes(root: Any) -> dict[str, str]:
    """By the name of a case: `passed`, or the element that says otherwise."""
    found = {}
    for case in root.iter("testcase"):
        problems = [part.tag for part in case if part.tag != "system-out"]
        found[case.get("name")] = problems[0] if problems else "passed"
    return found


@pytest.mark.parametrize("words", [EN, ZH], ids=["en", "zh"])
def test_every_task_guard_and_probe_is_a_case_with_its_outcome(words: Words) -> None:
    held = guard("held", verdict="held", delta=0.0, ci=(-0.01, 0.01))
    lazy = result("lazy", verdict="held", delta=0.0, ci=(-0.01, 0.01))
    gaps = result("gaps", missing=Sides(base=0, candidate=30))
    root = read(plain_view(result(), held, lazy, guard(), UNSURE, gaps, doctor=PROBES), words)
    assert outcomes(root) == {
        "medical-qa": "passed",
        "held": "passed",
        "lazy": "failure",
        "general-retention": "failure",
        "unsure": "failure",
        "gaps": "error",
        "probe-pass": "passed",
        "probe-warn": "passed",
        "probe-fail": "failure",
        "probe-skip": "skipped",
    }
    counts = {"tests": "10", "failures": "4", "errors": "1", "skipped": "1"}
    assert {name: root.get(name) for name in counts} == counts
    assert {name: root[0].get(name) for name in counts} == counts
    assert {case.get("classname") for case in root.iter("testcase")} == {
        "medical.lora.target",
        "medical.lora.guard",
        "medical.lora.doctor",
    }


def test_candidates_are_suites_and_the_root_adds_them_up() -> None:
    view = build_view(comparison(compared(result(), name="one"), compared(guard(), name="two")), Evidence({}, {}))
    root = read(view)
    assert [(suite.get("name"), suite.get("failures")) for suite in root] == [
        ("medical.one", "0"),
        ("medical.two", "1"),
    ]
    assert (root.get("tests"), root.get("failures")) == ("2", "1")


def test_a_failure_says_the_numbers_and_which_items_were_lost() -> None:
    (failure,) = read(view_of_lost({"q1": "x", "q2": "y"})).iter("failure")
    assert failure.get("message") == "general-retention: regressed, had to hold"
    assert "80.0% → 39.0%, −41.0 [−50.0, −32.0], n = 120" in failure.text
    assert "q1, q2" in failure.text


def test_any_text_makes_xml_that_can_be_read() -> None:
    read(view_of_lost(HOSTILE))
    probe = Finding(probe=HOSTILE["nul"], status="fail", detail=HOSTILE["ansi"], remedy=HOSTILE["script"])
    odd = compared(guard(HOSTILE["quit"]), doctor=(probe,), name=HOSTILE["override"])
    read(build_view(comparison(odd, suite=HOSTILE["nul"]), Evidence({}, {})))


def test_what_one_probe_found_is_one_case() -> None:
    twice = (*PROBES, Finding(probe="probe-pass", status="fail", detail="no", remedy="Fix it."))
    root = read(plain_view(result(), doctor=twice))
    assert outcomes(root)["probe-pass"] == "failure"
    assert root.get("tests") == "5"
