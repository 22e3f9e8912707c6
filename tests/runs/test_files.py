"""Run files: immutable, whole or absent, readable by others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from harness.errors import InputError
from harness.runs.files import CandidateRecord, RunManifest, RunStore, now
from harness.runs.samples import Sample
from harness.scorers.base import Score


def sample(item: str, output: str, *, task: str = "qa", metric: str = "exact", value: float | None = 1.0) -> Sample:
    return Sample(
        task, item, f"digest-{item}", 0, "prompt", output, "stop", 3, 2, 0.5, "", f"key-{item}",
        slices={"topic": "内科"}, scores={metric: Score(metric, value, output or None, "")},
    )  # fmt: skip


def manifest(name: str = "base") -> RunManifest:
    return RunManifest(
        id="", created=now(), suite="medical", suite_digest="s", tasks=(), engine="transformers", engine_version="1",
        candidate=CandidateRecord(name=name, kind="model", model="m", digest="d", path="p"), status="complete",
    )  # fmt: skip


SAMPLES = [
    sample("a", "头孢"),
    sample("b", "", value=0.0),
    sample("c", "half a pair \ud800", metric="rouge1", value=None, task="other"),
]


def test_a_run_reads_back_as_it_was_written(tmp_path: Path) -> None:
    store = RunStore(str(tmp_path))
    run_id = store.write_run(manifest(), SAMPLES)
    found, samples = store.read_run(run_id)
    assert found.id == run_id
    assert samples[:2] == SAMPLES[:2]
    assert samples[2].output == "half a pair ?"
    assert samples[2].scores["rouge1"].value is None
    assert set(samples[0].scores) == {"exact"}


def test_the_same_content_is_the_same_run_and_is_not_written_again(tmp_path: Path) -> None:
    store = RunStore(str(tmp_path))
    first = store.write_run(manifest(), SAMPLES)
    stamp = (tmp_path / first / "samples.parquet").stat().st_mtime_ns
    assert store.write_run(manifest(), SAMPLES) == first
    assert (tmp_path / first / "samples.parquet").stat().st_mtime_ns == stamp
    assert store.write_run(manifest(), [sample("a", "other"), *SAMPLES[1:]]) != first


def test_no_temporary_folder_is_left_or_listed(tmp_path: Path) -> None:
    store = RunStore(str(tmp_path))
    run_id = store.write_run(manifest(), SAMPLES)
    (tmp_path / ".broken.123.abc").mkdir()
    (tmp_path / "half").mkdir()
    assert store.list_runs() == [run_id]
    assert sorted(p.name for p in (tmp_path / run_id).iterdir()) == ["run.json", "samples.parquet"]


def test_duckdb_or_pandas_reads_a_run_without_this_project(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    run_id = RunStore(str(tmp_path)).write_run(manifest(), SAMPLES)
    table = pq.read_table(tmp_path / run_id / "samples.parquet")
    assert table.column("score_exact").to_pylist() == [1.0, 0.0, None]
    assert table.column("extracted_exact").to_pylist() == ["头孢", None, None]
    assert table.column("latency").to_pylist() == [0.5] * 3


def test_a_store_at_an_fsspec_url(tmp_path: Path) -> None:
    store = RunStore("memory://runs")
    run_id = store.write_run(manifest(), SAMPLES)
    assert store.list_runs() == [run_id]
    assert store.read_run(run_id)[1][0] == SAMPLES[0]


def test_an_unknown_run_suggests_the_nearest(tmp_path: Path) -> None:
    store = RunStore(str(tmp_path))
    run_id = store.write_run(manifest(), SAMPLES)
    with pytest.raises(InputError, match=f"Did you mean '{run_id}'"):
        store.read_run(run_id[:-1])


def test_a_damaged_run_is_named(tmp_path: Path) -> None:
    store = RunStore(str(tmp_path))
    run_id = store.write_run(manifest(), SAMPLES)
    (tmp_path / run_id / "samples.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(InputError, match="cannot be read"):
        store.read_run(run_id)


def test_a_store_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        RunStore(str(tmp_path / "file" / "runs")).write_run(manifest(), SAMPLES)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_writing_a_run_does_not_import_pandas(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from harness.runs.files import RunStore\n"
        "from tests.runs.test_files import SAMPLES, manifest\n"
        f"RunStore({str(tmp_path)!r}).write_run(manifest(), SAMPLES)\n"
        "assert 'pandas' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_a_store_of_an_unknown_kind_says_what_to_give(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "list", "--store", "nofs://bucket/runs"]) == 2
    assert "--store nofs://bucket/runs: the store cannot be opened" in capsys.readouterr().err


def test_the_dashboard_announces_no_address_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboard", "--store", "nofs://bucket", "--no-browser"]) == 2
    assert "http://" not in capsys.readouterr().out
