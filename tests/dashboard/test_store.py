"""What a store holds is found wherever it lies, and what cannot be read harms nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import fsspec
import pytest

from harness.errors import InputError
from harness.review.catalog import Catalog
from harness.review.overview import build_overview
from harness.review.pairs import ItemFilter, Paired
from harness.review.store import ReviewStore
from tests.dashboard.conftest import Workspace


@pytest.fixture
def copy(workspace: Workspace, tmp_path: Path) -> Path:
    """The store, to be damaged."""
    place = tmp_path / "store"
    shutil.copytree(workspace.store, place, ignore=shutil.ignore_patterns("completions.sqlite*"))
    return place


def look(place: Path | str) -> Catalog:
    return ReviewStore(str(place), Path.cwd(), {}).catalog()


def run_of(catalog: Catalog, name: str) -> str:
    return next(run.id for run in catalog.runs.values() if run.candidate.name == name and run.suite == "medical")


def test_an_empty_or_missing_store_is_empty_and_no_error(tmp_path: Path) -> None:
    assert look(tmp_path).empty
    assert look(tmp_path / "not there").empty


def test_the_newest_comparison_of_a_suite_is_the_latest(copy: Path) -> None:
    before = look(copy).latest()["medical"].id
    run = next(copy.glob("lora_model_medical-medical-*"))
    manifest = json.loads((run / "run.json").read_text())
    newer = copy / "comparisons" / "medical-ffffffffffff"
    shutil.copytree(copy / "comparisons" / before, newer)
    content = json.loads((newer / "comparison.json").read_text()) | {"id": newer.name}
    ids = {"base": f"{run.name}x", "candidate": f"{run.name}x"}
    content["comparisons"] = [content["comparisons"][0] | {"run_ids": ids}]
    (newer / "comparison.json").write_text(json.dumps(content))
    later = copy / f"{run.name}x"
    shutil.copytree(run, later)
    (later / "run.json").write_text(json.dumps(manifest | {"id": later.name, "created": "2099-01-01T00:00:00Z"}))
    catalog = look(copy)
    assert catalog.latest()["medical"].id == newer.name
    (suite,) = [one for one in build_overview(catalog).suites if one.suite == "medical"]
    assert suite.older == 1


def test_a_comparison_of_a_newer_schema_says_which_version_to_install(copy: Path) -> None:
    (file,) = copy.glob("comparisons/medical-*/comparison.json")
    content = json.loads(file.read_text()) | {"schema": 2, "harness_version": "9.1.0", "novelty": {}}
    file.write_text(json.dumps(content))
    catalog = look(copy)
    (fault,) = catalog.faults
    assert (fault.kind, fault.detail) == ("newer", "9.1.0")
    assert {one.suite for one in catalog.comparisons} == {"same", "five", "hostile"}


@pytest.mark.parametrize(
    ("file", "damage", "kind"),
    [
        ("samples.parquet", None, "missing"),
        ("run.json", None, "missing"),
        ("samples.parquet", b"PAR1 cut sho", "damaged"),
        ("run.json", b'{"schema_version": 1, "id"', "damaged"),
    ],
)
def test_a_run_with_a_missing_or_broken_file_is_told_and_the_others_stand(
    copy: Path, file: str, damage: bytes | None, kind: str
) -> None:
    whole = look(copy)
    broken = run_of(whole, "lora_model_medical")
    if damage is None:
        (copy / broken / file).unlink()
    else:
        (copy / broken / file).write_bytes(damage)
    catalog = look(copy)
    (fault,) = catalog.faults
    assert (fault.name, fault.kind) == (broken, kind)
    assert len(catalog.runs) == len(whole.runs) - 1
    assert len(catalog.comparisons) == len(whole.comparisons), "the numbers stand without the answers"


def test_a_file_that_breaks_between_listing_and_reading_is_an_error_with_its_run(copy: Path) -> None:
    store = ReviewStore(str(copy), Path.cwd(), {})
    catalog = store.catalog()
    base, candidate = run_of(catalog, "base"), run_of(catalog, "lora_model_medical")
    (copy / candidate / "samples.parquet").write_bytes(b"PAR1" + b"\0" * 64 + b"PAR1")
    with pytest.raises(InputError, match=candidate):
        store.pairs.counts(Paired(base, candidate, "medical-qa", "exact"))


def test_numbers_of_a_comparison_stand_when_its_runs_were_pruned(copy: Path) -> None:
    for run in copy.glob("*-medical-*"):
        shutil.rmtree(run)
    catalog = look(copy)
    (suite,) = [one for one in build_overview(catalog).suites if one.suite == "medical"]
    assert suite.runs_gone
    assert [card.outlook for card in suite.cards] == ["lost_ability", "better"]


def test_a_store_behind_a_url_reads_as_a_folder_does(workspace: Workspace) -> None:
    memory = fsspec.filesystem("memory")
    try:
        memory.put(f"{workspace.store}/", "memory://far/store/", recursive=True)
        far, here = ReviewStore("memory://far/store", workspace.folder, {}), workspace.open()
        assert list(far.catalog().runs) == list(here.catalog().runs)
        runs = run_of(here.catalog(), "base"), run_of(here.catalog(), "lora_model_medical")
        paired = Paired(*runs, "general-retention", "exact")
        wanted = ItemFilter("lost")
        assert far.pairs.page(paired, wanted, offset=0, limit=9) == here.pairs.page(paired, wanted, offset=0, limit=9)
    finally:
        memory.rm("/far", recursive=True)


def test_a_store_that_cannot_be_written_is_read(copy: Path) -> None:
    for path in [copy, *copy.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
        store = ReviewStore(str(copy), Path.cwd(), {})
        catalog = store.catalog()
        runs = run_of(catalog, "base"), run_of(catalog, "lora_model_medical")
        assert store.pairs.counts(Paired(*runs, "general-retention", "exact"))["lost"] > 0
        assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before, "nothing was written"
    finally:
        for path in [copy, *copy.rglob("*")]:
            path.chmod(0o755)


def test_a_folder_with_wildcards_in_its_name_is_read(copy: Path, tmp_path: Path) -> None:
    odd = tmp_path / "runs [old] *"
    copy.rename(odd)
    store = ReviewStore(str(odd), Path.cwd(), {})
    catalog = store.catalog()
    runs = run_of(catalog, "base"), run_of(catalog, "lora_model_medical")
    assert store.pairs.counts(Paired(*runs, "general-retention", "exact"))["all"] == 120
