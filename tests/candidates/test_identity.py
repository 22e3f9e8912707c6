"""Identity is content: retraining in place is another candidate, moving a folder is not."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from harness.candidates.adapter import AdapterFolder, misfit, model_shapes
from harness.candidates.fingerprint import DigestCache, adapter_digest, model_digest
from harness.digest import digest_file
from harness.errors import InputError


def make_model(folder: Path, *, hidden: int = 8, seed: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    weights = np.random.default_rng(seed).normal(size=(hidden, hidden)).astype(np.float32)
    save_file({"model.layers.0.self_attn.q_proj.weight": weights}, folder / "model.safetensors")
    (folder / "config.json").write_text('{"model_type": "qwen2"}', encoding="utf-8")
    return folder


def make_adapter(folder: Path, *, hidden: int = 8, rank: int = 4, seed: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    stem = "base_model.model.model.layers.0.self_attn.q_proj"
    save_file(
        {
            f"{stem}.lora_A.weight": rng.normal(size=(rank, hidden)).astype(np.float32),
            f"{stem}.lora_B.weight": rng.normal(size=(hidden, rank)).astype(np.float32),
        },
        folder / "adapter_model.safetensors",
    )
    config = {"peft_type": "LORA", "r": rank, "base_model_name_or_path": "some/trained-base", "rank_pattern": {}}
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def test_an_adapter_retrained_in_place_is_another(tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "lora", seed=1)
    before = adapter_digest(AdapterFolder.open(folder))
    size = (folder / "adapter_model.safetensors").stat().st_size
    make_adapter(folder, seed=2)
    assert (folder / "adapter_model.safetensors").stat().st_size == size
    assert adapter_digest(AdapterFolder.open(folder)) != before


def test_a_copied_adapter_is_the_same(tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "lora")
    copy = tmp_path / "elsewhere" / "renamed"
    shutil.copytree(folder, copy)
    assert adapter_digest(AdapterFolder.open(copy)) == adapter_digest(AdapterFolder.open(folder))


def test_base_weights_rewritten_with_the_old_times_are_seen(tmp_path: Path) -> None:
    cache = DigestCache(tmp_path / "digests.sqlite")
    folder = make_model(tmp_path / "base", seed=1)
    weights = folder / "model.safetensors"
    before, stat = model_digest(folder, cache), weights.stat()
    make_model(folder, seed=2)
    os.utime(weights, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert weights.stat().st_size == stat.st_size
    assert weights.stat().st_mtime_ns == stat.st_mtime_ns
    assert model_digest(folder, cache) != before


def test_base_weights_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.candidates import fingerprint

    cache = DigestCache(tmp_path / "digests.sqlite")
    weights = make_model(tmp_path / "base") / "model.safetensors"
    expected = digest_file(weights)
    read: list[Path] = []

    def counted(path: Path) -> str:
        read.append(path)
        return digest_file(path)

    monkeypatch.setattr(fingerprint, "digest_file", counted)
    assert [cache.digest(weights), cache.digest(weights)] == [expected, expected]
    assert read == [weights]


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    weights = make_model(tmp_path / "base") / "model.safetensors"
    assert DigestCache(tmp_path / "file" / "digests.sqlite").digest(weights) == digest_file(weights)


def test_the_configuration_is_part_of_the_model(tmp_path: Path) -> None:
    cache = DigestCache(tmp_path / "digests.sqlite")
    folder = make_model(tmp_path / "base")
    before = model_digest(folder, cache)
    (folder / "config.json").write_text('{"model_type": "qwen2", "rope_theta": 1}', encoding="utf-8")
    assert model_digest(folder, cache) != before


def test_an_adapter_fits_its_base_and_no_other(tmp_path: Path) -> None:
    base, other = make_model(tmp_path / "base"), make_model(tmp_path / "other", hidden=16)
    adapter = AdapterFolder.open(make_adapter(tmp_path / "lora"))
    assert misfit(adapter, base) is None
    found = misfit(adapter, other)
    assert found is not None
    assert "8 inputs, the base has 16" in found


def test_an_adapter_for_a_layer_that_is_not_there_does_not_fit(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    save_file({"model.layers.0.mlp.weight": np.zeros((8, 8), np.float32)}, base / "model.safetensors")
    (base / "config.json").write_text("{}", encoding="utf-8")
    found = misfit(AdapterFolder.open(make_adapter(tmp_path / "lora")), base)
    assert found is not None
    assert "no layer" in found


def test_an_adapter_of_a_tied_output_layer_fits_the_embedding(tmp_path: Path) -> None:
    base, lora = tmp_path / "base", make_adapter(tmp_path / "lora")
    base.mkdir()
    save_file({"model.embed_tokens.weight": np.zeros((32, 8), np.float32)}, base / "model.safetensors")
    (base / "config.json").write_text('{"tie_word_embeddings": true}', encoding="utf-8")
    for outputs, fits in ((32, True), (40, False)):
        tensors = {
            "base_model.model.lm_head.lora_A.weight": np.zeros((4, 8), np.float32),
            "base_model.model.lm_head.lora_B.weight": np.zeros((outputs, 4), np.float32),
        }
        save_file(tensors, lora / "adapter_model.safetensors")
        assert (misfit(AdapterFolder.open(lora), base) is None) == fits


def test_the_rank_is_the_highest_of_the_pattern(tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "lora", rank=4)
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**config, "rank_pattern": {"q_proj": 32}}))
    assert AdapterFolder.open(folder).rank == 32


def test_shapes_are_read_from_the_header_alone(tmp_path: Path) -> None:
    assert model_shapes(make_model(tmp_path / "m")) == {"model.layers.0.self_attn.q_proj.weight": (8, 8)}


@pytest.mark.parametrize("kept", [4, 20, -1])
def test_truncated_weights_are_refused(tmp_path: Path, kept: int) -> None:
    folder = make_adapter(tmp_path / "lora")
    weights = folder / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:kept])
    with pytest.raises(InputError, match="truncated"):
        AdapterFolder.open(folder)
