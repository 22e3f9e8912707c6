"""Checkpoints quantised ahead of time: the demo base with its linear layers in 4 bits, rounded to nearest.

Real GPTQ and AWQ choose their roundings by calibration; the layout on disk is the same, and that is what loading has to
get right.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Rows that share one scale.
GROUP = 32


def write_packed(source: Path, folder: Path, method: str) -> None:
    """Write the model of `source` to `folder` as a checkpoint of `method` ("gptq" or "awq")."""
    import torch
    from safetensors.torch import load_file, save_file

    pack, settings = _METHODS[method]
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    tensors = {}
    for file in sorted(source.glob("*.safetensors")):
        for name, tensor in load_file(file).items():
            if tensor.ndim == 2 and "_proj." in name:
                packed = pack(tensor.float().T.contiguous())
                tensors |= {f"{name.removesuffix('weight')}{part}": value for part, value in packed.items()}
            else:
                tensors[name] = tensor.to(torch.float16)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": method, "bits": 4, "group_size": GROUP, **settings}
    config["torch_dtype"] = config["dtype"] = "float16"
    (folder / "config.json").write_text(json.dumps(config))


def _pack_gptq(weight: Any) -> dict[str, Any]:
    """AutoGPTQ's layout: symmetric, zero point 8 stored as 7, packed along the inputs. `weight`: (inputs, outputs)."""
    import torch

    grouped = _groups(weight)
    scales = (grouped.abs().amax(1) / 7).clamp(min=1e-8).to(torch.float16)
    codes = (torch.round(grouped / scales[:, None].float()) + 8).clamp(0, 15).reshape(weight.shape)
    plain = tuple(range(8))
    return {
        "qweight": _nibbles(codes.T.contiguous(), plain).T.contiguous(),
        "qzeros": _nibbles(torch.full_like(scales, 7), plain),
        "scales": scales,
        "g_idx": (torch.arange(weight.shape[0]) // GROUP).to(torch.int32),
    }


def _pack_awq(weight: Any) -> dict[str, Any]:
    """AutoAWQ's "gemm" layout: with zero points, packed along the outputs in the order its kernel unpacks."""
    import torch

    grouped = _groups(weight)
    low, high = grouped.amin(1).clamp(max=0), grouped.amax(1).clamp(min=0)
    scales = ((high - low) / 15).clamp(min=1e-8).to(torch.float16)
    zeros = torch.round(-low / scales.float()).clamp(0, 15)
    codes = (torch.round(grouped / scales[:, None].float()) + zeros[:, None]).clamp(0, 15).reshape(weight.shape)
    order = (0, 2, 4, 6, 1, 3, 5, 7)
    return {"qweight": _nibbles(codes, order), "qzeros": _nibbles(zeros, order), "scales": scales}


_METHODS: dict[str, tuple[Callable[[Any], dict[str, Any]], dict[str, Any]]] = {
    "gptq": (_pack_gptq, {"desc_act": False, "sym": True}),
    "awq": (_pack_awq, {"zero_point": True, "version": "gemm"}),
}


def _groups(weight: Any) -> Any:
    """(inputs, outputs) -> (groups, GROUP, outputs)."""
    return weight.reshape(-1, GROUP, weight.shape[1])


def _nibbles(values: Any, order: tuple[int, ...]) -> Any:
    """Eight values of the last axis in one int32, the first of `order` lowest."""
    import torch

    parts = values.reshape(*values.shape[:-1], -1, 8).to(torch.int64)
    packed = sum(parts[..., place] << (4 * n) for n, place in enumerate(order))
    return torch.where(packed >= 2**31, packed - 2**32, packed).to(torch.int32).contiguous()
