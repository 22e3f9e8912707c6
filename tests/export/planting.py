"""Faults of a merge, planted into its weights on disk, and near-misses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.export.conftest import MODELS

Plant = Callable[[Path], None]


def _edit(folder: Path, change: Callable[[str, Any, Any], Any]) -> None:
    """Every tensor becomes what `change` makes of its name, itself and the base's."""
    from safetensors.torch import load_file, save_file

    base = load_file(MODELS / "base" / "model.safetensors")
    file = folder / "model.safetensors"
    changed = {name: change(name, tensor, base[name]).contiguous() for name, tensor in load_file(file).items()}
    save_file(changed, file, metadata={"format": "pt"})


def without_adapter(folder: Path) -> None:
    """The base under the name of the merge."""
    _edit(folder, lambda name, tensor, base: base)


def merged_twice(folder: Path) -> None:
    _edit(folder, lambda name, tensor, base: (2 * tensor.float() - base.float()).to(tensor.dtype))


def one_layer_shuffled(folder: Path) -> None:
    import torch

    order = torch.randperm(128, generator=torch.Generator().manual_seed(0))
    wrong = "model.layers.2.self_attn.o_proj.weight"
    _edit(folder, lambda name, tensor, base: tensor[order] if name == wrong else tensor)


def one_matrix_not_merged(folder: Path) -> None:
    """One of 28: no verdict of a task need show it, the likelihoods do."""
    missed = "model.layers.0.self_attn.q_proj.weight"
    _edit(folder, lambda name, tensor, base: base if name == missed else tensor)


def no_numbers(folder: Path) -> None:
    _edit(folder, lambda name, tensor, base: tensor * float("nan") if ".1.mlp.up_proj" in name else tensor)


def merged_in_float32(folder: Path) -> None:
    """The merge as it is before it is rounded: its bfloat16 rounding is what the export already is."""
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(MODELS / "base", dtype=torch.float32)
    peft.PeftModel.from_pretrained(model, MODELS / "lora_model_medical").merge_and_unload().save_pretrained(folder)


def rounded_again(folder: Path) -> None:
    """float32 to float16 to bfloat16: two roundings where one was needed."""
    import torch

    merged_in_float32(folder)
    _edit(folder, lambda name, tensor, base: tensor.half().to(torch.bfloat16))
