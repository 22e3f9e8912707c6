"""The demo, end to end on real engines: what the README shows, and the same verdicts from vLLM and transformers."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import api
from harness.comparison.results import TaskResult

ROOT = Path(__file__).resolve().parent.parent
VERDICTS = {
    "lora_model_medical": {"medical-qa": "improved", "general-retention": "regressed", "arithmetic-mini": "regressed"},
    "lora_model_medical_mix": {"medical-qa": "improved", "general-retention": "held", "arithmetic-mini": "held"},
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


def compare(engine: str, store: Path) -> dict[str, dict[str, TaskResult]]:
    """The primary result of each task, by candidate."""
    outcome = api.compare(
        api.Request(
            references=("base", *VERDICTS), suite="medical", engine=engine, folder=ROOT, store=str(store)
        )
    )  # fmt: skip
    assert outcome.comparison.engine == engine
    assert not any(f.status == "fail" for c in outcome.comparison.comparisons for f in c.doctor)
    return {c.candidate: {r.task: r for r in c.results if r.primary} for c in outcome.comparison.comparisons}


def test_the_readme_shows_what_the_demo_gives(store: Path) -> None:
    found = compare("transformers", store)
    assert {name: {task: r.verdict for task, r in tasks.items()} for name, tasks in found.items()} == VERDICTS
    for page in ("README.md", "README.zh.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for tasks in found.values():
            for result in tasks.values():
                assert result.base is not None
                assert result.candidate is not None
                assert f"{result.base:.1%} → {result.candidate:.1%}" in text


@pytest.mark.vllm
def test_vllm_gives_the_same_verdicts_and_almost_the_same_answers(store: Path) -> None:
    ours, theirs = compare("transformers", store), compare("vllm", store)
    for name, tasks in theirs.items():
        assert {task: r.verdict for task, r in tasks.items()} == VERDICTS[name]
        for task, result in tasks.items():
            other = ours[name][task]
            assert result.n == other.n
            assert result.candidate == pytest.approx(other.candidate, abs=0.01)
            assert result.base == pytest.approx(other.base, abs=0.01)
