"""`harness review`: the checklist, signing, the page and the exit codes for a deployment."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Bench, share


@pytest.fixture
def made(bench: Bench) -> str:
    """A comparison that passes the gate."""
    bench.compare("--json", "out.json")
    return str(json.loads((bench.folder / "out.json").read_text())["id"])


@pytest.fixture
def failed(bench: Bench) -> str:
    """One that does not, with a second candidate that does."""
    bench.record("bad", share(9), share(2))
    both = ("replay:bad.jsonl", "replay:candidate.jsonl")
    bench("compare", "replay:base.jsonl", *both, "--suite", "suite.yaml", "--json", "two.json")
    return str(json.loads((bench.folder / "two.json").read_text())["id"])


def test_the_checklist_is_shown_and_nobody_has_signed(bench: Bench, made: str) -> None:
    result = bench("review", made)
    assert result.code == 0
    for part in ("✓ passed  target  facts: improved", "guard  general", "silent failures", "Not signed off yet"):
        assert part in result.out
    assert bench("review", made, "--gate").code == 4
    assert "尚未签字" in bench("review", made, "--lang", "zh").out


def test_what_was_signed_opens_the_way_and_a_rejection_closes_it(bench: Bench, made: str) -> None:
    assert bench("review", made, "--sign", "Li Wei", "--decision", "approve").code == 0
    assert bench("review", made, "--gate").code == 0
    result = bench("review", made, "--sign", "王芳", "--decision", "reject", "--note", "等数学评测", "--gate")
    assert result.code == 1
    for part in ("Li Wei", "王芳", "等数学评测", "Rejected"):
        assert part in result.out
    lines = (bench.folder / "runs" / "comparisons" / made / "signoffs.jsonl").read_text().splitlines()
    assert [json.loads(line)["decision"] for line in lines] == ["approve", "reject"]


def test_a_failed_gate_can_be_approved_with_a_reason_and_it_shows(bench: Bench, failed: str) -> None:
    signed = ("review", failed, "--sign", "Li", "--decision", "approve")
    several = bench(*signed)
    assert several.code == 2
    assert "the comparison has 2 candidates" in several.err
    silent = bench(*signed, "--candidate", "replay:bad.jsonl")
    assert silent.code == 2
    assert "says why: --note" in silent.err
    told = bench(*signed, "--candidate", "replay:bad.jsonl", "--note", "the router covers it", "--html", "page.html")
    assert told.code == 0
    assert told.out.rstrip().endswith("Approved against a failed gate")
    page = (bench.folder / "page.html").read_text()
    assert "Approved against a failed gate" in page
    assert "门禁未通过，仍被批准" in page
    assert "Question g" in page, "the texts of what was lost stand in it"
    assert bench("review", failed, "--gate").code == 4, "the other candidate is open"
    assert bench("review", failed, "--gate", "--candidate", "replay:bad.jsonl").code == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--decision", "approve"), "Add --sign NAME"),
        (("--note", "x"), "Add --sign NAME"),
        (("--sign", "x"), "neither a decision nor a note"),
        (("--sign", " ", "--decision", "reject"), "needs a name"),
        (("--sign", "x", "--decision", "maybe"), "maybe"),
        (("--candidate", "nobody"), "no candidate 'nobody'"),
        (("--html", "no/such/page.html"), "does not exist"),
    ],
)
def test_what_is_asked_wrongly_signs_nothing(bench: Bench, made: str, options: tuple[str, ...], says: str) -> None:
    result = bench("review", made, *options)
    assert result.code == 2
    assert says in result.err
    assert len(result.err.splitlines()) == 1
    assert not [name for name in bench.files() if "signoffs" in name]


def test_a_file_cannot_be_signed_and_an_unknown_id_names_the_nearest(bench: Bench, made: str) -> None:
    assert "what is signed off stands in a store" in bench("review", "out.json").err
    assert made in bench("review", made[:-1]).err


def test_a_read_only_store_is_an_error_that_says_so(bench: Bench, made: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def read_only(path: str | Path, flags: int, *more: int, **named: int) -> int:
        if str(path).endswith("signoffs.jsonl") and flags & os.O_RDWR:
            raise OSError(30, "Read-only file system")
        return real(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", read_only)
    result = bench("review", made, "--sign", "Li", "--decision", "approve")
    assert result.code == 2
    assert "the store cannot be written (Read-only file system)" in result.err
    assert "--store" in result.err
    assert bench("review", made).code == 0, "reading it is all right"


@pytest.mark.parametrize("store", ["memory://review-store"])
def test_any_store_can_be_signed(bench: Bench, store: str) -> None:
    bench.compare("--store", store, "--json", "out.json")
    made = str(json.loads((bench.folder / "out.json").read_text())["id"])
    assert bench("review", made, "--store", store, "--sign", "Li", "--decision", "approve", "--gate").code == 0


def test_prune_keeps_what_was_signed(bench: Bench, made: str, failed: str) -> None:
    bench("review", made, "--sign", "Li", "--decision", "approve")
    bench("runs", "prune", "--older-than", "0", "--yes")
    left = bench("runs", "list").out
    assert made in left
    assert failed not in left
    assert bench("review", made, "--gate", "--html", "page.html").code == 0
    assert "Question" not in bench("runs", "list").out
