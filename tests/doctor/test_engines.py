"""Faults of engines: answers that depend on the batch, and two engines that disagree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.doctor.batch_invariance import BatchInvariance
from harness.doctor.engine_parity import EngineParity
from harness.doctor.examination import examine_fully
from harness.doctor.finding import Finding
from harness.doctor.probe import Logprobs, Run, Subject
from harness.engines.base import Completion, Continuation, Engine, Request
from harness.engines.transformers import TransformersEngine
from harness.errors import HarnessError
from harness.runs.runner import engine_spec
from tests.doctor import planting
from tests.doctor.command import PROBES
from tests.doctor.conftest import Clinic, by_probe


class Padded:
    """An engine with a padding fault: in a batch, answers (or log-probabilities) are not those given alone.

    Args:
        adapters: whether only answers of adapters suffer.
    """

    def __init__(self, engine: Engine, *, answers: bool, adapters: bool = True) -> None:
        self._engine, self._answers, self._adapters = engine, answers, adapters
        self.name, self.version = engine.name, engine.version

    def generate(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        hit = {r.key for r in requests if len(requests) > 1 and (r.adapter is not None or not self._adapters)}
        for done in self._engine.generate(requests):
            spoilt = self._answers
            yield [c if c.key not in hit or not spoilt else _garbled(c) for c in done]

    def logprobs(self, continuations: Sequence[Continuation]) -> list[list[float]]:
        found = self._engine.logprobs(continuations)
        if self._answers or len(continuations) == 1:
            return found
        return [
            [v - 0.5 for v in values] if c.adapter or not self._adapters else values
            for c, values in zip(continuations, found, strict=True)
        ]

    def close(self) -> None:
        self._engine.close()


def _garbled(completion: Completion) -> Completion:
    return Completion(completion.key, completion.text + "!", "stop", 1, 1, 0.0)


def invariance(clinic: Clinic, good: Path, monkeypatch: pytest.MonkeyPatch, **fault: bool) -> Finding:
    monkeypatch.setattr(
        "harness.runs.runner.open_engine", lambda choice, spec: Padded(TransformersEngine(spec), **fault)
    )
    plan = clinic.plan(good)
    return BatchInvariance().ask(Subject(plan, 1), Run(*clinic.answered(plan)))


def test_answers_that_change_with_the_batch(clinic: Clinic, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = invariance(clinic, good, monkeypatch, answers=True)
    assert found.status == "fail"
    assert "16 of 16 answers change (0 of the base's)" in found.detail


def test_log_probabilities_that_change_with_the_batch(
    clinic: Clinic, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = invariance(clinic, good, monkeypatch, answers=False)
    assert found.status == "fail"
    assert "0.5 nat/token" in found.detail


def test_a_fault_that_the_base_shares_is_the_engines(
    clinic: Clinic, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = invariance(clinic, good, monkeypatch, answers=True, adapters=False)
    assert found.status == "warn"
    assert "the engine depends on the batch" in found.detail


def parity(clinic: Clinic, here: Path, there: Path) -> Finding:
    """The probe with two transformers engines, one of which holds another copy of the adapter."""
    plan, other_plan = clinic.plan(here), clinic.plan(there)
    runner, answers = clinic.answered(plan)
    own = Subject(plan, 1).engine_adapter()
    adapter = Subject(other_plan, 1).engine_adapter()
    assert own is not None
    assert adapter is not None

    class Misled:
        def __init__(self, engine: TransformersEngine) -> None:
            self.engine = engine

        def logprobs(self, continuations: Sequence[Continuation]) -> list[list[float]]:
            return self.engine.logprobs(
                [Continuation(c.prompt_ids, c.continuation_ids, c.adapter and adapter) for c in continuations]
            )

    @contextmanager
    def other() -> Iterator[tuple[str, Logprobs]]:
        assert not runner.engine_of(1).started, "two engines would be open at once"
        with TransformersEngine(engine_spec(other_plan.groups[0], list(other_plan.candidates), other_plan)) as engine:
            yield "other", Misled(engine)

    return EngineParity().ask(Subject(plan, 1), Run(runner, answers, other))


def test_engines_that_agree(clinic: Clinic, good: Path, tmp_path: Path) -> None:
    assert parity(clinic, good, good).status == "pass"
    # The rounding of bfloat16 weights is no fault.
    assert parity(clinic, good, planting.plant_bfloat16(good, tmp_path / "half")).status != "fail"


@pytest.mark.parametrize("alpha", [0, 16, 64])
def test_an_engine_that_scales_the_adapter_otherwise(clinic: Clinic, good: Path, tmp_path: Path, alpha: float) -> None:
    found = parity(clinic, good, planting.plant_lora_alpha(good, tmp_path / "scaled", alpha))
    assert found.status == "fail"
    assert "transformers and other differ by" in found.detail


def test_without_the_other_engine_parity_is_skipped(
    clinic: Clinic, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.engines.select.installed", lambda: {"torch": "2", "transformers": "5", "peft": "1"})
    plan = clinic.plan(good)
    found = by_probe(examine_fully(plan, *clinic.answered(plan), 1))
    assert list(found) == PROBES
    assert found["engine-parity"].status == "skip"
    assert "not installed" in found["engine-parity"].detail
    assert {f.status for f in found.values()} == {"pass", "skip"}


def test_an_engine_that_fails_costs_only_its_findings(
    clinic: Clinic, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = clinic.plan(good)
    runner, answers = clinic.answered(plan)

    def out_of_memory(*_: object, **__: object) -> list[list[float]]:
        raise HarnessError("out of memory")

    monkeypatch.setattr(runner.engine_of(1), "logprobs", out_of_memory)
    found = by_probe(examine_fully(plan, runner, answers, 1))
    assert found["adapter-has-effect"].status == "warn"
    assert "could not look: out of memory" in found["adapter-has-effect"].detail
    assert found["eos-learned"].status == "pass"


def test_vllm_refusing_an_adapter_is_no_disagreement(clinic: Clinic, good: Path, tmp_path: Path) -> None:
    plan = clinic.plan(planting.plant_alpha_pattern(good, tmp_path / "pattern"))
    found = EngineParity().ask(Subject(plan, 1), Run(*clinic.answered(plan)))
    assert found.status == "skip"
    assert "alpha_pattern" in found.detail
