"""Trainings measured while they run, for real, on the demo base and its suite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import api
from harness.candidates.lineage import read_lineage
from harness.gold.goldset import load_goldset
from harness.gold.parts import Part
from harness.runs import runner
from harness.selection import distance, producing
from tests.train.conftest import BASE, Yard

DEMO = BASE.parents[1] / "models"
#: Thirty steps at this rate forget visibly; the suite's own demo gold sets measure it.
SETTINGS: dict[str, Any] = {
    "max_steps": 30,
    "per_device_train_batch_size": 32,
    "learning_rate": 5e-3,
    "eval": {"suite": "small.yaml", "every": 10, "items": 30, "kl_items": 12},
}


@pytest.fixture(autouse=True)
def _suite(yard: Yard) -> None:
    """Eighty easy items of the demo's medicine and general knowledge: what the base knows, and can lose."""
    tasks = []
    for name, role in (("medical-qa", "target"), ("general-retention", "guard")):
        items = [item for item in load_goldset(name).items if item.metadata.get("difficulty") == "easy"][:80]
        yard.write(f"{name}.jsonl", [item.model_dump(mode="json", exclude_defaults=True) for item in items])
        tasks.append(
            {"name": name, "role": role, "goldset": f"{name}.jsonl", "prompt": "{question}",
             "generation": {"max_tokens": 24}, "scorers": ["exact"], "primary": "exact", "margin": 0.05}
        )  # fmt: skip
    text = yaml.safe_dump({"name": "small", "tasks": tasks}, allow_unicode=True)
    (yard.folder / "small.yaml").write_text(text, encoding="utf-8")


def test_a_training_is_measured_chosen_and_tested_once(yard: Yard) -> None:
    code, out, err = yard("train", "sft", yard.config(**SETTINGS))
    assert code == 0, err
    lineage = read_lineage(yard.folder / "candidates" / "mine")
    assert lineage is not None
    selection = lineage.selection
    assert selection is not None
    steps = [one.step for one in selection.during]
    assert steps == list(range(10, 10 * len(steps) + 1, 10))
    assert selection.chosen in {one.step for one in selection.dev} <= set(steps)
    assert lineage.steps == selection.chosen
    assert [score.role for score in selection.test.scores] == ["target", "guard"]
    assert all(score.n == 30 for score in selection.during[0].scores)
    assert selection.dev[0].scores[0].n + selection.test.scores[0].n == 80  # every item is in one of the halves
    moved = [one.kl for one in selection.during]
    assert all(kl is not None and kl > 0 for kl in moved)
    assert f"KL to the base {moved[0]:.4f} nat/token" in out
    # What was reported stands in the store as any comparison does, and says which half it is of.
    stored = yard.folder / "runs" / "comparisons" / selection.comparison / "comparison.json"
    assert json.loads(stored.read_text(encoding="utf-8"))["part"] == "test"
    assert not (yard.folder / "candidates" / "mine.training").exists()


def test_stretches_change_nothing_and_a_lost_guard_stops(yard: Yard) -> None:
    """Medical data alone at a high rate: the demo's guards fall within a few steps."""
    settings = SETTINGS | {"max_steps": 60, "learning_rate": 2e-2, "warmup_steps": 0}
    eager = settings | {"eval": SETTINGS["eval"] | {"items": 40, "kl_items": 0}}
    code, out, err = yard("train", "sft", yard.config(**eager))
    assert code == 0, err
    lineage = read_lineage(yard.folder / "candidates" / "mine")
    assert lineage is not None
    assert lineage.selection is not None
    assert "has regressed" in lineage.selection.stopped
    assert "stopped early: " in out
    assert lineage.selection.during[-1].step < 60
    assert lineage.selection.during[-1].kl is None
    assert not lineage.selection.recommended
    assert "stay with the base" in out
    assert yard("train", "sft", yard.config("plain", **settings | {"eval": None}))[0] == 0
    plain = read_lineage(yard.folder / "candidates" / "plain")
    assert plain is not None
    same = [point.loss for point in plain.losses[: len(lineage.losses)]]
    assert [point.loss for point in lineage.losses] == same


