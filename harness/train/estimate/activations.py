"""What the forward pass keeps for the backward pass, in bytes.

After Korthikanti et al. 2022, "Reducing Activation Recomputation in Large Transformer Models"
(https://arxiv.org/abs/2205.05198), section 4.1: walk through a block and add up the inputs that each operation keeps.
Their sum for a GPT block in 16 bits is sbh(34 + 5as/h). The blocks here differ from theirs:

- grouped-query attention: keys and values are narrower than queries;
- flash attention (Dao et al. 2022): the term 5as/h, which grows with the square of the length, is gone, and the
  attention's output is kept in its place;
- SwiGLU: gate, silu(gate) and up are kept, and their product;
- RMSNorm in float32, as transformers computes it: a float32 copy of its input;
- no dropout, so no masks;
- with LoRA, a frozen matrix keeps no input. Its adapter does, and where adapter and computation differ in precision,
  every adapter keeps a cast copy of its own.

s tokens, h hidden, a heads: as in the paper.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.train.estimate.linear import Linear
from harness.train.estimate.settings import FLOAT32, Training
from harness.train.estimate.shape import ModelShape

#: Numbers in float32 that the unfused loss holds of each logit when its backward pass begins: the log-softmax, the
#: gradient of that, and the gradient of the logits. The forward pass holds less. The paper neglects the loss; beside a
#: vocabulary of 152,064 one cannot.
_LOSS_NUMBERS = 3


def activation_bytes(shape: ModelShape, training: Training) -> int:
    """All blocks; with checkpointing the input of each, and what recomputing one takes beyond the loss.

    A block is computed again when the logits are gone already: of the two, the larger decides the peak.
    """
    block = block_bytes(shape, training)
    last_norm = training.tokens * shape.hidden * _norm_bytes(training)
    if not training.gradient_checkpointing:
        return shape.layers * block + last_norm
    inputs = shape.layers * training.tokens * shape.hidden * training.held
    return inputs + last_norm + max(0, block - loss_bytes(shape, training))


def loss_bytes(shape: ModelShape, training: Training) -> int:
    """What the loss holds of the logits, batch x seq x vocabulary, where it holds them."""
    if training.fused_loss:
        return 0
    return training.tokens * shape.vocabulary * _LOSS_NUMBERS * FLOAT32


def block_bytes(shape: ModelShape, training: Training) -> int:
    """One block of the decoder."""
    number = training.computed
    attention = number * (2 * shape.queries + 2 * shape.keys)  # queries, keys, values, output
    swiglu = number * 3 * shape.intermediate  # gate, silu(gate), up; their product is what down_proj reads
    normed = 2 * shape.hidden + (shape.queries + shape.keys if shape.head_norms else 0)
    norms = normed * _norm_bytes(training)
    return training.tokens * (norms + attention + swiglu + _inputs(shape, training))


def _norm_bytes(training: Training) -> int:
    """Of each number a norm reads. One whose weight learns keeps what it multiplies with it, too."""
    return FLOAT32 + (training.held if training.method == "full" else 0)


def _inputs(shape: ModelShape, training: Training) -> int:
    """Bytes a token that matrices which learn keep of what they read."""
    if training.method == "full":
        experts = shape.expert_choices * shape.hidden + (shape.intermediate if shape.expert_choices else 0)
        own = training.held != training.computed  # autocast turns the norm's output once for each matrix that reads it
        return training.computed * (_kept(shape.blocks, own_copies=own) + experts)
    learning = [linear for linear in shape.adapted(training.targets) if linear in shape.blocks]
    own = training.trained != training.computed
    between = training.r * len(learning)  # what A hands to B
    return training.computed * (_kept(learning, own_copies=own) + between)


def _kept(learning: Sequence[Linear], *, own_copies: bool) -> int:
    """Numbers a token; the attention's output is counted with the attention unless it is copied."""
    if own_copies:
        return sum(linear.inputs for linear in learning)
    return sum({linear.reads: linear.inputs for linear in learning if linear.reads != "attention output"}.values())
