"""Training in a process of its own, as on a GPU."""

from __future__ import annotations

import os
from multiprocessing.connection import Connection

import pytest

from harness.candidates.lineage import LossPoint, read_lineage
from harness.candidates.workspace import load_workspace
from harness.errors import IncompleteError
from harness.train import training
from harness.train.backends.base import Backend, Job
from harness.train.config import SftConfig, load_config
from harness.train.isolation import carry_out_apart
from harness.train.prepare import Prepared, prepare
from tests.train.conftest import Yard


def prepared(yard: Yard, **settings: object) -> Prepared:
    path = yard.folder / yard.config(**settings)
    return prepare(load_config(path, SftConfig), load_workspace(yard.folder), folder=yard.folder)


def test_it_makes_the_very_same_candidate(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    run = training.Training(prepared(yard, name="here", save_steps=2))
    here = run.finish(run.advance(4, lambda point: None))
    told: list[LossPoint] = []
    monkeypatch.setattr("harness.train.training._carry_out", carry_out_apart)
    run = training.Training(prepared(yard, name="apart", save_steps=2))
    apart = run.finish(run.advance(4, told.append))
    assert [point.loss for point in apart.losses] == [point.loss for point in here.losses]
    assert tuple(told) == apart.losses
    assert apart.seconds > 0
    assert apart.versions == here.versions
    weights = [(yard.folder / "candidates" / n / "adapter_model.safetensors").read_bytes() for n in ("here", "apart")]
    assert weights[0] == weights[1]


def test_what_goes_wrong_there_is_an_error_here(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.train.training._carry_out", carry_out_apart)
    config = yard.config(learning_rate=1e30, warmup_steps=0, max_steps=20, save_steps=1)
    code, _, err = yard("train", "sft", config)
    assert (code, "training has diverged" in err, "learning_rate" in err) == (3, True, True)
    assert read_lineage(yard.folder / "candidates" / "mine") is None


class Faulty:
    """A backend that fails as a library does."""

    name = "faulty"

    def sft(self, job: object, events: object) -> None:
        raise ValueError("no pad token")

    grpo = sft


def test_a_fault_of_a_library_is_told_in_one_line_and_its_traceback_kept(yard: Yard) -> None:
    one = prepared(yard)
    job = training._job(one, 4, None)
    with pytest.raises(RuntimeError, match=r"^ValueError: no pad token$") as caught:
        carry_out_apart(Faulty(), job, training._Clock(training.Training(one)._state, print))  # type: ignore[arg-type]
    assert "in sft" in str(caught.value.__cause__)


def _killed(pipe: Connection, backend: Backend, job: Job) -> None:
    os.kill(os.getpid(), 9)


def _broken(pipe: Connection, backend: Backend, job: Job) -> None:
    raise SystemExit(7)


@pytest.mark.parametrize(("target", "code"), [(_killed, "-9"), (_broken, "7")])
def test_a_process_that_dies_is_noticed(yard: Yard, target: object, code: str) -> None:
    """The kernel kills what uses too much memory."""
    one = prepared(yard)
    job = training._job(one, 4, None)
    with pytest.raises(IncompleteError, match=rf"died \(exit code {code}\)"):
        carry_out_apart(one.backend, job, training._Clock(training.Training(one)._state, print), target=target)  # type: ignore[arg-type]
