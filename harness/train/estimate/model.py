"""From what a user writes to a model whose memory can be estimated; nothing but headers is read of its weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.candidates.adapter import StoredTensor, model_tensors
from harness.candidates.candidate import ModelCandidate
from harness.candidates.hub import HUBS, download
from harness.candidates.reference import resolve
from harness.candidates.tokenizer import read_json
from harness.candidates.workspace import Workspace
from harness.errors import InputError, did_you_mean
from harness.train.estimate.shape import ModelShape, shape_of
from harness.train.estimate.sizes import SIZES, is_size

CONFIG = "config.json"
_INDEX = "model.safetensors.index.json"


@dataclass(frozen=True)
class Model:
    """A model, without its weights.

    Attributes:
        source: where its shape is from.
        parameters: counted in the headers of its weights where they are here, else from its shape.
        stored: parameters on disk by safetensors' name of their type; empty where no weights are here.
        packed_bytes: what the weights take that are quantised already on disk, None for others.
    """

    name: str
    source: str
    shape: ModelShape
    parameters: int
    stored: Mapping[str, int]
    packed_bytes: int | None = None


def find_model(reference: str, workspace: Workspace) -> Model:
    """The model that `reference` names.

    Args:
        reference: a name in harness.yaml, a model or adapter folder, a config.json, `hf:…` or `ms:…` (of which only the
            config is downloaded), or a size of Qwen2.5 such as `7b`.

    Raises:
        InputError: there is no such model, or its config is not understood.
    """
    path = workspace.here / reference
    if workspace.entry(reference) is None:
        if reference.startswith(HUBS):
            return read_model(reference, download(reference, only=(CONFIG,)))
        if path.is_file():
            return _described(reference, read_json(path), str(path))
        if (path / CONFIG).is_file():
            return read_model(reference, path)
        if not path.exists() and ":" not in reference:
            return _of_size(reference, workspace)
    found = resolve(reference, workspace)
    if not isinstance(found, ModelCandidate):
        raise InputError(f"{reference!r} is a recording: it has no weights")
    return read_model(reference, found.model)


def read_model(name: str, folder: Path) -> Model:
    """The model in a folder, with the weights that are there.

    Raises:
        InputError: its config is missing or not understood, or its weights are broken.
    """
    config = read_json(folder / CONFIG)
    if not config:
        raise InputError(f"has no {CONFIG}", where=str(folder))
    model = _described(name, config, str(folder / CONFIG))
    tensors = _whole_weights(folder)
    if not tensors:
        return model
    if "quantization_config" in config:
        packed = sum(tensor.size for tensor in tensors.values())
        return Model(name, model.source, model.shape, model.shape.parameters, {}, packed)
    if model.shape.tied:  # some files hold the one matrix twice
        tensors = {name: tensor for name, tensor in tensors.items() if not name.endswith("lm_head.weight")}
    stored: Counter[str] = Counter()
    for tensor in tensors.values():
        stored[tensor.dtype] += tensor.numbers
    return Model(name, str(folder), model.shape, stored.total(), dict(stored))


def _described(name: str, config: Mapping[str, Any], where: str) -> Model:
    shape = shape_of(config, where)
    return Model(name, where, shape, shape.parameters, {})


def _of_size(reference: str, workspace: Workspace) -> Model:
    size = SIZES.get(reference.lower())
    if size is not None:
        return _described(f"Qwen2.5-{reference.upper()}", size.config, size.source)
    if is_size(reference):
        raise InputError(
            f"no Qwen2.5 has the size {reference!r}",
            remedy=f"Sizes: {', '.join(SIZES)}. For other models give a config.json.",
        )
    remedy = did_you_mean(reference, (*workspace.content.candidates, *SIZES))
    if reference.count("/") == 1 and not reference.startswith("."):
        remedy = f"For a model of a hub write hf:{reference} or ms:{reference}."
    raise InputError(
        f"there is no model {reference!r}",
        remedy=f"{remedy} A model folder, a config.json or a size such as 7b will do.",
    )


def _whole_weights(folder: Path) -> dict[str, StoredTensor]:
    """The tensors on disk; none where a shard is missing, as in a cache that holds half a download."""
    index = read_json(folder / _INDEX).get("weight_map") or {}
    if any(not (folder / shard).is_file() for shard in set(index.values())):
        return {}
    return model_tensors(folder)
