"""What users write, and which candidate it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.candidates.candidate import ModelCandidate, ReplayCandidate
from harness.candidates.reference import resolve
from harness.candidates.workspace import load_workspace
from harness.errors import InputError
from tests.candidates.test_identity import make_adapter, make_model

YAML = """
candidates:
  base: {model: models/base}
  medical: {base: base, adapter: models/lora, prompt: alpaca, system: 你是医生}
  told: {replay: told.jsonl}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_model(tmp_path / "models" / "base")
    make_adapter(tmp_path / "models" / "lora")
    (tmp_path / "told.jsonl").write_text('{"item_id": "a", "output": "b"}\n', encoding="utf-8")
    (tmp_path / "harness.yaml").write_text(YAML, encoding="utf-8")
    return tmp_path


def model(reference: str, folder: Path, **options: object) -> ModelCandidate:
    found = resolve(reference, load_workspace(folder), **options)  # type: ignore[arg-type]
    assert isinstance(found, ModelCandidate)
    return found


def test_a_name_of_the_workspace(folder: Path) -> None:
    assert model("base", folder).model == folder / "models" / "base"
    medical = model("medical", folder)
    assert medical.model == folder / "models" / "base"
    assert medical.adapter is not None
    assert (medical.prompt, medical.system) == ("alpaca", "你是医生")


def test_recorded_outputs_by_name_and_by_reference(folder: Path) -> None:
    for reference in ("told", "replay:told.jsonl"):
        found = resolve(reference, load_workspace(folder))
        assert isinstance(found, ReplayCandidate)
        assert found.path == folder / "told.jsonl"


def test_a_model_directory_and_an_adapter_directory(folder: Path) -> None:
    assert model("models/base", folder).adapter is None
    assert model("./models/lora", folder, base="models/base").adapter is not None


def test_an_adapter_takes_the_comparisons_base_when_its_own_is_not_here(folder: Path) -> None:
    found = model("./models/lora", folder, fallback=model("base", folder))
    assert found.model == folder / "models" / "base"
    assert found.adapter is not None


def test_an_adapter_without_any_base_asks_for_it(folder: Path) -> None:
    with pytest.raises(InputError, match=r"'some/trained-base', which is not on this machine.*--base PATH"):
        model("./models/lora", folder)


def test_an_adapter_of_another_base_is_refused_by_its_shapes(folder: Path) -> None:
    make_model(folder / "models" / "wide", hidden=16)
    with pytest.raises(InputError, match=r"does not fit the base.*8 inputs, the base has 16"):
        model("./models/lora", folder, base="models/wide")


def test_the_base_option_goes_before_everything(folder: Path) -> None:
    make_model(folder / "models" / "second", seed=7)
    assert model("medical", folder, base="models/second").model == folder / "models" / "second"


def test_a_name_that_is_also_a_folder_is_refused(folder: Path) -> None:
    make_adapter(folder / "medical")
    with pytest.raises(InputError, match=r"also a folder here.*\./medical"):
        model("medical", folder)
    assert model("./medical", folder, base="models/base").adapter is not None


def test_an_entry_named_like_its_own_folder_is_no_second_thing(folder: Path) -> None:
    make_adapter(folder / "mine")
    (folder / "harness.yaml").write_text(YAML + "  mine: {base: base, adapter: mine}\n", encoding="utf-8")
    assert model("mine", folder).adapter is not None


def test_an_entry_may_be_called_like_the_folder_it_names(folder: Path) -> None:
    """`base: {model: base}` once looked itself up for ever."""
    (folder / "models" / "base").rename(folder / "base")
    (folder / "harness.yaml").write_text(
        "candidates:\n  base: {model: base}\n  medical: {base: base, adapter: models/lora}\n", encoding="utf-8"
    )
    assert model("base", folder).model == folder / "base"
    assert model("medical", folder).model == folder / "base"
    assert model("./models/lora", folder, base="base").model == folder / "base"


def test_the_base_option_changes_no_entry_that_is_a_base(folder: Path) -> None:
    make_model(folder / "models" / "second", seed=7)
    assert model("base", folder, base="models/second").model == folder / "models" / "base"


def test_an_unknown_name_suggests_the_nearest(folder: Path) -> None:
    with pytest.raises(InputError, match="Did you mean 'medical'"):
        model("medcal", folder)


def test_without_a_workspace_the_demo_is_never_meant(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no harness\.yaml here.*--demo"):
        model("base", tmp_path)


def test_a_misspelt_key_names_file_and_nearest_key(folder: Path) -> None:
    (folder / "harness.yaml").write_text("candidates:\n  base: {modle: models/base}\n", encoding="utf-8")
    with pytest.raises(
        InputError, match=r"harness\.yaml: unknown key 'candidates\.base\.modle'\. Did you mean 'model'"
    ):
        load_workspace(folder)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("{replay: told.jsonl, model: m}", "stands alone"),
        ("{model: a, base: b}", "not both"),
        ("{system: x}", "needs 'model', 'adapter', 'replay' or 'endpoint'"),
        ("{base: nobody, adapter: models/lora}", "not an entry with a 'model'"),
        ("{model: models/none}", "does not exist"),
    ],
)
def test_an_entry_that_names_nothing_is_refused(folder: Path, entry: str, says: str) -> None:
    (folder / "harness.yaml").write_text(f"candidates:\n  odd: {entry}\n", encoding="utf-8")
    with pytest.raises(InputError, match=says):
        model("odd", folder)


@pytest.mark.parametrize("reference", ["hf:justaname", "ms:a/b/c"])
def test_a_malformed_hub_reference_is_refused(folder: Path, reference: str) -> None:
    with pytest.raises(InputError, match="ORG/NAME"):
        model(reference, folder)


def test_a_hub_model_that_cannot_be_had_offline_says_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(InputError, match="HF_ENDPOINT"):
        model("hf:nobody/nothing", folder)


def test_an_adapter_sits_on_the_very_revision_of_its_base(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its base was once fetched without the revision that the base's own entry names."""
    fetched = []

    def download(reference: str) -> Path:
        fetched.append(reference)
        return folder / "models" / "base"

    monkeypatch.setattr("harness.candidates.reference.download", download)
    (folder / "harness.yaml").write_text(
        "candidates:\n  base: {model: 'hf:org/name', revision: abc}\n  mine: {base: base, adapter: models/lora}\n",
        encoding="utf-8",
    )
    model("base", folder)
    model("mine", folder)
    assert fetched == ["hf:org/name@abc"] * 2
