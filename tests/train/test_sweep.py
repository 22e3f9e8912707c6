"""Several trainings at once: what varies, what is compared, and the front."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.demo import trainset
from harness.errors import InputError
from harness.report.sweep import Measured, SweepPoint, on_front
from harness.train.config import SftConfig
from harness.train.sweep import grid
from tests.train.conftest import Yard

CONFIG = SftConfig.model_validate(
    {"name": "mine", "base": "base", "data": {"medical": "m.jsonl", "general": "g.jsonl"}, "r": 16, "alpha": 32}
)


def test_every_combination_is_a_point_of_its_own() -> None:
    points = grid(CONFIG, mixes=["1:0", "4:1"], ranks=[8, 16], rates=[1e-4])
    assert [point.config.name for point in points] == [
        "mine-mix1_0-r8-lr0.0001",
        "mine-mix1_0-r16-lr0.0001",
        "mine-mix4_1-r8-lr0.0001",
        "mine-mix4_1-r16-lr0.0001",
    ]
    assert points[0].settings == {"mix": "1:0", "r": "8", "lr": "0.0001"}
    assert points[2].config.mix == {"medical": 4.0, "general": 1.0}
    assert [(point.config.r, point.config.lora_alpha) for point in points[:2]] == [(8, 16), (16, 32)]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "varies something"),
        ({"mixes": ["1:1:1"]}, "has 3 shares, the config has 2 sources"),
        ({"mixes": ["a:b"]}, "is no mix"),
        ({"mixes": ["0:0"]}, "every share is 0"),
        ({"ranks": [8, 8]}, "given twice"),
        ({"ranks": [0]}, "greater than or equal to 1"),
    ],
)
def test_a_sweep_that_cannot_be(given: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        grid(CONFIG, **given)


def point(gain: float, kept: float) -> SweepPoint:
    target, guard = (Measured(task=task, delta=d, ci=None, n=1, verdict=None) for task, d in (("t", gain), ("g", kept)))
    return SweepPoint(candidate=f"{gain}", settings={}, target=target, guards=(guard,), worst=guard)


def test_the_front_is_what_no_other_point_beats() -> None:
    points = [point(10, -20), point(8, -5), point(5, 0), point(7, -6), point(5, -1), point(5, 0)]
    assert [on_front(p, points) for p in points] == [True, True, True, False, False, True]


def test_medical_only_forgets_and_the_mix_holds(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo's story, short: each mix is trained, all are asked on one engine, and a second call trains nothing."""
    monkeypatch.setenv("COLUMNS", "200")  # no cell of the table is broken
    trainset.write(yard.folder, 2500)
    settings = {"max_steps": 100, "per_device_train_batch_size": 16}
    config = yard.config(data={"medical": "medical.jsonl", "general": "general.jsonl"}, **settings)
    command = ("train", "sweep", config, "--suite", "medical", "--mix", "1:0,1:1", "--limit", "100", "--json", "s.json")
    code, out, err = yard(*command, "--plot", "s.svg")
    assert code == 0, err
    sweep = json.loads((yard.folder / "s.json").read_text(encoding="utf-8"))
    alone, mixed = sweep["points"]
    assert (alone["settings"], mixed["settings"]) == ({"mix": "1:0"}, {"mix": "1:1"})
    assert alone["guards"][0]["task"] == mixed["guards"][0]["task"] == "general-retention"
    assert alone["guards"][0]["verdict"] == "regressed"
    assert mixed["guards"][0]["verdict"] == "held"
    picture = (yard.folder / "s.svg").read_text(encoding="utf-8")
    assert picture.startswith("<?xml")
    assert "medical:general" in out
    assert "Pareto" in out
    entries = (yard.folder / "harness.yaml").read_text(encoding="utf-8")
    assert "mine-mix1_0:" in entries
    assert "mine-mix1_1:" in entries

    code, out, err = yard(*command, "--plot", "again.svg")
    assert code == 0, err
    assert "step " not in out
    assert err.count("is trained already") == 2
    assert (yard.folder / "again.svg").read_text(encoding="utf-8") == picture


def test_a_fault_shows_before_anything_is_trained(yard: Yard) -> None:
    config = yard.config(data={"medical": "medical.jsonl", "general": "general.jsonl"})
    command = ("train", "sweep", config, "--suite", "medical")
    for more, says in (
        (("--mix", "1:0", "--plot", "s.doc"), "is no kind of picture"),
        (
            (
                "--r",
                "eight",
            ),
            "--r: is no list of numbers",
        ),
        (("--mix", "1:0", "--r", "8,0"), "greater than or equal to 1"),
    ):
        code, _, err = yard(*command, *more)
        assert code == 2
        assert says in err
    assert not (yard.folder / "candidates").exists()
