"""Part by part: what training and serving take, how sure that is, and which card has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.engines.gpu import GIB
from harness.errors import InputError
from harness.train.estimate.activations import activation_bytes, loss_bytes
from harness.train.estimate.memory import (
    NF4_BITS,
    cast_bytes,
    kv_bytes,
    optimiser_bytes,
    serving_weight_bytes,
    trainable_parameters,
    weight_bytes,
)
from harness.train.estimate.model import Model
from harness.train.estimate.settings import HALF, Training

MIB = 1 << 20

#: A factor, both ways: activations depend on kernels, on padding and on what is freed when; weights, gradients and
#: states do not. `benchmarks/estimate_memory.py` holds it against a GPU.
ACTIVATION_DOUBT = 1.25
#: The CUDA context and the libraries' workspaces, which no framework counts as its own.
CONTEXT_BYTES = GIB

#: Cards that can be rented or bought, by GiB as they are sold.
USUAL_CARDS: tuple[tuple[str, float], ...] = (
    ("T4, RTX 4080", 16),
    ("RTX 3090, RTX 4090", 24),
    ("A100 40G", 40),
    ("A6000, L40S", 48),
    ("A100 80G, H100", 80),
    ("H200", 141),
)

#: The rule of thumb: parameters x bytes x 1.2 to load a model, and in practice two to three times that to train it.
RULE_FACTOR = 1.2
RULE_TRAINING = (2, 3)

Fit = Literal["yes", "tight", "no"]


class _Printed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Part(_Printed):
    """One part of the memory; `how` says what it was computed from."""

    name: str
    bytes: int
    how: str


class Rule(_Printed):
    """What the rule of thumb says, in bytes; `training` from and to."""

    bytes_per_parameter: float
    loading: int
    training: tuple[int, int]


class Card(_Printed):
    """A card of so many GiB, and whether training and serving fit on it."""

    name: str
    gib: float
    training: Fit
    serving: Fit


class Estimate(_Printed):
    """What `harness estimate` prints; all sizes are in bytes.

    Attributes:
        source: where the model's shape is from: a file, a folder or an address.
        low, high: of training: activations may be off by `ACTIVATION_DOUBT` either way; `high` also has the CUDA
            context.
    """

    schema_version: Literal[1] = Field(1, alias="schema")
    model: str
    source: str
    parameters: int
    trainable: int
    stored: dict[str, int]
    settings: Training
    precision: str
    training: tuple[Part, ...]
    total: int
    low: int
    high: int
    serving: tuple[Part, ...]
    serving_total: int
    rule: Rule
    cards: tuple[Card, ...]
    notes: tuple[str, ...]


def estimate_memory(model: Model, training: Training, cards: Sequence[tuple[str, float]] = USUAL_CARDS) -> Estimate:
    """Estimate training as `training` says, and serving as many sequences of the same length.

    Args:
        cards: names and GiB of the cards to hold it against.

    Raises:
        InputError: an adapter is asked for on a layer that the model has not, or everything is to learn and the
            weights are quantised.
    """
    if training.method == "full" and model.packed_bytes is not None:
        raise InputError(
            "its weights are quantised: they cannot learn", where=model.source, remedy="Use --method lora or qlora."
        )
    parts = _training_parts(model, training)
    serving = _serving_parts(model, training)
    total = sum(part.bytes for part in parts)
    served = sum(part.bytes for part in serving)
    low, high = bounds(parts)
    return Estimate(
        model=model.name,
        source=model.source,
        parameters=model.parameters,
        trainable=trainable_parameters(model.shape, training),
        stored=dict(model.stored),
        settings=training,
        precision=training.precision,
        training=parts,
        total=total,
        low=low,
        high=high,
        serving=serving,
        serving_total=served,
        rule=_rule(model, training),
        cards=tuple(
            Card(
                name=name,
                gib=gib,
                training=fit(low, high, gib * GIB),
                serving=fit(served, served + CONTEXT_BYTES, gib * GIB),
            )
            for name, gib in cards
        ),
        notes=_notes(model, training),
    )


def readable(size: int) -> str:
    """Bytes for people: GiB, or MiB where that is less than one."""
    return f"{size / GIB:.2f} GiB" if size >= GIB else f"{size / MIB:.1f} MiB"


def bounds(parts: Sequence[Part]) -> tuple[int, int]:
    """The least and the most that the parts of a training are likely to take together."""
    doubtful = sum(part.bytes for part in parts if part.name in _DOUBTFUL)
    known = sum(part.bytes for part in parts) - doubtful
    return known + round(doubtful / ACTIVATION_DOUBT), known + round(doubtful * ACTIVATION_DOUBT) + CONTEXT_BYTES


def fit(low: int, high: int, memory: float) -> Fit:
    """Whether something that takes `low` to `high` bytes fits: surely, perhaps, or surely not."""
    return "yes" if high <= memory else "tight" if low <= memory else "no"


_DOUBTFUL = ("activations", "loss")


def _training_parts(model: Model, training: Training) -> tuple[Part, ...]:
    trainable = trainable_parameters(model.shape, training)
    parts = [Part(name="weights", bytes=weight_bytes(model, training), how=_weights_how(model, training))]
    if (cast := cast_bytes(model, training)) > 0:
        parts.append(Part(name="16-bit copies", bytes=cast, how="of the matrices, made by autocast"))
    number = f"{trainable:,} trainable × {training.trained} bytes"
    if training.method != "full":
        parts.append(Part(name="adapter", bytes=trainable * training.trained, how=number))
    states = "2 moments in 8 bits" if training.optim == "adamw_8bit" else f"2 moments × {training.trained} bytes"
    held = "the input of each layer is kept" if training.gradient_checkpointing else "all layers are kept"
    tokens = f"{training.batch} × {training.seq:,} tokens"
    return (
        *parts,
        Part(name="gradients", bytes=trainable * training.trained, how=number),
        Part(name="optimiser", bytes=optimiser_bytes(trainable, training), how=f"{training.optim}: {states}"),
        Part(name="activations", bytes=activation_bytes(model.shape, training), how=f"{tokens}, {held}"),
        _loss_part(model, training, tokens),
    )


def _loss_part(model: Model, training: Training, tokens: str) -> Part:
    if training.fused_loss:
        unfused = loss_bytes(model.shape, training.model_copy(update={"fused_loss": False}))
        how = f"in pieces, as harness train does on a GPU; logits held whole would take {readable(unfused)}"
        return Part(name="loss", bytes=0, how=how)
    how = f"{tokens} × {model.shape.vocabulary:,} logits × 3 × 4 bytes"
    return Part(name="loss", bytes=loss_bytes(model.shape, training), how=how)


def _weights_how(model: Model, training: Training) -> str:
    if model.packed_bytes is not None:
        return "quantised on disk"
    if training.method == "qlora":
        return f"linear layers in NF4 ({NF4_BITS:.3f} bits), the rest × {training.held} bytes"
    return f"{model.parameters:,} parameters × {training.held} bytes"


def _serving_parts(model: Model, training: Training) -> tuple[Part, ...]:
    how = "quantised on disk" if model.packed_bytes is not None else f"{model.parameters:,} parameters × {HALF} bytes"
    shape = model.shape
    cached = f"2 × {shape.layers} layers × {shape.kv_heads} heads × {shape.head_dim} × {HALF} bytes"
    return (
        Part(name="weights", bytes=serving_weight_bytes(model), how=how),
        Part(
            name="KV cache",
            bytes=kv_bytes(shape, training.tokens),
            how=f"{training.batch} × {training.seq:,} tokens × {cached}",
        ),
    )


def _rule(model: Model, training: Training) -> Rule:
    number = 0.5 if training.method == "qlora" else float(training.held)
    loading = round(model.parameters * number * RULE_FACTOR)
    return Rule(
        bytes_per_parameter=number,
        loading=loading,
        training=(loading * RULE_TRAINING[0], loading * RULE_TRAINING[1]),
    )


def _notes(model: Model, training: Training) -> tuple[str, ...]:
    shape = model.shape
    notes = [
        f"activations and loss are ± {ACTIVATION_DOUBT - 1:.0%}; left out are fragmentation and, but for the upper "
        f"bound ({CONTEXT_BYTES // GIB} GiB), the CUDA context; one GPU, nothing offloaded or sharded"
    ]
    if shape.longest is not None and training.seq > shape.longest:
        notes.append(f"{training.seq:,} tokens are beyond the model's max_position_embeddings ({shape.longest:,})")
    if model.stored and model.parameters != shape.parameters:
        notes.append(
            f"its files hold {model.parameters:,} parameters, its config describes {shape.parameters:,}: "
            "the files are counted"
        )
    if shape.tower:
        notes.append("pictures: count their tokens into --seq; what the vision tower itself keeps is left out")
    if shape.expert_choices:
        notes.append("experts are no linear layers: they are not quantised to 4 bits")
    return tuple(notes)
