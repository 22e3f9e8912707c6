"""`harness gate`: every part of a suite's policy, and which exit code outweighs which."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from harness.errors import EXIT_GATE_FAILED, EXIT_INCOMPLETE, EXIT_INCONCLUSIVE, EXIT_OK, EXIT_USAGE
from tests.cli.conftest import SUITE, Bench, right, share, wrong


def policy(bench: Bench, task: str, **changes: object) -> None:
    """Change what the suite asks of a task."""
    suite = yaml.safe_load(SUITE)
    next(one for one in suite["tasks"] if one["name"] == task).update(changes)
    bench.write("suite.yaml", yaml.safe_dump(suite))


def gate(bench: Bench, *candidates: str) -> int:
    """Compare, then ask the gate of what is stored: both have to say the same."""
    names = [f"replay:{name}.jsonl" for name in candidates or ("candidate",)]
    made = bench("compare", "replay:base.jsonl", *names, "--suite", "suite.yaml", "--gate", "--json", "out.json")
    comparison = json.loads((bench.folder / "out.json").read_text())["id"]
    code = bench("gate", comparison).code
    assert code == made.code
    return code


def all_but(missed: int) -> Callable[[int], str]:
    """Right on what the base is right on (90%), but for so many of these items."""
    return lambda i: right(i) if i % 10 < 9 and i >= missed else wrong(i)


@pytest.mark.parametrize(
    ("task", "require", "facts", "code"),
    [
        ("facts", "improve", share(3), EXIT_GATE_FAILED),
        ("facts", "hold", share(3), EXIT_OK),
        ("facts", "hold", share(9), EXIT_OK),
        ("facts", "hold", share(0), EXIT_GATE_FAILED),
        ("general", "hold", share(9), EXIT_OK),
        ("general", "improve", share(9), EXIT_GATE_FAILED),
    ],
)
def test_require_says_whether_holding_is_enough(
    bench: Bench, task: str, require: str, facts: Callable[[int], str], code: int
) -> None:
    policy(bench, task, require=require)
    bench.record("candidate", facts, share(9))
    assert gate(bench) == code


@pytest.mark.parametrize(("margin", "code"), [(0.05, EXIT_INCONCLUSIVE), (0.3, EXIT_OK)])
def test_the_margin_says_how_much_worse_a_guard_may_be(bench: Bench, margin: float, code: int) -> None:
    policy(bench, "general", margin=margin)
    bench.record("candidate", share(9), all_but(2))
    assert gate(bench) == code


@pytest.mark.parametrize(("allowed", "code"), [(0.0, EXIT_INCOMPLETE), (0.05, EXIT_INCOMPLETE), (0.1, EXIT_OK)])
def test_the_error_rate_says_how_much_may_be_missing(bench: Bench, allowed: float, code: int) -> None:
    policy(bench, "general", max_error_rate=allowed)
    rows = bench.record("candidate", share(9), share(9)).read_text().splitlines()
    bench.write("candidate.jsonl", "\n".join(rows[:-3]) + "\n")
    assert gate(bench) == code


@pytest.mark.parametrize(
    ("worse", "better", "code"),
    [
        ("gaps", "fails", EXIT_INCOMPLETE),
        ("gaps", "unsure", EXIT_INCOMPLETE),
        ("gaps", "passes", EXIT_INCOMPLETE),
        ("fails", "unsure", EXIT_GATE_FAILED),
        ("fails", "passes", EXIT_GATE_FAILED),
        ("unsure", "passes", EXIT_INCONCLUSIVE),
    ],
)
def test_of_two_candidates_the_worse_decides_in_either_order(bench: Bench, worse: str, better: str, code: int) -> None:
    bench.record("gaps", share(9), share(9), n=30)
    bench.record("fails", share(9), share(2))
    bench.record("unsure", share(9), all_but(3))
    bench.record("passes", share(9), share(9))
    assert gate(bench, worse, better) == code
    assert gate(bench, better, worse) == code


def test_bad_input_outweighs_everything(bench: Bench) -> None:
    bench.record("fails", share(9), share(2))
    both = ("replay:fails.jsonl", "replay:nowhere.jsonl")
    assert bench("compare", "replay:base.jsonl", *both, "--suite", "suite.yaml", "--gate").code == EXIT_USAGE
    bench.compare("--json", "out.json", candidate="fails")
    assert bench("gate", "out.json", "--junit", "no/such/folder.xml").code == EXIT_USAGE


def test_a_comparison_of_nobody_does_not_pass(bench: Bench) -> None:
    bench.compare("--json", "out.json")
    found = json.loads((bench.folder / "out.json").read_text())
    bench.write("nobody.json", json.dumps(found | {"comparisons": []}))
    result = bench("gate", "nobody.json")
    assert result.code == EXIT_USAGE
    assert "nobody.json: is not a comparison (comparisons: " in result.err


def test_what_a_newer_version_wrote_says_which_to_install(bench: Bench) -> None:
    bench.compare("--json", "out.json")
    found = json.loads((bench.folder / "out.json").read_text())
    bench.write("newer.json", json.dumps(found | {"schema": 99, "harness_version": "7.1.0", "unheard": "of"}))
    result = bench("gate", "newer.json")
    assert result.code == EXIT_USAGE
    assert "newer.json: was written by a newer version (7.1.0)" in result.err
    assert "pip install -U 'finetune-harness>=7.1.0'" in result.err
    (manifest, *_) = bench.folder.glob("runs/*/run.json")
    manifest.write_text("{}")
    result = bench("runs", "show", manifest.parent.name)
    assert result.code == EXIT_USAGE
    assert "is not a run (the key 'id' is missing)" in result.err


def test_a_candidate_without_a_compared_task_does_not_pass(bench: Bench) -> None:
    bench.compare("--json", "out.json")
    found = json.loads((bench.folder / "out.json").read_text())
    found["comparisons"][0]["results"] = []
    bench.write("nothing.json", json.dumps(found))
    assert bench("gate", "nothing.json").code == EXIT_INCOMPLETE


def test_a_verdict_that_was_written_over_is_judged_again(bench: Bench) -> None:
    bench.record("candidate", share(9), share(2))
    bench.compare("--json", "out.json")
    found = json.loads((bench.folder / "out.json").read_text())
    found["comparisons"][0]["gate"] = {"passed": True, "exit_code": 0, "reasons": []}
    bench.write("out.json", json.dumps(found))
    assert bench("gate", "out.json").code == EXIT_GATE_FAILED


def test_every_report_of_a_stored_comparison_can_be_had_without_the_dashboard(bench: Bench) -> None:
    bench.record("candidate", share(9), share(2))
    bench.compare("--json", "out.json")
    asked = [f"--{name}=again.{name}" for name in ("json", "markdown", "html", "junit")]
    for language in ("en", "zh"):
        assert bench("gate", "out.json", *asked, "--lang", language).code == EXIT_GATE_FAILED
        again = {name: (bench.folder / f"again.{name}").read_text() for name in ("json", "markdown", "html", "junit")}
        assert again["json"] == (bench.folder / "out.json").read_text()
        word = {"en": "regressed", "zh": "退步"}[language]
        assert all(word in again[name] for name in ("markdown", "html", "junit"))
        assert f'<html lang="{language}">' in again["html"]


@pytest.mark.parametrize("store", ["memory://gate-store", "runs"])
def test_the_gate_reads_any_store(bench: Bench, store: str) -> None:
    bench.compare("--json", "out.json", "--store", store)
    comparison = json.loads(Path("out.json").read_text())["id"]
    assert bench("gate", comparison, "--store", store).code == EXIT_OK


@pytest.mark.parametrize("name", ["../elsewhere", "/etc", "a\0b", "..", ""])
def test_a_comparison_from_elsewhere_reads_no_file_outside_the_store(bench: Bench, name: str) -> None:
    bench.record("candidate", share(9), lambda i: "of another folder")
    bench.compare("--json", "out.json", "--store", "runs/inside")
    found = json.loads((bench.folder / "out.json").read_text())
    ids = found["comparisons"][0]["run_ids"]
    (bench.folder / "runs" / "inside" / ids["candidate"]).rename(bench.folder / "runs" / "elsewhere")
    ids["candidate"] = name
    bench.write("out.json", json.dumps(found))
    result = bench("gate", "out.json", "--store", "runs/inside", "--html", "out.html")
    assert result.code == EXIT_GATE_FAILED
    assert "of another folder" not in (bench.folder / "out.html").read_text()
