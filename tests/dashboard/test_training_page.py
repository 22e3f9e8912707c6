"""Training: lineages as the trainer wrote them, and a sweep read back from the store."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.candidates.lineage import FILE_NAME, Lineage
from harness.candidates.workspace import load_workspace
from harness.report.words import EN
from harness.review.settings import Settings
from harness.review.store import ReviewStore
from harness.review.training import Trainings, build_trainings
from harness.review.training_charts import MOST_LOSSES, delta_chart, kl_chart, loss_chart
from harness.review.words import page_words
from tests.dashboard.conftest import ROOT, dashboard, harness
from tests.dashboard.test_pages import Open, text, visit

__all__ = ["visit"]

MODELS = ROOT / "harness" / "demo" / "models"
#: What `harness train sft` wrote of a training of forty steps on the demo's base.
RECORDED = Path(__file__).with_name("lineage.json")
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's two adapters as two points of a sweep, asked in one comparison; and one of unknown origin."""
    folder = tmp_path_factory.mktemp("trained")
    entries: dict[str, dict[str, str]] = {"base": {"model": str(MODELS / "base")}}
    mixes = {"lora_model_medical": {"medical": 1, "general": 0}, "lora_model_medical_mix": {"medical": 1, "general": 1}}
    for name, mix in mixes.items():
        shutil.copytree(MODELS / name, folder / name)
        lineage = json.loads(RECORDED.read_text(encoding="utf-8"))
        lineage["config"] |= {"name": name, "mix": mix}
        lineage["name"] = name
        (folder / name / FILE_NAME).write_text(json.dumps(lineage), encoding="utf-8")
        entries[name] = {"base": "base", "adapter": name}
    entries["notebook"] = {"base": "base", "adapter": str(MODELS / "lora_model_medical")}
    (folder / "harness.yaml").write_text(yaml.safe_dump({"candidates": entries}), encoding="utf-8")
    harness(
        ("compare", "base", *mixes, "--suite", "medical", "--limit", "25", "--engine", "transformers"), folder=folder
    )
    return folder


def trainings(folder: Path) -> Trainings:
    return build_trainings(load_workspace(folder), ReviewStore(str(folder / "runs"), folder, {}).catalog(now=True))


def test_candidates_come_with_their_lineage_and_those_without_are_named(yard: Path) -> None:
    found = trainings(yard)
    assert {one.name for one in found.trained} == {"lora_model_medical", "lora_model_medical_mix"}
    assert found.unknown == ("notebook",)
    assert not found.faults


def test_a_sweep_is_found_in_the_store_with_its_front(yard: Path) -> None:
    (stored,) = trainings(yard).sweeps
    points = {point.candidate: point for point in stored.sweep.points}
    assert points["lora_model_medical"].settings == {"mix": "1:0"}
    assert points["lora_model_medical_mix"].front, "it kept what the other lost"
    assert points["lora_model_medical_mix"].worst.delta > points["lora_model_medical"].worst.delta


def test_trainings_that_differ_in_more_than_a_sweep_varies_are_none(yard: Path, tmp_path: Path) -> None:
    copy = tmp_path / "yard"
    shutil.copytree(yard, copy)
    path = copy / "lora_model_medical" / FILE_NAME
    lineage = json.loads(path.read_text(encoding="utf-8"))
    lineage["config"]["max_steps"] = 7
    path.write_text(json.dumps(lineage), encoding="utf-8")
    for run in (copy / "runs").glob("lora_*/run.json"):  # the runs name the folders of the original
        run.write_text(run.read_text(encoding="utf-8").replace(str(yard), str(copy)), encoding="utf-8")
    assert len(trainings(copy).trained) == 2
    assert trainings(copy).sweeps == ()


