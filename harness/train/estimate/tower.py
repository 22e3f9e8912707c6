"""The vision towers of Qwen2-VL and Qwen2.5-VL: their linear layers, and how many parameters stand in none.

Source: transformers' models/{qwen2_vl,qwen2_5_vl}/modeling_*.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.errors import InputError
from harness.train.estimate.linear import Linear
from harness.train.estimate.numbers import whole_number


def qwen2_vl_tower(config: Mapping[str, Any], where: str) -> tuple[tuple[Linear, ...], int]:
    """Blocks with LayerNorm (weight and bias) and an MLP of two layers."""
    vision, place = _vision(config, where)
    width = whole_number(vision, "embed_dim", place)
    depth = whole_number(vision, "depth", place)
    inner = width * whole_number(vision, "mlp_ratio", place, default=4)
    mlp = (
        Linear("mlp.fc1", width, inner, bias=True, count=depth),
        Linear("mlp.fc2", inner, width, bias=True, count=depth),
    )
    out = whole_number(vision, "hidden_size", place)
    norms = 2 * width * (2 * depth + 1)
    return _attention(width, depth) + mlp + _merger(vision, width, out, place), norms + _patches(vision, width, place)


def qwen2_5_vl_tower(config: Mapping[str, Any], where: str) -> tuple[tuple[Linear, ...], int]:
    """Blocks with RMSNorm and a gated MLP, whose layers bear the decoder's names: LoRA by name adapts them too."""
    vision, place = _vision(config, where)
    width = whole_number(vision, "hidden_size", place)
    depth = whole_number(vision, "depth", place)
    inner = whole_number(vision, "intermediate_size", place)
    mlp = (
        Linear("mlp.gate_proj", width, inner, bias=True, count=depth),
        Linear("mlp.up_proj", width, inner, bias=True, count=depth),
        Linear("mlp.down_proj", inner, width, bias=True, count=depth),
    )
    out = whole_number(vision, "out_hidden_size", place)
    norms = width * (2 * depth + 1)
    return _attention(width, depth) + mlp + _merger(vision, width, out, place), norms + _patches(vision, width, place)


def _vision(config: Mapping[str, Any], where: str) -> tuple[Mapping[str, Any], str]:
    vision = config.get("vision_config")
    if not isinstance(vision, Mapping):
        raise InputError("the key 'vision_config' is missing", where=where)
    return vision, f"{where}: vision_config"


def _attention(width: int, depth: int) -> tuple[Linear, ...]:
    return (
        Linear("attn.qkv", width, 3 * width, bias=True, count=depth),
        Linear("attn.proj", width, width, bias=True, count=depth),
    )


def _merger(vision: Mapping[str, Any], width: int, out: int, where: str) -> tuple[Linear, ...]:
    merged = width * whole_number(vision, "spatial_merge_size", where, default=2) ** 2
    return Linear("merger.mlp.0", merged, merged, bias=True), Linear("merger.mlp.2", merged, out, bias=True)


def _patches(vision: Mapping[str, Any], width: int, where: str) -> int:
    """Parameters of the convolution that makes patches of pixels; it has no bias."""
    channels = whole_number(vision, "in_channels", where, default=3)
    frames = whole_number(vision, "temporal_patch_size", where, default=2)
    side = whole_number(vision, "patch_size", where, default=14)
    return width * channels * frames * side**2
