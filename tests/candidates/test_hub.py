"""Models of ModelScope through its own client: from a hub on this machine, then from the cache without it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gold.importers.local_hub import Dataset, LocalHub

MODEL = Path(__file__).resolve().parents[2] / "harness" / "demo" / "models" / "base"
SHOW = ["candidates", "show", "ms:org/tiny"]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    hub = LocalHub(tmp_path)
    files = {path.name: path.read_bytes() for path in MODEL.iterdir() if path.is_file()}
    whole = Dataset({"a" * 40: files | {"pytorch_model.bin": b"x", "old.gguf": b"x"}}, {"master": "a" * 40})
    hub.datasets = {"org/tiny": whole, "org/closed": Dataset(whole.commits, whole.branches, gated=True)}
    yield hub
    hub.stop()


def test_nothing_of_a_hub_is_imported_before_it_is_asked() -> None:
    code = (
        "import sys, harness.candidates.hub, harness.gold.hub, harness.candidates.reference\n"
        "assert not {'modelscope', 'modelscope_hub', 'huggingface_hub', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_model_of_modelscope_and_what_is_left_of_it_without_a_connection(hub: LocalHub) -> None:
    shown, absent, closed = hub.run(
        SHOW, ["candidates", "show", "ms:org/absent"], ["candidates", "show", "ms:org/closed"]
    )
    assert shown.code == 0, shown
    assert str(hub.home / "ms") in shown.out
    for done in (absent, closed):
        assert done.code == 2
        assert "cannot be downloaded" in done.err
        assert done.err.count("\n") == 1, done.err
    assert not [file for file in hub.home.rglob("*") if file.suffix in {".bin", ".gguf"}]

    asked = len(hub.asked)
    (offline,) = hub.run(SHOW, HF_HUB_OFFLINE="1")
    assert (offline.code, offline.out) == (0, shown.out), offline
    assert len(hub.asked) == asked, "offline nobody is asked"
    hub.stop()
    (alone,) = hub.run(SHOW)
    assert (alone.code, alone.out) == (0, shown.out), alone


def test_a_model_and_a_gold_set_of_modelscope_in_one_process(hub: LocalHub) -> None:
    """Their clients read the same variable in two ways."""
    rows = {"qa.csv": b"question,answer\none?,1\n"}
    hub.datasets["org/qa"] = Dataset({"b" * 40: rows}, {"master": "b" * 40})
    gold, shown = hub.run(["goldset", "import", "ms:org/qa", "--as", "qa", "--into", "sets"], SHOW)
    assert (gold.code, shown.code) == (0, 0), (gold, shown)
    assert "INFO" not in gold.err + shown.err


def test_a_model_that_is_not_in_the_cache(hub: LocalHub) -> None:
    (offline,) = hub.run(SHOW, HF_HUB_OFFLINE="1")
    assert offline.code == 2
    assert "'ms:org/tiny' cannot be downloaded" in offline.err
    assert "give a local directory" in offline.err
    assert hub.asked == []
