"""Optional tasks: left out, and said so, where their gold set is not on this machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.comparison.results import Comparison
from harness.errors import EXIT_OK, EXIT_USAGE
from harness.runs.files import RunStore
from tests.cli.conftest import SUITE, Bench, bench, right, share

__all__ = ["bench"]  # a fixture

EXTRA = """\
  - name: extra
    role: guard
    goldset: elsewhere
    optional: true
    scorers: [exact]
    primary: exact
    margin: 0.1
"""
CARD = """\
name: elsewhere
purpose: a set that needs a copy
authorship: nobody
licence: CC0
languages: [en]
"""


@pytest.fixture
def suite(bench: Bench) -> Bench:
    bench.write("suite.yaml", SUITE + EXTRA)
    bench.write("goldsets/elsewhere.yaml", CARD)
    return bench


def give(bench: Bench) -> Path:
    """A copy of the missing set, with answers to it in both recordings."""
    for name in ("base", "candidate"):
        path = bench.folder / f"{name}.jsonl"
        rows = [{"task": "extra", "item_id": f"e{i}", "output": right(i)} for i in range(40)]
        path.write_text(path.read_text() + "".join(json.dumps(row) + "\n" for row in rows))
    return bench.gold("copy.jsonl", [{"id": f"e{i}", "question": f"e{i}?", "answer": right(i)} for i in range(40)])


def comparison(bench: Bench) -> Comparison:
    return Comparison.model_validate_json((bench.folder / "out.json").read_text())


def test_a_missing_set_leaves_its_task_out_and_every_report_says_so(suite: Bench) -> None:
    result = suite.compare("--json", "out.json", "--markdown", "out.md", "--html", "out.html")
    assert result.code == EXIT_OK, result.err
    notice = "task 'extra' was left out: its gold set is not on this machine (--goldset elsewhere=PATH adds it)"
    found = comparison(suite)
    (compared,) = found.comparisons
    assert {r.task for r in compared.results} == {"facts", "general"}
    assert notice in compared.warnings
    assert f"! {notice}" in result.err, "the plan says so before anything is asked"
    assert "task 'extra' was left out" in result.out
    for page in ("out.md", "out.html"):
        text = (suite.folder / page).read_text().replace("&#39;", "'").replace("\\", "")
        assert "task 'extra' was left out" in text, page
    manifest = RunStore(str(suite.folder / "runs")).read_manifest(compared.run_ids.candidate)
    assert notice in manifest.warnings


def test_a_copy_brings_the_task_back_and_makes_it_another_suite(suite: Bench) -> None:
    assert suite.compare("--json", "out.json").code == EXIT_OK
    without = comparison(suite)
    copy = give(suite)
    result = suite.compare("--json", "out.json", "--goldset", f"elsewhere={copy}")
    assert result.code == EXIT_OK, result.err
    with_it = comparison(suite)
    assert {r.task for r in with_it.comparisons[0].results} == {"facts", "general", "extra"}
    assert "left out" not in result.err + result.out
    assert with_it.suite_digest != without.suite_digest
    suite.write("suite.yaml", SUITE)
    suite.record("base", share(3), share(9))
    suite.record("candidate", share(9), share(9))
    assert suite.compare("--json", "out.json").code == EXIT_OK
    assert comparison(suite).suite_digest == without.suite_digest, "the digest is of what ran"


def test_a_set_that_is_needed_is_still_an_error(suite: Bench) -> None:
    suite.write("suite.yaml", SUITE + EXTRA.replace("    optional: true\n", ""))
    result = suite.compare()
    assert result.code == EXIT_USAGE
    assert "elsewhere" in result.err
    assert "--goldset elsewhere=PATH" in result.err


def test_a_broken_copy_or_a_misspelt_name_is_an_error_although_the_task_is_optional(suite: Bench) -> None:
    broken = suite.write("broken.jsonl", "not JSON\n")
    result = suite.compare("--goldset", f"elsewhere={broken}")
    assert result.code == EXIT_USAGE
    assert f"{broken}:1" in result.err
    suite.write("suite.yaml", SUITE + EXTRA.replace("elsewhere", "elsewere"))
    result = suite.compare()
    assert result.code == EXIT_USAGE
    assert "Did you mean 'elsewhere'" in result.err


def test_a_suite_of_which_nothing_is_left_is_an_error(suite: Bench) -> None:
    suite.write("suite.yaml", "name: none\ntasks:\n" + EXTRA)
    result = suite.compare()
    assert result.code == EXIT_USAGE
    assert "none of the gold sets of suite 'none' is on this machine" in result.err
    assert "--goldset elsewhere=PATH" in result.err


def test_the_list_of_tasks_says_which_are_optional(suite: Bench) -> None:
    assert "guard, optional" in suite("suites", "show", "suite.yaml").out


def test_a_copy_that_is_named_in_the_workspace_and_missing_is_an_error(suite: Bench) -> None:
    suite.write("harness.yaml", "goldsets: {elsewhere: nowhere.jsonl}\n")
    result = suite.compare()
    assert result.code == EXIT_USAGE
    assert "nowhere.jsonl" in result.err
