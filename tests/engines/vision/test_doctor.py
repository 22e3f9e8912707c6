"""All probes of the doctor on questions that are worded alike and differ in their pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.candidates.reference import resolve
from harness.candidates.settings import EngineSettings
from harness.candidates.workspace import load_workspace
from harness.doctor.examination import examine_fully
from harness.doctor.probe import Logprobs
from harness.engines.transformers import TransformersEngine
from harness.runs.plan import Options
from harness.runs.planning.making import make_plan
from harness.runs.progress import Silent
from harness.runs.runner import Runner, engine_spec
from harness.runs.store import CompletionStore
from harness.suites.spec import load_suite
from tests.doctor.command import HEALTHY
from tests.engines.vision.reading import PHOTOS, Workplace, seen


def test_a_healthy_adapter_passes_every_probe(workplace: Workplace, shared_data: Path, tmp_path: Path) -> None:
    (photos,) = (loaded for loaded in seen("odometer") if loaded.task.name == PHOTOS)
    workspace = load_workspace(workplace.folder)
    candidates = [resolve(name, workspace) for name in ("base", "reader")]
    suite = load_suite("odometer")[0].only({PHOTOS})
    options = Options(settings=EngineSettings(name="transformers", dtype="float32"))
    plan = make_plan(candidates, suite, (photos,), options)
    asked = plan.candidates[1].asked
    assert len({a.request.token_ids for a in asked}) == 1 < len(asked), "only the pictures tell them apart"
    with CompletionStore(tmp_path / "completions.sqlite") as store, Runner(plan, store, Silent()) as runner:
        answers = runner.answer()

        @contextmanager
        def another() -> Iterator[tuple[str, Logprobs]]:
            with TransformersEngine(engine_spec(plan.groups[0], list(plan.candidates), plan)) as engine:
                yield "other", engine

        found = {f.probe: f for f in examine_fully(plan, runner, answers, 1, open_other_engine=another)}
    assert {name: finding.status for name, finding in found.items()} == HEALTHY, found
    assert (
        f"asked one at a time, 0 of {len(asked)} answers change (0 of the base's)" in found["batch-invariance"].detail
    )
