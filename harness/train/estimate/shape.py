"""The shape of a model, read from its config.json: which matrices it has, and so how many parameters.

Source of the shapes: transformers' models/{qwen2,qwen3,qwen3_moe,llama,mistral,qwen2_vl,qwen2_5_vl}/modeling_*.py. The
tests count the parameters of transformers' own models against what is counted here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.errors import InputError, did_you_mean
from harness.train.config import ATTENTION, MLP
from harness.train.estimate.linear import Linear
from harness.train.estimate.numbers import whole_number
from harness.train.estimate.tower import qwen2_5_vl_tower, qwen2_vl_tower

#: What PEFT adapts in these families where nothing is named (TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING).
PEFT_DEFAULT = ("q_proj", "v_proj")
_EXPERT_LAYERS = frozenset(MLP)


@dataclass(frozen=True)
class ModelShape:
    """A decoder, with a vision tower where it sees.

    Attributes:
        intermediate: width of the MLP that one token passes; of a mixture of experts, all that it is routed to.
        tied: input embedding and output head are one matrix.
        longest: max_position_embeddings, None where the config does not say.
        head_norms: queries and keys are normalised, head by head.
        blocks: linear layers of the decoder's blocks, without the output head.
        tower: linear layers of the vision tower.
        other: parameters in no linear layer and no embedding: norms, experts, routers, convolutions.
        expert_choices: experts that a token is routed to; 0 where there are none.
    """

    family: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocabulary: int
    tied: bool
    longest: int | None
    head_norms: bool
    blocks: tuple[Linear, ...]
    tower: tuple[Linear, ...]
    other: int
    expert_choices: int = 0

    @property
    def queries(self) -> int:
        """Width of all queries of a token."""
        return self.heads * self.head_dim

    @property
    def keys(self) -> int:
        """Width of all keys of a token; that of its values is the same."""
        return self.kv_heads * self.head_dim

    @property
    def head(self) -> Linear:
        """The output head."""
        return Linear("lm_head", self.hidden, self.vocabulary, reads="last")

    @property
    def linears(self) -> tuple[Linear, ...]:
        """Every linear layer but the output head: what QLoRA quantises and `all-linear` adapts."""
        return self.blocks + self.tower

    @property
    def parameters(self) -> int:
        """All parameters; tied matrices count once."""
        embedding = self.vocabulary * self.hidden
        head = 0 if self.tied else self.head.parameters
        return sum(linear.parameters for linear in self.linears) + embedding + head + self.other

    def adapted(self, targets: Sequence[str] | Literal["all-linear"] | None) -> tuple[Linear, ...]:
        """The linear layers that get an adapter, by PEFT's rule: the end of a layer's path is the name.

        Raises:
            InputError: no layer goes by one of the names, or experts are meant.
        """
        if self.expert_choices and (targets == "all-linear" or set(targets or ()) & _EXPERT_LAYERS):
            # PEFT adapts their tensors in a way of its own, and with another rank for some.
            raise InputError(
                "adapters on experts are not understood here",
                where="target_modules",
                remedy=f"Name the attention's layers: {', '.join(ATTENTION)}.",
            )
        if targets == "all-linear":
            return self.linears
        names = PEFT_DEFAULT if targets is None else tuple(targets)
        layers = (*self.linears, self.head)
        for name in names:
            if not any(layer.goes_by(name) for layer in layers):
                known = {layer.path.rpartition(".")[2] for layer in layers if not layer.path[-1].isdigit()}
                raise InputError(
                    f"no linear layer of {self.family} is called {name!r}",
                    where="target_modules",
                    remedy=did_you_mean(name, known),
                )
        return tuple(layer for layer in layers if any(layer.goes_by(name) for name in names))


@dataclass(frozen=True)
class _Family:
    """Where families differ.

    Attributes:
        qkv_bias: whether queries, keys and values have a bias; None: `attention_bias` says, also for the output.
        head_dim: where the config does not say; None: hidden size / heads.
    """

    qkv_bias: bool | None
    head_norms: bool = False
    head_dim: int | None = None
    experts: bool = False
    tower: Callable[[Mapping[str, Any], str], tuple[tuple[Linear, ...], int]] | None = None


FAMILIES: dict[str, _Family] = {
    "llama": _Family(None),
    "mistral": _Family(False),
    "qwen2": _Family(True),
    "qwen3": _Family(None, head_norms=True, head_dim=128),
    "qwen3_moe": _Family(None, head_norms=True, experts=True),
    "qwen2_vl": _Family(True, tower=qwen2_vl_tower),
    "qwen2_5_vl": _Family(True, tower=qwen2_5_vl_tower),
}


def shape_of(config: Mapping[str, Any], where: str) -> ModelShape:
    """The shape that a `config.json` describes.

    Args:
        where: the file, for errors.

    Raises:
        InputError: a family that is not understood here, or a key that is missing or no number.
    """
    name = str(config.get("model_type"))
    family = FAMILIES.get(name)
    if family is None:
        what = "a mixture of experts" if any("expert" in key for key in config) else "a model"
        raise InputError(
            f"model_type {name!r} is {what} whose shape is not understood",
            where=where,
            remedy=f"Understood are {', '.join(FAMILIES)}.",
        )
    # A vision model nests the decoder's keys since transformers 5, and had them at the top before.
    text = {**config, **(config.get("text_config") or {})}
    tied = bool(config.get("tie_word_embeddings", text.get("tie_word_embeddings", False)))

    hidden = whole_number(text, "hidden_size", where)
    layers = whole_number(text, "num_hidden_layers", where)
    heads = whole_number(text, "num_attention_heads", where)
    kv_heads = whole_number(text, "num_key_value_heads", where, default=heads)
    head_dim = whole_number(text, "head_dim", where, default=family.head_dim or hidden // heads)
    attention = _attention(family, text, (hidden, heads * head_dim, kv_heads * head_dim), layers)
    if family.experts:
        mlp: tuple[Linear, ...] = ()
        experts = _experts(text, where)
    else:
        mlp = _mlp(hidden, whole_number(text, "intermediate_size", where), bool(text.get("mlp_bias")), layers)
        experts = _Experts(0, 0, 0)
    norms = layers * (2 * hidden + 2 * head_dim * family.head_norms) + hidden
    tower, tower_other = family.tower(config, where) if family.tower else ((), 0)
    return ModelShape(
        family=name,
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        intermediate=experts.choices * experts.width if family.experts else mlp[0].outputs,
        vocabulary=whole_number(text, "vocab_size", where),
        tied=tied,
        longest=whole_number(text, "max_position_embeddings", where) if "max_position_embeddings" in text else None,
        head_norms=family.head_norms,
        blocks=attention + mlp,
        tower=tower,
        other=norms + tower_other + layers * experts.parameters(hidden),
        expert_choices=experts.choices,
    )


def _attention(
    family: _Family, text: Mapping[str, Any], widths: tuple[int, int, int], layers: int
) -> tuple[Linear, ...]:
    hidden, queries, keys = widths
    said = bool(text.get("attention_bias", False))
    bias = said if family.qkv_bias is None else family.qkv_bias
    return (
        Linear("self_attn.q_proj", hidden, queries, bias=bias, count=layers, reads="attention input"),
        Linear("self_attn.k_proj", hidden, keys, bias=bias, count=layers, reads="attention input"),
        Linear("self_attn.v_proj", hidden, keys, bias=bias, count=layers, reads="attention input"),
        Linear(
            "self_attn.o_proj",
            queries,
            hidden,
            bias=said and family.qkv_bias is None,
            count=layers,
            reads="attention output",
        ),
    )


def _mlp(hidden: int, intermediate: int, bias: bool, layers: int) -> tuple[Linear, ...]:
    return (
        Linear("mlp.gate_proj", hidden, intermediate, bias=bias, count=layers, reads="mlp input"),
        Linear("mlp.up_proj", hidden, intermediate, bias=bias, count=layers, reads="mlp input"),
        Linear("mlp.down_proj", intermediate, hidden, bias=bias, count=layers, reads="mlp product"),
    )


@dataclass(frozen=True)
class _Experts:
    """Of one layer. They are one tensor in transformers 5 and no linear layers: bitsandbytes does not quantise them."""

    number: int
    choices: int
    width: int

    def parameters(self, hidden: int) -> int:
        return self.number * (3 * hidden * self.width + hidden)  # gate, up and down; and a row of the router


def _experts(text: Mapping[str, Any], where: str) -> _Experts:
    if text.get("decoder_sparse_step", 1) != 1 or text.get("mlp_only_layers"):
        raise InputError(
            "only some of its layers have experts: that is not understood",
            where=f"{where}: decoder_sparse_step, mlp_only_layers",
        )
    return _Experts(
        number=whole_number(text, "num_experts", where),
        choices=whole_number(text, "num_experts_per_tok", where),
        width=whole_number(text, "moe_intermediate_size", where),
    )
