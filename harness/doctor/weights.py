"""What an adapter's weights and names say without loading it into anything.

Tensors are looked at as raw bytes: NumPy knows no bfloat16, and torch takes seconds to import.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.candidates.adapter import WEIGHTS, AdapterFolder, model_shapes

#: safetensors type -> (unsigned integer of its width, everything but the sign, the exponent).
_BITS: Mapping[str, tuple[str, int, int]] = {
    "F64": ("<u8", 0x7FFF_FFFF_FFFF_FFFF, 0x7FF0_0000_0000_0000),
    "F32": ("<u4", 0x7FFF_FFFF, 0x7F80_0000),
    "F16": ("<u2", 0x7FFF, 0x7C00),
    "BF16": ("<u2", 0x7FFF, 0x7F80),
}
_CHUNK = 1 << 20
_PART = re.compile(r"\.?(lora_A|lora_B|lora_embedding_A|lora_embedding_B)(\.|$)")
_TOWER = re.compile(
    r"(^|\.)(visual|vision_tower|vision_model|vision_encoder|multi_modal_projector|mm_projector|audio_tower)(\.|$)"
)


@dataclass(frozen=True, slots=True)
class _Tensor:
    dtype: str
    begin: int
    end: int


@dataclass
class LoraModule:
    """The matrices of one adapted layer, by tensor name."""

    a: list[str] = field(default_factory=list)
    b: list[str] = field(default_factory=list)


class AdapterWeights:
    """The tensors of an adapter: adapted layers, and everything else.

    Attributes:
        modules: adapted layers by name (without PEFT's prefix).
        others: tensors that are no LoRA matrices: whole modules, biases, magnitudes, embeddings.
    """

    def __init__(self, adapter: AdapterFolder) -> None:
        self._path = adapter.path / WEIGHTS
        self._tensors, self._start = _header(self._path)
        self.modules: dict[str, LoraModule] = {}
        self.others: list[str] = []
        for name in self._tensors:
            found = _PART.search(name)
            if found is None:
                self.others.append(name)
                continue
            layer = name[: found.start()].removeprefix("base_model.model.")
            module = self.modules.setdefault(layer, LoraModule())
            (module.a if found[1].endswith("A") else module.b).append(name)

    def dead(self) -> list[str]:
        """Adapted layers whose product is zero, because one of their matrices is all zeros."""
        return [
            layer
            for layer, module in self.modules.items()
            if module.b and (all(map(self.zero, module.b)) or (module.a and all(map(self.zero, module.a))))
        ]

    def zero(self, name: str) -> bool:
        """Whether every number of a tensor is zero; False for types that are not floating point."""
        kind = _BITS.get(self._tensors[name].dtype)
        return kind is not None and not any(np.any(chunk & kind[1]) for chunk in self._chunks(name, kind[0]))

    def broken(self) -> list[str]:
        """Tensors that begin with infinities or NaN. What breaks a training step breaks whole tensors at once, so the
        first numbers tell."""
        found = []
        for name, tensor in self._tensors.items():
            kind = _BITS.get(tensor.dtype)
            if kind is None:
                continue
            first = next(self._chunks(name, kind[0], 4096), None)
            if first is not None and np.any((first & kind[2]) == kind[2]):
                found.append(name)
        return found

    def _chunks(self, name: str, dtype: str, size: int = _CHUNK) -> Iterator[npt.NDArray[Any]]:
        tensor = self._tensors[name]
        width = np.dtype(dtype).itemsize
        with self._path.open("rb") as file:
            file.seek(self._start + tensor.begin)
            left = (tensor.end - tensor.begin) // width
            # A little first: trained matrices show it at once.
            step = min(size, 4096)
            while left > 0:
                count = min(step, left)
                yield np.frombuffer(file.read(count * width), dtype=dtype)
                left -= count
                step = size


def _header(path: Path) -> tuple[dict[str, _Tensor], int]:
    # `AdapterFolder.open` has checked that the file is whole.
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return {name: _Tensor(t["dtype"], *t["data_offsets"]) for name, t in header.items()}, 8 + length


def is_tower(layer: str) -> bool:
    """Whether a layer belongs to a vision or audio tower, or to what connects it."""
    return _TOWER.search(layer) is not None


def base_layers(model: Path) -> set[str]:
    """Layers of a checkpoint, by `stem`."""
    layers = {stem(name.rpartition(".")[0]) for name in model_shapes(model)}
    if "embed_tokens" in layers:
        layers.add("lm_head")  # not in the file where it is tied to the embeddings
    return layers


def stem(layer: str) -> str:
    """A layer's name without what wrappers put before it; towers stay apart from the language model."""
    if is_tower(layer):
        return layer[_TOWER.search(layer).start() :].lstrip(".")  # type: ignore[union-attr]
    return layer[layer.find("layers.") :] if "layers." in layer else layer.rpartition(".")[2]
