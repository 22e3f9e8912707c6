"""The suites that come with the package: their margins fit their sizes, and each runs end to end on the demo.

The demo has no eyes: the suites with pictures are run in `tests/engines/vision/test_suites.py`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness import api
from harness.comparison.results import TaskResult
from harness.comparison.statistics import paired_statistics
from harness.report.worth import smallest_difference
from harness.suites.spec import Suite, Task, list_suites, load_suite
from harness.validation import read_yaml

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("gsm8k", "medical", "odometer", "reasoning", "receipt", "retention", "tcm")
# Items of the sets that are not stored here, as they are published; of CMMLU the 14 subjects that the tests have, and
# of the photographs, which are the user's, as many as the margin wants.
PUBLISHED = {
    "aime24": 30,
    "cmmlu": 2945,
    "gpqa": 198,
    "gsm8k": 1319,
    "math500": 500,
    "mgsm-zh": 250,
    "odometer-photos": 100,
    "receipt": 600,
}
# These stand in the text of the page, not in its table.
IN_WORDS = {"cmmlu": "2,945", "receipt": "600"}
COPIES = {
    "aime24": "reasoning/aime24/test.jsonl",
    "cmmlu": "cmmlu/test",
    "gsm8k": "gsm8k/test.jsonl",
    "math500": "reasoning/math500/test.jsonl",
    "mgsm-zh": "gsm8k_zh/mgsm_zh.jsonl",
}


def suite(name: str) -> Suite:
    return load_suite(ROOT / "suites" / f"{name}.yaml")[0]


def tasks() -> list[Task]:
    return [task for name in NAMES for task in suite(name).tasks]


def size(goldset: str) -> int:
    if goldset in PUBLISHED:
        return PUBLISHED[goldset]
    from harness.gold.card import Card

    items = read_yaml(ROOT / "goldsets" / f"{goldset}.yaml", Card).items
    assert items is not None
    return items


def test_every_suite_is_shipped_and_described() -> None:
    assert set(NAMES) <= set(list_suites(ROOT))
    for name in NAMES:
        assert suite(name).description


@pytest.mark.parametrize("task", tasks(), ids=lambda task: f"{task.goldset}-{task.margin}")
def test_a_margin_can_be_held_by_the_items_there_are(task: Task) -> None:
    """Two equal sides that disagree on a tenth of the items: the interval must fit into the margin."""
    n = size(task.goldset)
    half = round(n * 0.05)
    same = [1] * (n - 2 * half)
    found = paired_statistics([1] * half + [0] * half + same, [0] * half + [1] * half + same)
    assert found.ci is not None
    assert found.ci.low > -task.margin


def test_a_task_that_several_suites_ask_is_the_same_in_all() -> None:
    seen: dict[str, Task] = {}
    for task in tasks():
        assert seen.setdefault(task.name, task) == task


def test_a_set_that_few_can_have_is_no_obstacle() -> None:
    assert {task.name for task in tasks() if task.optional} == {"cmmlu", "gpqa", "mgsm-zh", "odometer-photos"}


@pytest.mark.parametrize("page", ["suites.md", "suites.zh.md"])
def test_the_page_states_sizes_differences_and_margins_as_they_are(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\w-]+) \| (\d+) \|[^|]*\|[^|]*\| ([\d.]+) [^|]*\| ([\d.]+)[^|]*\|$", text, flags=re.M)
    margins = {task.goldset: task.margin for task in tasks()}
    assert {row[0] for row in rows} == set(margins) - set(IN_WORDS) - {"odometer-photos"}
    for name, items, smallest, margin in rows:
        assert int(items) == size(name)
        expected = smallest_difference(int(items), 0.1)
        assert expected is not None
        assert smallest == f"{100 * expected:.1f}"
        assert margin == f"{100 * margins[name]:g}"
    for name, written in IN_WORDS.items():
        found = smallest_difference(PUBLISHED[name], 0.1)
        assert found is not None
        assert f" {written} " in text
        assert f" {100 * found:.1f} " in text


def run(
    name: str,
    store: Path,
    *candidates: str,
    limit: int | None,
    copies: dict[str, str] | None = None,
    left_out: frozenset[str] = frozenset(),
) -> dict[str, TaskResult]:
    """The primary results of one candidate, by task."""
    outcome = api.compare(
        api.Request(
            references=("base", *candidates),
            suite=name,
            engine="transformers",
            folder=ROOT,
            store=str(store),
            limit=limit,
            goldsets=copies or {},
        )
    )
    asked = {task.name for task in suite(name).tasks}
    found = {r.task: r for r in outcome.comparison.comparisons[0].results if r.primary}
    assert asked - set(found) == left_out
    for result in found.values():
        assert result.unscored.base == result.unscored.candidate == 0
        assert result.errors.base == result.errors.candidate == 0
    return found


def assert_uninformative(result: TaskResult) -> None:
    assert result.verdict == "inconclusive"
    assert "uninformative" in result.note


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.mark.slow
def test_tcm_on_the_demo(store: Path) -> None:
    found = run("tcm", store, "lora_model_medical", limit=None, left_out=frozenset({"cmmlu"}))
    target = found["tcm"]
    assert (target.n, target.role) == (290, "target")
    assert target.base is not None
    assert target.candidate is not None
    assert max(target.base, target.candidate) < 0.03, "the demo was taught nothing of this"
    assert target.verdict != "improved"
    assert_uninformative(found["tcm-choice"])
    assert found["general-retention"].verdict == "regressed"
    assert found["arithmetic-mini"].verdict == "regressed"


@pytest.mark.slow
def test_retention_on_the_demo_weighs_the_options_of_cmmlu(store: Path, shared_data: Path) -> None:
    copies = {"cmmlu": str(shared_data / COPIES["cmmlu"])}
    forgot = run("retention", store, "lora_model_medical", limit=300, copies=copies)
    assert forgot["general-retention"].verdict == "regressed"
    assert forgot["arithmetic-mini"].verdict == "regressed"
    cmmlu = forgot["cmmlu"]
    assert cmmlu.n == 300
    assert "loglikelihood" in cmmlu.signature
    assert cmmlu.unextracted.base == 0, "every option has a likelihood"
    assert_uninformative(cmmlu)
    kept = run("retention", store, "lora_model_medical_mix", limit=300, left_out=frozenset({"cmmlu"}))
    assert kept["general-retention"].verdict == "held"
    assert kept["arithmetic-mini"].verdict == "held"


@pytest.mark.slow
def test_gsm8k_on_the_demo(store: Path, shared_data: Path) -> None:
    copies = {name: str(shared_data / COPIES[name]) for name in ("gsm8k", "mgsm-zh")}
    for result in run("gsm8k", store, "lora_model_medical_mix", limit=40, copies=copies).values():
        assert_uninformative(result)


@pytest.mark.slow
def test_reasoning_on_the_demo(store: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    copies = {name: str(shared_data / COPIES[name]) for name in ("aime24", "math500")}
    found = run("reasoning", store, "lora_model_medical_mix", limit=5, copies=copies, left_out=frozenset({"gpqa"}))
    assert {result.n for result in found.values()} == {5}
    assert found["math500"].verdict not in ("improved", "regressed")
    assert_uninformative(found["aime24"])
