"""The embedded demo models: healthy as they are, and each planted fault is found in a comparison of the whole suite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.candidates.candidate import ModelCandidate
from harness.candidates.reference import resolve
from harness.candidates.settings import EngineSettings
from harness.candidates.workspace import load_workspace
from harness.doctor.examination import examine_after
from harness.doctor.finding import Finding
from harness.runs.plan import Options
from harness.runs.planning.making import make_plan
from harness.runs.planning.tasks import load_tasks
from harness.runs.progress import Silent
from harness.runs.runner import Runner
from harness.runs.store import CompletionStore
from harness.suites.spec import load_suite
from tests.doctor import planting
from tests.doctor.conftest import by_probe, vars_of

_ROOT = Path(__file__).resolve().parents[2]
_MODELS = _ROOT / "harness" / "demo" / "models"

LORAS = ["lora_model_medical", "lora_model_medical_mix"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CompletionStore]:
    with CompletionStore(tmp_path_factory.mktemp("store") / "completions.sqlite") as store:
        yield store


def compare(store: CompletionStore, adapter: Path, *, limit: int = 30, **fields: object) -> dict[str, Finding]:
    workspace = load_workspace(_ROOT)
    base = resolve("base", workspace)
    assert isinstance(base, ModelCandidate)
    candidate = resolve(str(adapter), workspace, fallback=base)
    assert isinstance(candidate, ModelCandidate)
    candidate = ModelCandidate(**{**vars_of(candidate), **fields})  # type: ignore[arg-type]
    options = Options(settings=EngineSettings(name="transformers"), limit=limit)
    suite, folder = load_suite("medical", folder=_ROOT)
    plan = make_plan([base, candidate], suite, load_tasks(suite, folder, options), options)
    with ExitStack() as stack:
        runner = stack.enter_context(Runner(plan, store, Silent()))
        return by_probe(examine_after(plan, runner, runner.answer(), 1))


@pytest.mark.parametrize("name", LORAS)
def test_the_demo_is_healthy(store: CompletionStore, name: str) -> None:
    found = compare(store, _MODELS / name)
    base_match = found.pop("base-match")
    assert {probe: f.status for probe, f in found.items()} == {
        "adapter-has-effect": "pass",
        "template-match": "pass",
        "eos-learned": "pass",
    }, found
    assert base_match.status != "fail", base_match


@pytest.mark.parametrize("name", LORAS)
def test_the_demo_names_its_base(store: CompletionStore, name: str) -> None:
    assert compare(store, _MODELS / name)["base-match"].status == "pass"


@pytest.mark.parametrize("name", LORAS)
def test_zero_b_matrices(store: CompletionStore, name: str, tmp_path: Path) -> None:
    found = compare(store, planting.plant_zero_b(_MODELS / name, tmp_path / "zero"))
    assert found["adapter-has-effect"].status == "fail"


@pytest.mark.parametrize("name", LORAS)
def test_another_template_beside_the_adapter(store: CompletionStore, name: str, tmp_path: Path) -> None:
    found = compare(store, planting.plant_template(_MODELS / name, tmp_path / "template"))
    assert found["template-match"].status == "fail", found


@pytest.mark.parametrize("name", LORAS)
@pytest.mark.parametrize("form", ["alpaca", "medical-zh"])
def test_asked_in_another_format_than_trained(store: CompletionStore, name: str, form: str) -> None:
    found = compare(store, _MODELS / name, prompt=form)
    assert found["template-match"].status == "warn", found
    assert "prompt: chat" in found["template-match"].remedy


def test_tokens_with_other_ids(store: CompletionStore, tmp_path: Path) -> None:
    planted = planting.plant_moved_tokens(_MODELS / LORAS[0], tmp_path / "moved", _MODELS / "base")
    assert compare(store, planted)["base-match"].status == "fail"
