"""Weights, gradients, optimiser states and KV cache, in bytes."""

from __future__ import annotations

from harness.train.estimate.model import Model
from harness.train.estimate.settings import HALF, Training
from harness.train.estimate.shape import ModelShape

#: NF4 with double quantisation: 4 bits; an 8-bit constant for every 64 numbers; a 32-bit one for every 256 of those.
#: 4.127 bits in all. Dettmers et al. 2023, "QLoRA", section 3 (https://arxiv.org/abs/2305.14314).
NF4_BITS = 4 + 8 / 64 + 32 / (64 * 256)

#: AdamW's two moments, in the precision of the parameter: torch.optim.AdamW makes them with `zeros_like`.
_MOMENTS = 2
#: Bytes of an 8-bit moment: the number, and a float32 constant for every 256 (bitsandbytes; Dettmers et al. 2022).
_MOMENT_8BIT = 1 + 4 / 256


def trainable_parameters(shape: ModelShape, training: Training) -> int:
    """Parameters that learn."""
    if training.method == "full":
        return shape.parameters
    return sum(linear.adapter(training.r) for linear in shape.adapted(training.targets))


def weight_bytes(model: Model, training: Training) -> int:
    """The model's weights as training holds them, without adapters."""
    if model.packed_bytes is not None:
        return model.packed_bytes
    shape = model.shape
    if training.method == "qlora":
        quantised = sum(linear.matrices for linear in shape.linears)
        return round(quantised * NF4_BITS / 8) + (model.parameters - quantised) * training.held
    return model.parameters * training.held


def cast_bytes(model: Model, training: Training) -> int:
    """Mixed precision: 16-bit copies of the matrices, which autocast makes in the forward pass and the backward needs.

    The embedding is looked up, not multiplied, and norms are not cast.
    """
    if training.held == training.computed or training.method == "qlora" or model.packed_bytes is not None:
        return 0
    head = 0 if training.fused_loss else model.shape.head.matrices
    return HALF * (sum(linear.matrices for linear in model.shape.linears) + head)


def optimiser_bytes(trainable: int, training: Training) -> int:
    """The optimiser's states."""
    moment = _MOMENT_8BIT if training.optim == "adamw_8bit" else training.trained
    return round(trainable * _MOMENTS * moment)


def kv_bytes(shape: ModelShape, tokens: int, number: int = HALF) -> int:
    """Keys and values of every layer for so many tokens, in numbers of so many bytes."""
    return 2 * shape.layers * shape.keys * tokens * number


def serving_weight_bytes(model: Model) -> int:
    """Weights as an engine holds them: 16 bits, or packed as they are on disk."""
    return model.packed_bytes if model.packed_bytes is not None else model.parameters * HALF
