"""The commands beside compare and gate."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.cli.conftest import Bench, right, share


def test_score_prints_the_json_of_the_contract(bench: Bench) -> None:
    bench.write("out.jsonl", "".join(json.dumps({"item_id": f"f{i}", "output": share(5)(i)}) + "\n" for i in range(40)))
    result = bench("score", "replay:out.jsonl", "--goldset", "facts.jsonl", "--scorer", "exact", "--json", "-")
    found = json.loads(result.out)
    assert result.code == 0
    assert set(found) == {"n", "score", "ci", "unscored", "errors", "missing", "signature", "per_item"}
    assert found["n"] == 40
    assert found["score"] == 0.5
    assert found["ci"][0] < 0.5 < found["ci"][1]
    assert found["signature"].startswith("exact|")
    assert found["per_item"]["f0"] == 1.0
    assert found["per_item"]["f9"] == 0.0


def test_score_counts_what_is_missing_and_exits_3(bench: Bench) -> None:
    bench.write("out.jsonl", '{"item_id": "f0", "output": "answer 0"}\n')
    result = bench("score", "replay:out.jsonl", "--goldset", "facts.jsonl", "--scorer", "exact", "--json", "-")
    assert result.code == 3
    assert json.loads(result.out)["missing"] == 39
    assert json.loads(result.out)["n"] == 1
    assert "incomplete: facts.jsonl: 39 of 40" in result.err
    tolerant = bench(
        "score", "replay:out.jsonl", "--goldset", "facts.jsonl", "--scorer", "exact", "--max-error-rate", "1"
    )
    assert tolerant.code == 0


def test_score_takes_options_of_the_scorer(bench: Bench) -> None:
    bench.write(
        "out.jsonl", "".join(json.dumps({"item_id": f"f{i}", "output": f"ANSWER {i}"}) + "\n" for i in range(40))
    )
    common = ("score", "replay:out.jsonl", "--goldset", "facts.jsonl", "--scorer", "exact", "--json", "-")
    assert json.loads(bench(*common).out)["score"] == 1.0
    strict = json.loads(bench(*common, "--option", "case=false").out)
    assert strict["score"] == 0.0
    assert strict["signature"] != json.loads(bench(*common).out)["signature"]


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--scorer", "exat"), "Did you mean 'exact'?"),
        (("--scorer", "exact", "--option", "cse=false"), "'case'"),
        (("--scorer", "exact", "--option", "case"), "KEY=VALUE"),
        (("--scorer", "exact", "--metric", "exakt"), "'exact'"),
    ],
)
def test_a_wrong_scorer_option_is_one_line(bench: Bench, options: tuple[str, ...], part: str) -> None:
    result = bench("score", "replay:base.jsonl", "--goldset", "facts.jsonl", *options)
    assert result.code == 2
    assert part in result.err
    assert len(result.err.splitlines()) == 1


def test_run_scores_without_comparing_and_its_run_can_be_listed_shown_and_exported(bench: Bench) -> None:
    result = bench("run", "replay:base.jsonl", "--suite", "suite.yaml", "--json", "out.json")
    assert result.code == 0
    (run,) = json.loads((bench.folder / "out.json").read_text())["runs"]
    facts = run["tasks"][0]["metrics"]["exact"]
    assert facts["score"] == pytest.approx(0.3)
    assert run["run_id"] in bench("runs", "list").out
    assert "30.0%" in bench("runs", "show", run["run_id"]).out
    exported = [json.loads(line) for line in bench("runs", "export", run["run_id"]).out.splitlines()]
    assert len(exported) == 80
    assert exported[0]["output"] == right(0)


def test_an_exported_csv_runs_no_formula(bench: Bench) -> None:
    bench.record("base", lambda i: '=HYPERLINK("http://x","y")', lambda i: "  @SUM(1)")
    bench("run", "replay:base.jsonl", "--suite", "suite.yaml", "--json", "out.json")
    run_id = json.loads((bench.folder / "out.json").read_text())["runs"][0]["run_id"]
    bench("runs", "export", run_id, "--format", "csv", "--output", "out.csv")
    rows = list(csv.DictReader(io.StringIO((bench.folder / "out.csv").read_text(encoding="utf-8-sig"))))
    assert len(rows) == 80
    assert all(row["output"].startswith("'") for row in rows)


def test_prune_lists_first_and_keeps_what_a_kept_comparison_names(bench: Bench) -> None:
    bench.compare()
    assert "Nothing is that old" in bench("runs", "prune", "--older-than", "1").out
    listed = bench("runs", "prune", "--older-than", "0")
    assert listed.out.count("would remove") == 3
    assert "--yes" in listed.out
    assert bench("runs", "prune", "--older-than", "0", "--yes").out.count("removed") == 3
    assert "is empty" in bench("runs", "list").out


def test_candidates_are_listed_and_shown(bench: Bench) -> None:
    bench.write("harness.yaml", "candidates:\n  recorded:\n    replay: base.jsonl\n")
    assert "recorded" in bench("candidates", "list").out
    shown = bench("candidates", "show", "recorded")
    assert "base.jsonl" in shown.out
    assert "identity" in shown.out
    assert bench("candidates", "show", "recorde").code == 2


def test_candidates_doctor_refuses_a_recording(bench: Bench) -> None:
    result = bench("candidates", "doctor", "replay:base.jsonl", "--suite", "suite.yaml")
    assert result.code == 2
    assert "are not here: there is nothing to examine" in result.err


def test_the_machine_is_described_and_secrets_are_not(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://user:password@proxy:8080")
    result = bench("doctor")
    assert result.code == 0
    for word in ("python", "gpu", "store", "cache", "telemetry", "torch"):
        assert word in result.out
    assert "hf_secret" not in result.out
    assert "password" not in result.out
    assert "proxy:8080" in result.out


def test_the_machine_is_described_whatever_is_broken(bench: Bench) -> None:
    bench.write("harness.yaml", "candidats: {}\n")
    result = bench("doctor", "--store", "/proc/store")
    assert result.code == 0
    assert "candidats" in result.out
    assert "NOT writable" in result.out


def test_goldsets_and_suites_are_listed_and_shown(bench: Bench) -> None:
    assert "gsm8k" in bench("goldset", "list").out
    assert "medical" in bench("suites", "list").out
    assert "general-retention" in bench("suites", "show", "medical").out
    shown = bench("goldset", "show", "facts.jsonl", "--count", "1")
    assert "Question f0?" in shown.out
    assert bench("goldset", "check", "nowhere").code == 2


def test_help_and_version_exit_0(bench: Bench) -> None:
    assert bench("--help").code == 0
    assert bench("compare", "--help").code == 0
    assert bench("--version").out.startswith("harness ")
