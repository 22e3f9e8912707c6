"""A linear layer, as a model has it once or in each of its blocks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Linear:
    """A matrix of `outputs` x `inputs`, `count` times over.

    Attributes:
        path: end of its path in the model, as far as all blocks share it: `self_attn.q_proj`.
        reads: a name of what it reads; layers that read the same keep it for the backward pass once.
    """

    path: str
    inputs: int
    outputs: int
    bias: bool = False
    count: int = 1
    reads: str = ""

    @property
    def matrices(self) -> int:
        """Parameters without biases."""
        return self.count * self.inputs * self.outputs

    @property
    def parameters(self) -> int:
        return self.matrices + self.count * self.outputs * self.bias

    def goes_by(self, name: str) -> bool:
        """Whether PEFT's target_modules means this layer by `name`."""
        return self.path == name or self.path.endswith(f".{name}")

    def adapter(self, r: int) -> int:
        """Parameters of LoRA's A (r x inputs) and B (outputs x r)."""
        return self.count * r * (self.inputs + self.outputs)
