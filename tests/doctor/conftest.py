"""A trained base, adapters trained from it, and comparisons of them up to the doctor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.candidates.candidate import Candidate, ModelCandidate
from harness.candidates.reference import resolve
from harness.candidates.settings import EngineSettings
from harness.candidates.workspace import load_workspace
from harness.doctor.examination import examine_after, examine_before, examine_fully
from harness.doctor.finding import Finding
from harness.runs.plan import Options, Plan
from harness.runs.planning.making import make_plan
from harness.runs.planning.tasks import load_tasks
from harness.runs.progress import Silent
from harness.runs.runner import Answers, Runner
from harness.runs.store import CompletionStore
from harness.suites.spec import Suite
from tests.doctor import tiny
from tests.doctor.command import Doctor


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`base`, and beside it `good`, trained as it is asked."""
    folder = tmp_path_factory.mktemp("models")
    tiny.make_base(folder / "base")
    tiny.make_lora(folder / "base", folder / "good")
    return folder


@pytest.fixture(scope="session")
def good(models: Path) -> Path:
    return models / "good"


@pytest.fixture(scope="session")
def base(models: Path) -> Path:
    return models / "base"


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of every command on the demo's models."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def no_vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without vLLM engine-parity is skipped, which saves an engine start a command."""
    monkeypatch.setattr("harness.engines.select.installed", lambda: {"torch": "2", "transformers": "5", "peft": "1"})


@pytest.fixture
def doctor(store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, no_vllm: None) -> Doctor:
    """The command with one engine."""
    monkeypatch.setenv("COLUMNS", "1200")
    return Doctor(store, capsys)


class Starts(Silent):
    """Counts engine starts."""

    def __init__(self) -> None:
        self.count = 0

    def starting(self, engine: str, reason: str) -> None:
        self.count += 1


@dataclass
class Clinic:
    """A folder with gold sets and a store, where candidates are compared with the base."""

    folder: Path
    base: Path
    stack: ExitStack
    starts: Starts = field(default_factory=Starts)
    max_tokens: int = 24

    def plan(self, candidate: Path | Candidate, *, engine: str = "transformers", **fields: object) -> Plan:
        """The plan of base against `candidate`; `fields` replace fields of the candidate."""
        workspace = load_workspace(self.folder)
        first = resolve(str(self.base), workspace)
        assert isinstance(first, ModelCandidate)
        second = candidate
        if isinstance(candidate, Path):
            second = resolve(str(candidate), workspace, fallback=first)
        if fields:
            assert isinstance(second, ModelCandidate)
            second = ModelCandidate(**{**vars_of(second), **fields})  # type: ignore[arg-type]
        assert not isinstance(second, Path)
        options = Options(settings=EngineSettings(name=engine))  # type: ignore[arg-type]
        suite = self.suite()
        return make_plan([first, second], suite, load_tasks(suite, self.folder, options), options)

    def suite(self) -> Suite:
        for name, pairs in (("cures", tiny.CURES), ("facts", tiny.FACTS)):
            lines = [json.dumps({"id": f"{name}-{n}", "question": q, "answer": a}) for n, (q, a) in enumerate(pairs)]
            (self.folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
        task = {"scorers": ["exact"], "primary": "exact", "generation": {"max_tokens": self.max_tokens}}
        return Suite.model_validate(
            {
                "name": "clinic",
                "tasks": [
                    {"name": "cures", "role": "target", "goldset": "cures.jsonl", **task},
                    {"name": "facts", "role": "guard", "goldset": "facts.jsonl", **task},
                ],
            }
        )

    def answered(self, plan: Plan) -> tuple[Runner, Answers]:
        store = self.stack.enter_context(CompletionStore(self.folder / "completions.sqlite"))
        runner = self.stack.enter_context(Runner(plan, store, self.starts))
        return runner, runner.answer()

    def before(self, candidate: Path | Candidate, **options: object) -> dict[str, Finding]:
        return by_probe(examine_before(self.plan(candidate, **options), 1))  # type: ignore[arg-type]

    def after(self, candidate: Path | Candidate, **options: object) -> dict[str, Finding]:
        plan = self.plan(candidate, **options)  # type: ignore[arg-type]
        return by_probe(examine_after(plan, *self.answered(plan), 1))

    def fully(self, candidate: Path | Candidate, **options: object) -> dict[str, Finding]:
        plan = self.plan(candidate, **options)  # type: ignore[arg-type]
        return by_probe(examine_fully(plan, *self.answered(plan), 1))


def vars_of(candidate: ModelCandidate) -> dict[str, object]:
    return {name: getattr(candidate, name) for name in ModelCandidate.__dataclass_fields__}


def by_probe(findings: list[Finding]) -> dict[str, Finding]:
    found = {finding.probe: finding for finding in findings}
    assert len(found) == len(findings), "one finding for each probe"
    return found


@pytest.fixture
def clinic(tmp_path: Path, base: Path) -> Iterator[Clinic]:
    with ExitStack() as stack:
        yield Clinic(tmp_path, base, stack)


@pytest.fixture(scope="session")
def trained(models: Path) -> Callable[..., Path]:
    """Adapters trained otherwise, each once a session."""

    def train(name: str, **options: object) -> Path:
        folder = models / name
        if not folder.exists():
            tiny.make_lora(models / "base", folder, **options)  # type: ignore[arg-type]
        return folder

    return train
