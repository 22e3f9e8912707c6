"""Repeats of the packaged demo's models, sampled by the transformers engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import api
from harness.runs.plan import Plan
from harness.runs.progress import Silent
from harness.runs.samples import Sample


class Watching(Silent):
    """Notes how many answers are to be generated, and whether an engine is started for it."""

    def __init__(self) -> None:
        self.missing = 0
        self.started_engines = 0

    def planned(self, plan: Plan, cached: dict[int, int], seconds: float | None) -> None:
        self.missing = sum(len(planned.asked) for planned in plan.candidates) - sum(cached.values())

    def starting(self, engine: str, reason: str) -> None:
        self.started_engines += 1


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


def compared(store: Path, repeats: int, *, fresh: bool = False) -> tuple[Watching, api.Outcome]:
    pytest.importorskip("transformers")
    watching = Watching()
    request = api.Request(
        ("base", "lora_model_medical"), "medical", demo=True, engine="transformers", limit=8, repeats=repeats,
        temperature=0.8, store=str(store), fresh=fresh,
    )  # fmt: skip
    return watching, api.compare(request, watching)


def outputs(samples: list[Sample]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for sample in samples:
        found.setdefault((sample.task, sample.item_id), []).append(sample.output)
    return found


def test_repeats_differ_and_a_larger_number_asks_only_what_is_new(store: Path) -> None:
    first, two = compared(store, 2)
    assert (first.missing, first.started_engines) == (2 * 3 * 8 * 2, 1)
    more, three = compared(store, 3)
    assert (more.missing, more.started_engines) == (1 * 3 * 8 * 2, 1)
    again, same = compared(store, 3)
    assert (again.missing, again.started_engines) == (0, 0)
    assert same.comparison == three.comparison
    for before, after in zip(two.samples.values(), three.samples.values(), strict=True):
        texts = outputs(after)
        assert {key: answers[:2] for key, answers in texts.items()} == outputs(before)
        differing = [key for key, answers in texts.items() if len(set(answers)) > 1]
        assert len(differing) >= 3, "repeats drew the same text nearly everywhere"
    results = three.comparison.comparisons[0].results
    assert all(r.over_repeats is not None and r.over_repeats.repeats == 3 for r in results)


def test_repeats_are_drawn_again_as_they_were(store: Path, tmp_path: Path) -> None:
    """In another store, all three in one batch: the texts are those that were drawn two and one."""
    _, before = compared(store, 3)
    _, after = compared(tmp_path, 3)
    assert [outputs(s) for s in before.samples.values()] == [outputs(s) for s in after.samples.values()]
