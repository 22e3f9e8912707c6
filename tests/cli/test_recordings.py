"""Recordings of other tools by the command line: their own figures come out, and what docs/recordings.md shows."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Bench
from tests.engines.recorded.made import DATA, GOLD, one, rows

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "docs" / name for name in ("recordings.md", "recordings.zh.md")]
SIDES = ("base", "lora")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.S | re.M)


@pytest.fixture
def recorded(bench: Bench) -> Bench:
    """The folder that the page speaks of."""
    for path in GOLD.glob("*.jsonl"):
        shutil.copy(path, bench.folder)
    for tool in ("lm-eval", "evalscope"):
        for side in SIDES:
            shutil.copytree(DATA / tool / side, bench.folder / tool / side)
    shutil.copytree(DATA / "evalscope" / "repeated", bench.folder / "repeated")
    (bench.folder / "choice").mkdir()
    for task, name in (("tcm_choice", "letters"), ("tcm_choice_text", "texts")):
        shutil.copy(one(f"lm-eval/lora/samples_{task}_2*.jsonl"), bench.folder / "choice" / f"{name}.jsonl")
    bench.write("suite.yaml", blocks(PAGES[0], "yaml")[0])
    return bench


def compared(bench: Bench, base: str, candidate: str, *options: str) -> dict[str, Any]:
    result = bench("compare", f"replay:{base}", f"replay:{candidate}", "--suite", "suite.yaml", "--json", "-", *options)
    assert result.code == 0, result.err
    (found,) = json.loads(result.out)["comparisons"]
    return dict(found)


def scored(bench: Bench, path: str, goldset: str, *options: str) -> dict[str, Any]:
    result = bench("score", f"replay:{path}", "--goldset", goldset, "--json", "-", "--scorer", *options)
    assert result.code == 0, result.err
    return dict(json.loads(result.out))


def mean(values: list[float]) -> Any:
    return pytest.approx(sum(values) / len(values))


@pytest.mark.parametrize("page", PAGES, ids=["en", "zh"])
def test_the_page_shows_what_its_commands_print(recorded: Bench, page: Path) -> None:
    (table,) = blocks(page, "text")
    printed = []
    for block in blocks(page, "console"):
        for line in block.splitlines():
            if line.startswith("$ harness "):
                result = recorded(*shlex.split(line)[2:])
                assert result.code == 0, result.err
                printed.append(f"{result.out}\n{result.err}")
            else:
                assert line in printed[-1].splitlines()
    for line in table.splitlines():
        assert line in [shown.rstrip() for shown in printed[0].splitlines()]
    assert len(printed) == 7


def commands(page: Path) -> list[str]:
    lines = [line for block in blocks(page, "console") for line in block.splitlines() if line.startswith("$")]
    return [line.removesuffix(" --lang zh") for line in lines]


def test_the_pages_run_the_same_commands() -> None:
    assert commands(PAGES[0]) == commands(PAGES[1])
    assert blocks(PAGES[0], "yaml") == blocks(PAGES[1], "yaml")


def test_lm_evals_figures_come_out(recorded: Bench) -> None:
    """Its exact_match on the medical questions; in arithmetic it compares whole texts, so that one is by hand."""
    found = compared(recorded, "lm-eval/base", "lm-eval/lora")
    medical, arithmetic = (result for result in found["results"] if result["primary"])
    theirs = {side: [r["exact_match"] for r in rows(one(f"lm-eval/{side}/samples_medical_qa_*"))] for side in SIDES}
    assert (medical["base"], medical["candidate"]) == (mean(theirs["base"]), mean(theirs["lora"]))
    flips = list(zip(theirs["base"], theirs["lora"], strict=True))
    assert (len(medical["gained"]), len(medical["lost"])) == (flips.count((0.0, 1.0)), flips.count((1.0, 0.0)))
    assert (arithmetic["base"], arithmetic["candidate"]) == (pytest.approx(8 / 9), pytest.approx(2 / 9))
    assert [note for note in found["warnings"] if "samples_tcm_choice_2" in note]


@pytest.mark.parametrize(("metric", "theirs"), [("choice", "acc"), ("choice_norm", "acc_norm")])
@pytest.mark.parametrize(("task", "options"), [("tcm_choice", "letter"), ("tcm_choice_text", "text")])
def test_lm_evals_accuracies_come_out(recorded: Bench, task: str, options: str, metric: str, theirs: str) -> None:
    """Compared, with a suite of one task."""
    recorded.write(
        "suite.yaml",
        f"""\
name: tcm
tasks:
  - name: tcm
    role: guard
    goldset: tcm-choice.jsonl
    answer: loglikelihood
    scorers: [choice: {{method: loglikelihood, options: {options}}}]
    primary: {metric}
    margin: 0.1
