"""`harness compare` and `harness gate`: verdicts, exit codes, files and what is printed where."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.comparison.results import Comparison
from harness.errors import EXIT_GATE_FAILED, EXIT_INCOMPLETE, EXIT_INCONCLUSIVE, EXIT_OK
from tests.cli.conftest import Bench, right, share, wrong


def harness(
    bench: Bench, *arguments: str, limit: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """The command line as a process of its own."""
    command = [sys.executable, "-m", "harness", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    return subprocess.run(
        command, cwd=bench.folder, capture_output=True, check=False, env=environment, preexec_fn=limit
    )


def test_a_candidate_compared_with_itself_held_with_delta_0(bench: Bench) -> None:
    result = bench.compare("--gate", "--json", "out.json", candidate="base")
    (found,) = json.loads((bench.folder / "out.json").read_text())["comparisons"]
    assert [r["verdict"] for r in found["results"]] == ["held", "held"]
    assert [r["delta"] for r in found["results"]] == [0.0, 0.0]
    assert all(r["identical"] for r in found["results"])
    assert "gives the same answers as the base" in result.out
    assert result.code == EXIT_GATE_FAILED  # a target that had to improve held


@pytest.mark.parametrize(
    ("facts", "general", "code"),
    [
        (share(9), share(9), EXIT_OK),
        (share(9), share(2), EXIT_GATE_FAILED),
        (share(3), share(9), EXIT_GATE_FAILED),
        (share(9), lambda i: right(i) if i % 10 < 8 or i > 36 else wrong(i), EXIT_INCONCLUSIVE),
        (share(0), lambda i: right(i) if i % 10 < 8 or i > 36 else wrong(i), EXIT_GATE_FAILED),
    ],
    ids=["passed", "guard regressed", "target held", "inconclusive", "failed outweighs inconclusive"],
)
def test_the_gate_decides_the_exit_code(
    bench: Bench, facts: Callable[[int], str], general: Callable[[int], str], code: int
) -> None:
    bench.record("candidate", facts, general)
    assert bench.compare().code == EXIT_OK
    result = bench.compare("--gate", "--json", "out.json")
    assert result.code == code
    comparison = Comparison.model_validate_json((bench.folder / "out.json").read_text())
    assert bench("gate", comparison.id).code == code
    assert bench("gate", "out.json").code == code


def test_incomplete_outweighs_a_failed_gate(bench: Bench) -> None:
    bench.record("candidate", share(9), share(2), n=30)
    result = bench.compare("--gate")
    assert result.code == EXIT_INCOMPLETE
    assert "facts: 10 of 40" in result.err
    assert "general: 10 of 40" in result.err


def test_of_several_candidates_the_worst_decides(bench: Bench) -> None:
    bench.record("bad", share(9), share(2))
    both = ("compare", "replay:base.jsonl", "replay:candidate.jsonl", "replay:bad.jsonl", "--suite", "suite.yaml")
    result = bench(*both, "--gate")
    assert result.code == EXIT_GATE_FAILED
    assert "replay:candidate.jsonl" in result.out
    assert "replay:bad.jsonl" in result.out


def test_stdout_holds_only_json_when_json_goes_there(bench: Bench) -> None:
    result = harness(
        bench, "compare", "replay:base.jsonl", "replay:candidate.jsonl", "--suite", "suite.yaml", "--json", "-"
    )
    comparison = Comparison.model_validate_json(result.stdout)
    assert result.returncode == EXIT_OK
    assert json.loads(result.stdout)["schema"] == 1
    assert comparison.comparisons[0].results[0].verdict == "improved"
    assert b"Conclusion" in result.stderr
    stored = bench.folder / "runs" / "comparisons" / comparison.id / "comparison.json"
    assert stored.read_bytes() == result.stdout


def test_progress_goes_to_stderr_and_holds_no_control_characters_away_from_a_terminal(bench: Bench) -> None:
    result = bench.compare()
    assert "Plan: small: facts 40 items, general 40 items" in result.err
    assert "Plan" not in result.out
    assert "\x1b" not in result.out + result.err
    assert "\r" not in result.err


def test_every_file_asked_for_is_written(bench: Bench) -> None:
    result = bench.compare("--json", "a.json", "--markdown", "a.md", "--html", "a.html", "--junit", "a.xml")
    assert result.code == EXIT_OK
    for name in ("a.json", "a.md", "a.html", "a.xml"):
        assert (bench.folder / name).stat().st_size > 200
    assert not [name for name in bench.files() if name.startswith(".")]


def test_an_existing_report_is_replaced_and_a_device_is_written_to(bench: Bench) -> None:
    bench.write("a.md", "old")
    result = bench.compare("--markdown", "a.md", "--json", "/dev/null")
    assert result.code == EXIT_OK
    assert "old" not in (bench.folder / "a.md").read_text()


def test_the_report_speaks_chinese_where_the_environment_does(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "门禁: 通过" in bench.compare().out
    assert "Gate: passed" in bench.compare("--lang", "en").out


def test_a_second_comparison_is_the_same_to_the_byte(bench: Bench) -> None:
    bench.compare("--json", "a.json")
    bench.compare("--json", "b.json")
    assert (bench.folder / "a.json").read_bytes() == (bench.folder / "b.json").read_bytes()


def test_a_local_copy_of_a_gold_set_is_used_by_name(bench: Bench) -> None:
    bench.write("suite.yaml", (bench.folder / "suite.yaml").read_text().replace("facts.jsonl", "facts-elsewhere"))
    assert bench.compare("--goldset", "facts-elsewhere=facts.jsonl").code == EXIT_OK


def test_a_stored_comparison_is_shown_with_its_texts(bench: Bench) -> None:
    bench.record("candidate", share(9), share(2))
    first = bench.compare("--json", "out.json")
    assert "Question g" in first.out
    shown = bench("runs", "show", json.loads((bench.folder / "out.json").read_text())["id"])
    assert shown.code == EXIT_OK
    assert shown.out == first.out


def test_a_comparison_without_its_runs_still_shows_its_numbers(bench: Bench) -> None:
    bench.compare("--json", "out.json")
    result = bench("gate", "out.json", "--store", "elsewhere", "--html", "a.html")
    assert result.code == EXIT_OK
    assert "improved" in result.out


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 1}', ""])
def test_a_file_that_is_no_comparison_is_refused(bench: Bench, text: str) -> None:
    bench.write("out.json", text)
    result = bench("gate", "out.json")
    assert result.code == 2
    assert "out.json: is not a comparison" in result.err
    assert len(result.err.splitlines()) == 1


def test_an_unknown_comparison_names_the_nearest(bench: Bench) -> None:
    bench.compare("--json", "out.json")
    known = json.loads((bench.folder / "out.json").read_text())["id"]
    result = bench("gate", known[:-1])
    assert result.code == 2
    assert known in result.err


def test_a_full_disk_leaves_a_store_that_can_be_read(bench: Bench) -> None:
    """A limit on file size is the nearest thing to a full disk that a test may make."""
    assert bench.compare().code == EXIT_OK
    bench.record("candidate", lambda i: os.urandom(4000).hex(), share(9))

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    result = harness(
        bench, "compare", "replay:base.jsonl", "replay:candidate.jsonl", "--suite", "suite.yaml", limit=small
    )
    assert result.returncode == 2
    last = result.stderr.decode().splitlines()[-1]
    assert last.startswith("error: ")
    assert "cannot be written" in last
    listed = bench("runs", "list")
    assert listed.code == EXIT_OK
    assert listed.out.count("complete") == 2
    assert not [name for name in bench.files() if "/." in name]
    assert bench.compare().code == EXIT_OK


def test_a_full_disk_under_a_report_leaves_the_old_report(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write("a.html", "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = bench.compare("--html", "a.html")
    assert result.code == 2
    assert result.err.splitlines()[-1].startswith("error: --html a.html: cannot be written (No space left on device)")
    assert (bench.folder / "a.html").read_text() == "old"
    assert not [name for name in bench.files() if name.startswith(".")]


def test_a_reader_that_goes_away_is_no_traceback(bench: Bench) -> None:
    command = [sys.executable, "-m", "harness", "compare", "replay:base.jsonl", "replay:candidate.jsonl"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    process = subprocess.Popen(
        [*command, "--suite", "suite.yaml"],
        cwd=bench.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read().decode()
    assert process.wait() == 141
    assert "Traceback" not in errors
    assert "Exception" not in errors


@pytest.mark.parametrize("given", [(), ("--debug",)])
def test_ctrl_c_says_that_it_can_go_on_and_exits_130(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.api.compare", interrupted)
    result = bench.compare(*given)
    assert result.code == 130
    assert "the same command goes on from there" in result.err.splitlines()[-1]
    assert ("Traceback" in result.err) == bool(given)


def test_a_real_sigint_exits_130(bench: Bench) -> None:
    os.mkfifo(bench.folder / "wait.json")  # writing to it waits for a reader
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-m", "harness", "compare", "replay:base.jsonl", "replay:candidate.jsonl"]
    process = subprocess.Popen(
        [*command, "--suite", "suite.yaml", "--json", "wait.json"],
        # A job in a shell's background ignores Ctrl-C, and so would all that it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        cwd=bench.folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    for _ in range(300):
        time.sleep(0.1)
        if list(bench.folder.glob("runs/comparisons/*/comparison.json")):
            break
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    errors = process.stderr.read().decode()
    assert process.wait(30) == 130
    assert errors.splitlines()[-1].startswith("interrupted: ")
    assert "Traceback" not in errors


def test_a_fault_of_the_program_is_one_line_and_70(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("no\nway")

    monkeypatch.setattr("harness.api.compare", broken)
    result = bench.compare()
    assert result.code == 70
    assert result.err.splitlines() == ["error: ZeroDivisionError: no way (--debug shows the traceback)"]
    monkeypatch.setenv("HARNESS_DEBUG", "1")
    assert "Traceback" in bench.compare().err


def test_a_wrong_input_shows_its_traceback_only_with_debug(bench: Bench) -> None:
    assert "Traceback" not in bench.compare(suite="nothing").err
    result = bench.compare("--debug", suite="nothing")
    assert "Traceback" in result.err
    assert result.code == 2
