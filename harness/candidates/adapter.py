"""A PEFT adapter on disk: what it says of itself and whether it is whole.

Only headers are read: a safetensors file states the name, type and shape of every tensor in its first bytes.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.candidates.tokenizer import read_json
from harness.errors import InputError

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")


@dataclass(frozen=True)
class AdapterFolder:
    """A checked adapter directory."""

    path: Path

    @classmethod
    def open(cls, path: Path) -> AdapterFolder:
        """Check that the adapter can be loaded without running code from it.

        Raises:
            InputError: no config, no weights, pickle weights (they can run code when loaded), or truncated weights.
        """
        if not (path / CONFIG).is_file():
            raise InputError(f"has no {CONFIG}: not an adapter directory", where=str(path))
        weights = path / WEIGHTS
        if not weights.is_file():
            pickles = [p.name for p in sorted(path.iterdir()) if p.suffix in _PICKLES]
            if pickles:
                raise InputError(
                    f"holds pickle weights ({pickles[0]}), which can run code when loaded",
                    where=str(path),
                    remedy="Save it again with safe_serialization=True.",
                )
            raise InputError(f"has no {WEIGHTS}", where=str(path), remedy="Was the training stopped before it saved?")
        adapter = cls(path)
        _ = adapter.shapes
        _ = adapter.config
        return adapter

    @cached_property
    def config(self) -> dict[str, Any]:
        """`adapter_config.json`."""
        return read_json(self.path / CONFIG)

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every tensor, by name."""
        return tensor_shapes(self.path / WEIGHTS)

    @property
    def rank(self) -> int:
        """Highest LoRA rank in the adapter (`rank_pattern` may exceed `r`); 0 for other methods."""
        ranks = [self.config.get("r", 0), *(self.config.get("rank_pattern") or {}).values()]
        return max((r for r in ranks if isinstance(r, int)), default=0)

    @property
    def base_name(self) -> str:
        """What training called its base; often a name this machine does not have."""
        return str(self.config.get("base_model_name_or_path") or "")


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """What a safetensors header says of a tensor; `dtype` is its own name (`BF16`), `size` in bytes."""

    dtype: str
    shape: tuple[int, ...]
    size: int

    @property
    def numbers(self) -> int:
        return math.prod(self.shape)


def stored_tensors(path: Path) -> dict[str, StoredTensor]:
    """The tensors of a safetensors file, from its header.

    Raises:
        InputError: the file is shorter than its header says (a copy that broke off), or no safetensors at all.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8:
            raise InputError("is truncated or not a safetensors file", where=str(path), remedy="Copy the file again.")
        try:
            header = json.loads(file.read(length))
            header.pop("__metadata__", None)
            end = max((tensor["data_offsets"][1] for tensor in header.values()), default=0)
            tensors = {
                name: StoredTensor(
                    str(said["dtype"]), tuple(said["shape"]), said["data_offsets"][1] - said["data_offsets"][0]
                )
                for name, said in header.items()
            }
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InputError("has a broken header", where=str(path), remedy="Copy the file again.") from None
    if size != 8 + length + end:
        raise InputError(
            f"is truncated: {size} bytes where its header promises {8 + length + end}",
            where=str(path),
            remedy="Copy the file again.",
        )
    return tensors


def model_tensors(folder: Path) -> dict[str, StoredTensor]:
    """The tensors of a model directory, over all its shards."""
    tensors: dict[str, StoredTensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        tensors.update(stored_tensors(file))
    return tensors


def tensor_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of a safetensors file; raises as `stored_tensors` does."""
    return {name: tensor.shape for name, tensor in stored_tensors(path).items()}


def model_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Tensor shapes of a model directory, over all its shards."""
    return {name: tensor.shape for name, tensor in model_tensors(folder).items()}


def misfit(adapter: AdapterFolder, model: Path) -> str | None:
    """Why the adapter does not fit the base model, by the shapes of the layers it changes; None when it fits.

    LoRA of a weight of shape (out, in) is A of shape (r, in) and B of shape (out, r). Quantised checkpoints store
    packed weights of other shapes, so there only the names are compared.
    """
    base = model_shapes(model)
    if not base:
        return None
    config = read_json(model / "config.json")
    packed = "quantization_config" in config
    for name, shape in adapter.shapes.items():
        for mark, side in ((".lora_A", 1), (".lora_B", 0)):
            if mark not in name or "lora_embedding" in name:
                continue
            layer = name.split(mark)[0].removeprefix("base_model.model.")
            weight = _shape_of(layer, base)
            if weight is None:
                if packed:
                    continue
                return f"the base has no layer {layer!r}"
            if not packed and len(weight) == 2 and len(shape) == 2 and weight[side] != shape[side]:
                want, have = shape[side], weight[side]
                kind = "outputs" if side == 0 else "inputs"
                return f"layer {layer!r} was trained with {want} {kind}, the base has {have}"
    return None


def _shape_of(layer: str, base: dict[str, tuple[int, ...]]) -> tuple[int, ...] | None:
    """Shape of a layer's weight in the checkpoint, whatever prefix it has there."""
    if f"{layer}.weight" in base:
        return base[f"{layer}.weight"]
    wanted = f"{_architecture_free(layer)}.weight"
    found = next((shape for name, shape in base.items() if _architecture_free(name) == wanted), None)
    if found is None and layer.endswith("lm_head"):  # tied to the embedding, the only one of the two on disk
        return next((shape for name, shape in base.items() if name.endswith("embed_tokens.weight")), None)
    return found


def _architecture_free(name: str) -> str:
    """A tensor name from `layers.` on: wrappers put different prefixes before it."""
    return name[name.find("layers.") :] if "layers." in name else name