""",
    )
    paths = {side: one(f"lm-eval/{side}/samples_{task}_2*.jsonl") for side in SIDES}
    found = compared(recorded, str(paths["base"]), str(paths["lora"]))
    (primary,) = [result for result in found["results"] if result["metric"] == metric]
    assert primary["n"] == 8
    for ours, side in (("base", "base"), ("candidate", "lora")):
        assert primary[ours] == mean([row[theirs] for row in rows(paths[side])])


@pytest.mark.parametrize("side", SIDES)
def test_evalscopes_rouge_comes_out(recorded: Bench, side: str) -> None:
    """Each item by itself; no answer here shares a word with another accepted one."""
    found = scored(recorded, f"evalscope/{side}", "medical-qa.jsonl", "rouge", "--metric", "rougeL")
    reviews = rows(one(f"evalscope/{side}/reviews/{side}/*.jsonl"))
    theirs = [review["sample_score"]["score"]["value"]["Rouge-L-F"] for review in reviews]
    ids = [row["id"] for row in rows(GOLD / "medical-qa.jsonl")]
    assert found["per_item"] == pytest.approx(dict(zip(ids, theirs, strict=True)), abs=1e-8)


def test_two_tools_that_recorded_the_same_answers_are_one_candidate_twice(recorded: Bench) -> None:
    """EvalScope and lm-eval asked the same model in the same words: the comparison is A/A."""
    found = compared(recorded, "lm-eval/base", "evalscope/base")
    assert [(r["delta"], r["verdict"], r["identical"]) for r in found["results"] if r["primary"]] == [
        (0.0, "held", True)
    ] * 2


def test_repeats_beyond_those_asked_for_are_noted(recorded: Bench) -> None:
    shutil.copytree(recorded.folder / "repeated", recorded.folder / "again")
    note = "holds up to 2 answers to an item; --repeats 2 uses them all"
    suite = blocks(PAGES[0], "yaml")[0]
    recorded.write("suite.yaml", suite[: suite.index("  - name: arithmetic-mini")])
    assert note in compared(recorded, "repeated", "again")["warnings"]
    assert note not in "".join(compared(recorded, "repeated", "again", "--repeats", "2")["warnings"])
    result = recorded("score", "replay:repeated", "--goldset", "medical-qa.jsonl", "--scorer", "exact")
    assert f"! replay:repeated: {note}" in result.err


def test_an_exported_run_is_a_recording_again(recorded: Bench) -> None:
    first = scored(recorded, "lm-eval/lora", "arithmetic-mini.jsonl", "number")
    (run,) = [path.name for path in (recorded.folder / "runs").iterdir() if (path / "run.json").exists()]
    exported = recorded("runs", "export", run)
    assert exported.code == 0
    recorded.write("exported.jsonl", exported.out)
    assert scored(recorded, "exported.jsonl", "arithmetic-mini.jsonl", "number") == first


def test_a_recording_is_its_content_wherever_it_lies(recorded: Bench) -> None:
    def identity(path: str) -> str:
        (found,) = re.findall(r"identity +(\w{64})", recorded("candidates", "show", f"replay:{path}").out)
        return str(found)

    before = identity("lm-eval/base")
    shutil.copytree(recorded.folder / "lm-eval" / "base", recorded.folder / "moved")
    assert identity("moved") == before
    (path,) = (recorded.folder / "moved").glob("samples_medical_qa_*")
    path.write_text(path.read_text(encoding="utf-8").replace("坏血病", "夜盲症"), encoding="utf-8")
    assert identity("moved") != before


def test_a_changed_recording_or_gold_answer_is_scored_anew(recorded: Bench) -> None:
    """Nothing of it is in the store."""
    before = scored(recorded, "lm-eval/base", "medical-qa.jsonl", "exact")["per_item"]
    gold = recorded.folder / "medical-qa.jsonl"
    gold.write_text(gold.read_text(encoding="utf-8").replace('"夜盲症", ', '"夜盲症", "坏血病", '), encoding="utf-8")
    assert scored(recorded, "lm-eval/base", "medical-qa.jsonl", "exact")["per_item"] == {**before, "med-easy-001": 1.0}


def test_a_name_in_the_workspace_may_stand_for_a_folder(recorded: Bench) -> None:
    recorded.write("harness.yaml", "candidates:\n  old: {replay: lm-eval/base}\n  new: {replay: lm-eval/lora}\n")
    result = recorded("compare", "old", "new", "--suite", "suite.yaml")
    assert result.code == 0
    assert "old → new" in result.out


@pytest.mark.parametrize(
    ("spoil", "parts"),
    [
        (lambda content: content[:-300], ("jsonl:8: is not valid JSON",)),
        (lambda content: content.decode().encode("gb18030"), ("jsonl:1: cannot be read as UTF-8", "iconv")),
        (lambda content: content + content, ("jsonl:9: doc_id 0 stands here and at", "jsonl:1. Two runs")),
        (
            lambda content: content.replace("说出一种".encode(), "请说一种".encode()),
            ("jsonl:1: 1 of 8 answers belong",),
        ),
    ],
    ids=["half", "gbk", "twice", "another question"],
)
def test_a_fault_in_one_file_of_the_second_side_leaves_nothing_behind(
    recorded: Bench, spoil: Any, parts: tuple[str, ...]
) -> None:
    (path,) = (recorded.folder / "lm-eval" / "lora").glob("samples_medical_qa_*")
    path.write_bytes(spoil(path.read_bytes()))
    before = recorded.files()
    result = recorded("compare", "replay:lm-eval/base", "replay:lm-eval/lora", "--suite", "suite.yaml")
    assert (result.code, result.out) == (2, "")
    (line,) = result.err.splitlines()
    assert line.startswith(f"error: {path}")
    for part in parts:
        assert part in line
    assert recorded.files() == before


def test_an_empty_recording_is_refused(recorded: Bench) -> None:
    recorded.write("none.jsonl", "")
    before = recorded.files()
    result = recorded("compare", "replay:none.jsonl", "replay:lm-eval/lora", "--suite", "suite.yaml")
    assert result.code == 2
    assert "none.jsonl: holds no outputs. Known: " in result.err
    assert recorded.files() == before


def test_a_run_that_was_stopped_is_incomplete_not_wrong(recorded: Bench) -> None:
    (path,) = (recorded.folder / "lm-eval" / "lora").glob("samples_medical_qa_*")
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:5]))
    result = recorded("compare", "replay:lm-eval/base", "replay:lm-eval/lora", "--suite", "suite.yaml", "--json", "-")
    assert result.code == 3
    medical = json.loads(result.out)["comparisons"][0]["results"][0]
    assert (medical["n"], medical["missing"]) == (5, {"base": 0, "candidate": 3})