def test_a_stopped_run_asks_nothing_twice(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    config = yard.config(**SETTINGS | {"max_steps": 20, "learning_rate": 1e-4})
    whole, start = producing.choose, runner.open_engine
    started = []

    def counted(*given: Any) -> Any:
        started.append(given)
        return start(*given)

    monkeypatch.setattr(runner, "open_engine", counted)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(producing, "choose", interrupted)
    assert yard("train", "sft", config)[0] == 130
    monkeypatch.setattr(producing, "choose", whole)
    work = yard.folder / "candidates" / "mine.training"
    assert len(started) == 3  # two glances and a closer look, each an engine of its own
    assert sorted(path.name for path in (work / "evaluated").iterdir()) == ["step-10", "step-20"]
    code, out, err = yard("train", "sft", config, "--resume")
    assert code == 0, err
    assert len(started) == 4  # the test half alone was left to ask
    assert "  loss " not in out
    lineage = read_lineage(yard.folder / "candidates" / "mine")
    assert lineage is not None
    assert lineage.selection is not None
    assert [one.step for one in lineage.selection.during] == [10, 20]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"suite": "medicle", "every": 5}, "medicle"),
        ({"suite": "medical", "every": 0}, "eval.every"),
        ({"suite": "medical", "every": 5, "dev": 1.0}, "eval.dev"),
        ({"suite": "medical", "every": 5, "itms": 9}, "Did you mean 'items' or"),
        ({"suite": "guards.yaml", "every": 5}, "has no target"),
        ({"suite": "tiny.yaml", "every": 5}, "cannot be divided"),
    ],
)
def test_what_cannot_be_measured_is_said_before_training(yard: Yard, asked: dict[str, Any], says: str) -> None:
    task = "{name: t, role: ROLE, goldset: few.jsonl, prompt: '{question}', scorers: [exact], primary: exact}"
    for name, role in (("guards", "guard"), ("tiny", "target")):
        (yard.folder / f"{name}.yaml").write_text(f"name: {name}\ntasks:\n  - {task.replace('ROLE', role)}\n")
    yard.write("few.jsonl", [{"question": "a?", "answer": "b"}, {"question": "c?", "answer": "d"}])
    if asked["suite"] == "tiny.yaml":
        yard.write("few.jsonl", [{"question": "a?", "answer": "b"}])
    name = yard.config(eval=asked)
    code, _, err = yard("train", "sft", name)
    assert code == 2
    assert says in err
    assert not (yard.folder / "candidates").exists()


def test_a_leak_of_the_suite_that_measures_is_looked_for(yard: Yard) -> None:
    goldset = load_goldset("medical-qa")
    leaked = [{"instruction": item.text, "output": item.answer[0]} for item in goldset.items[:3]]
    yard.write("leaked.jsonl", leaked * 10)
    code, _, err = yard("train", "sft", yard.config(**SETTINGS | {"data": {"x": "leaked.jsonl"}}))
    assert code == 2
    assert "stand in the training data" in err


def test_halves_are_disjoint_whole_and_keep_paraphrases_together() -> None:
    goldset = load_goldset("general-retention")
    dev, test = (Part(name, 0.5, 7).of(goldset) for name in ("dev", "test"))
    assert {item.id for item in dev} | {item.id for item in test} == {item.id for item in goldset.items}
    assert len(dev) + len(test) == len(goldset.items)
    clusters = [{item.cluster for item in half if item.cluster} for half in (dev, test)]
    assert not clusters[0] & clusters[1]
    assert Part("dev", 0.5, 8).of(goldset) != dev
    assert abs(len(Part("dev", 0.2, 7).of(goldset)) - 84) <= 8


def test_the_distance_grows_with_forgetting_and_is_nought_for_the_base(tmp_path: Path) -> None:
    """The LoRA of medical data alone has moved further on general questions than the one with half general data."""
    found: dict[int, distance.Distance] = {}
    request = api.Request(
        references=("base", "base", "lora_model_medical", "lora_model_medical_mix"),
        suite="medical", limit=4, store=str(tmp_path), demo=True, engine="transformers",
    )  # fmt: skip
    api.compare(request, also=lambda plan, runner, answers: found.update(distance.distances(plan, runner, 40, 1)))
    assert found[1].kl == 0.0
    assert found[2].kl > 2 * found[3].kl > 0
    assert found[2].answers == 8  # four items of each guard
    again: dict[int, distance.Distance] = {}
    api.compare(request, also=lambda plan, runner, answers: again.update(distance.distances(plan, runner, 40, 1)))
    assert again == found
