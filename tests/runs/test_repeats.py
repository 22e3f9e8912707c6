"""Repeats: what is asked, what is asked again, and what is not worth asking."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness import api
from harness.cli import main
from harness.engines._shared import seed_of
from harness.engines.base import Request
from harness.errors import InputError
from harness.runs.drawing import Undrawn, undrawn
from harness.runs.progress import Silent
from tests.test_api import Script, asked, folder, script

__all__ = ["folder", "script"]  # fixtures

SAMPLED = "candidates:\n  b: {model: base}\n  l: {base: b, adapter: lora, sampling: {temperature: 0.4}}\n"
COLD = "candidates:\n  b: {model: base}\n  l: {base: b, adapter: lora, sampling: {temperature: 0}}\n"


def test_greedy_repeats_are_asked_once(folder: Path, script: Script) -> None:
    api.compare(asked(folder))
    once = [request.key for request in script.asked]
    script.asked.clear()
    outcome = api.compare(asked(folder, repeats=3, fresh=True))
    assert [request.key for request in script.asked] == once
    samples = next(iter(outcome.samples.values()))
    assert [s.repeat for s in samples[:3]] == [0, 1, 2]
    assert len({s.completion_key for s in samples[:3]}) == 1


def test_greedy_repeats_use_the_answers_that_were_stored_before(folder: Path, script: Script) -> None:
    api.compare(asked(folder))
    api.compare(asked(folder, repeats=4))
    assert script.starts == 1


def test_the_plan_of_greedy_repeats_counts_each_answer_once(
    folder: Path, script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    command = ["compare", "./base", "./lora", "--suite", "suite.yaml", "--repeats", "3"]
    assert main(command) == 0
    assert "0 stored, 120 to generate" in capsys.readouterr().err
    assert main(command) == 0
    assert "120 stored, 0 to generate" in capsys.readouterr().err


def test_greedy_repeats_warn_in_the_plan_the_run_and_the_comparison(
    folder: Path, script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    assert main(["compare", "./base", "./lora", "--suite", "suite.yaml", "--repeats", "3"]) == 0
    shown = capsys.readouterr()
    warning = (
        "greedy decoding (temperature 0) of ./base, ./lora on capital, sums: the 3 repeats of an item are the same "
        "answer, asked once and counted once; --temperature 0.7 draws different ones, or leave --repeats out"
    )
    for text in (shown.out, shown.err):
        assert warning in re.sub(r"\s+", " ", text), text
    manifests, _ = api.run(asked(folder, "./base", repeats=3))
    assert warning.replace("./base, ./lora", "./base") in manifests[0].warnings


def test_neither_one_answer_nor_a_temperature_warns(folder: Path, script: Script) -> None:
    for options in ({"repeats": 1}, {"repeats": 3, "temperature": 0.7}):
        prepared = api.prepare(asked(folder, **options))
        assert not prepared.plan.undrawn
        assert not [w for w in prepared.plan.warnings if "repeats" in w]


def test_a_candidate_that_decodes_greedily_of_its_own_will_is_told_where_that_stands(
    folder: Path, script: Script
) -> None:
    (folder / "harness.yaml").write_text(COLD)
    (warning,) = api.prepare(asked(folder, "b", "l", repeats=2, temperature=0.7)).plan.undrawn
    assert warning.startswith("greedy decoding (temperature 0) of l on capital, sums")
    assert "harness.yaml" in warning


def test_weighed_options_are_said_to_draw_nothing() -> None:
    (warning,) = undrawn([Undrawn(name, "tcm", weighed=True, own=False) for name in ("a", "b")], 2)
    assert warning.startswith("options are weighed on tcm: nothing is drawn")


def test_a_temperature_goes_before_the_tasks_and_behind_the_candidates(folder: Path, script: Script) -> None:
    suite = (folder / "suite.yaml").read_text().replace("name: sums", "name: sums, generation: {temperature: 0.2}")
    (folder / "suite.yaml").write_text(suite)
    (folder / "harness.yaml").write_text(SAMPLED)

    def temperatures(**options: object) -> list[dict[str, float]]:
        plan = api.prepare(asked(folder, "b", "l", **options)).plan
        return [{a.task: a.request.sampling.temperature for a in planned.asked} for planned in plan.candidates]

    assert temperatures() == [{"capital": 0.0, "sums": 0.2}, {"capital": 0.4, "sums": 0.4}]
    assert temperatures(temperature=0.9) == [{"capital": 0.9, "sums": 0.9}, {"capital": 0.4, "sums": 0.4}]
    assert temperatures(temperature=0.0) == [{"capital": 0.0, "sums": 0.0}, {"capital": 0.4, "sums": 0.4}]


def test_a_temperature_is_recorded_and_its_absence_changes_no_id(folder: Path, script: Script) -> None:
    warm = api.compare(asked(folder, temperature=0.9)).comparison
    assert warm.temperature == 0.9
    assert '"temperature": 0.9' in warm.to_json()
    (manifest,), _ = api.run(asked(folder, "./base", temperature=0.9))
    assert manifest.temperature == 0.9
    plain = api.compare(asked(folder)).comparison
    assert '"temperature"' not in plain.to_json()
    (manifest,), _ = api.run(asked(folder, "./base"))
    assert "temperature" not in manifest.model_dump()
    assert api.prepare(asked(folder)).plan.candidates[0].asked[0].request.sampling.seed == 0


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_an_impossible_temperature_is_refused(folder: Path, script: Script, value: float) -> None:
    with pytest.raises(InputError, match="temperature"):
        api.compare(asked(folder, temperature=value))
    assert script.starts == 0


def drawn(folder: Path, repeats: int, seed: int = 0) -> list[Request]:
    plan = api.prepare(asked(folder, repeats=repeats, temperature=0.8, seed=seed)).plan
    return [a.request for planned in plan.candidates for a in planned.asked]


def test_repeats_draw_with_seeds_of_their_own_that_do_not_depend_on_their_number(folder: Path, script: Script) -> None:
    four, eight = drawn(folder, 4), drawn(folder, 8)
    seeds = [seed_of(request) for request in four]
    assert len(set(seeds)) == len(seeds) == 4 * 60 * 2 * 2
    assert {r.key for r in four} < {r.key for r in eight}
    other = drawn(folder, 4, seed=1)
    assert not {r.key for r in four} & {r.key for r in other}
    assert seeds == [seed_of(request) for request in drawn(folder, 4)]


def test_more_repeats_ask_only_for_those_that_are_new(folder: Path, script: Script) -> None:
    api.compare(asked(folder, repeats=2, temperature=0.8))
    assert {request.repeat for request in script.asked} == {0, 1}
    script.asked.clear()
    api.compare(asked(folder, repeats=3, temperature=0.8))
    assert {request.repeat for request in script.asked} == {2}
    assert len(script.asked) == 240
    script.asked.clear()
    api.compare(asked(folder, repeats=3, temperature=0.8), Silent())
    assert not script.asked