def test_a_broken_lineage_is_said_and_the_others_are_shown(yard: Path, tmp_path: Path) -> None:
    copy = tmp_path / "yard"
    shutil.copytree(yard, copy)
    (copy / "lora_model_medical" / FILE_NAME).write_text("{", encoding="utf-8")
    newer = json.loads((copy / "lora_model_medical_mix" / FILE_NAME).read_text(encoding="utf-8")) | {
        "schema": 9,
        "x": 1,
    }
    shutil.rmtree(copy / "runs")
    assert [fault.kind for fault in trainings(copy).faults] == ["damaged"]
    assert len(trainings(copy).trained) == 1
    (copy / "lora_model_medical_mix" / FILE_NAME).write_text(json.dumps(newer), encoding="utf-8")
    assert {fault.kind for fault in trainings(copy).faults} == {"damaged", "newer"}


def test_curves_share_their_axis_and_a_long_log_is_thinned(yard: Path) -> None:
    lineage = Lineage.model_validate_json(RECORDED.read_text(encoding="utf-8"))
    say = page_words("en")
    charts = [loss_chart(lineage, say), delta_chart(lineage, EN, say), kl_chart(lineage, say)]
    domains = [_domain(chart.to_dict()) for chart in charts if chart is not None]
    assert len(domains) == 3
    assert domains[0] == domains[1] == domains[2]
    first = lineage.losses[0]
    long = lineage.model_copy(
        update={"losses": tuple(first.model_copy(update={"step": step}) for step in range(1, 20_001))}
    )
    drawn = loss_chart(long, say)
    assert drawn is not None
    assert max(len(rows) for rows in drawn.to_dict()["datasets"].values()) <= MOST_LOSSES
    bad = lineage.model_copy(update={"losses": (first.model_copy(update={"loss": float("nan")}),), "selection": None})
    assert loss_chart(bad, say) is None
    assert delta_chart(bad, EN, say) is None
    assert kl_chart(bad, say) is None


def _domain(chart: dict[str, Any]) -> list[float]:
    return next(
        layer["encoding"]["x"]["scale"]["domain"]
        for layer in chart["layer"]
        if layer.get("encoding", {}).get("x", {}).get("scale")
    )  # type: ignore[no-any-return]


def test_the_page_shows_the_choice_and_the_lineage_and_hostile_words_stay_text(
    visit: Open, yard: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "yard"
    shutil.copytree(yard, copy)
    path = copy / "lora_model_medical_mix" / FILE_NAME
    lineage = json.loads(path.read_text(encoding="utf-8"))
    lineage |= {"device": EVIL, "finished": "2030-01-01T00:00:00+00:00", "gpu_hours": 1.5, "peak_memory": 3 * 2**30}
    lineage["selection"]["why"] = EVIL
    leak = {"goldset": EVIL, "digest": "d", "items": 80, "verbatim": 2, "near": 1, "allowed": True}
    lineage["leaks"] = [leak]
    path.write_text(json.dumps(lineage), encoding="utf-8")
    app = visit(Settings(store=str(copy / "runs"), folder=copy, language="en"), "training")
    bodies = "".join(str(element.proto.body) for element in app.main.get("html"))
    assert "<img" not in bodies
    assert "&lt;img src=x" in bodies
    shown = text(app)
    assert "3 of the 80 items" in shown
    assert "trained on in spite of it" in shown
    assert "3.0 GiB" in shown
    assert "1.50" in shown
    assert "Without a lineage, so nothing is known of how they were trained: notebook" in shown


def test_a_folder_where_nothing_was_trained_says_how(visit: Open, tmp_path: Path) -> None:
    shown = text(visit(Settings(store=str(tmp_path / "runs"), folder=tmp_path, language="en"), "training"))
    assert "harness train sft" in shown
    (tmp_path / "harness.yaml").write_text("candidats: {}\n", encoding="utf-8")
    wrong = text(visit(Settings(store=str(tmp_path / "runs"), folder=tmp_path, language="en"), "training"))
    assert "candidats" in wrong


def test_the_charts_are_drawn_in_a_browser(page: Any, yard: Path) -> None:
    with dashboard(yard, "--store", str(yard / "runs")) as served:
        page.goto(f"{served.url}/training?lang=en")
        page.wait_for_selector(".hx-facts", timeout=60_000)
        page.get_by_text("Sweep: medical").wait_for()
        page.wait_for_function(
            "document.querySelectorAll('[data-testid=stVegaLiteChart] svg').length >= 4", timeout=60_000
        )
