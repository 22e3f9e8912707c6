"""`harness estimate`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import options
from harness.errors import EXIT_OK, InputError

if TYPE_CHECKING:
    from harness.train.estimate.estimate import Estimate, Part


class Method(StrEnum):
    """What learns."""

    full = "full"
    lora = "lora"
    qlora = "qlora"


class Optim(StrEnum):
    """Optimisers whose states are known."""

    adamw = "adamw"
    adamw_8bit = "adamw_8bit"


class Dtype(StrEnum):
    """How weights are held; `mixed` computes in 16 bits."""

    auto = "auto"
    float32 = "float32"
    mixed = "mixed"
    bfloat16 = "bfloat16"
    float16 = "float16"


Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A name in harness.yaml, a model folder, a config.json, hf:ORG/NAME, ms:ORG/NAME, "
        "or a size of Qwen2.5: 0.5b to 72b.",
    ),
]
MethodOption = Annotated[Method, typer.Option("--method", help="Full fine-tuning, LoRA, or LoRA on 4-bit weights.")]
Seq = Annotated[int, typer.Option("--seq", help="Tokens of a sequence.", metavar="N", min=1)]
Batch = Annotated[
    int, typer.Option("--batch", help="Sequences at once: per_device_train_batch_size.", metavar="N", min=1)
]
Rank = Annotated[int, typer.Option("--r", help="Rank of the adapters.", metavar="N", min=1)]
Targets = Annotated[
    str | None,
    typer.Option(
        "--target-modules",
        help="Layers that get an adapter, or all-linear [default: the seven of the blocks].",
        metavar="NAME,…",
        show_default=False,
    ),
]
Checkpointing = Annotated[
    bool,
    typer.Option(
        "--gradient-checkpointing/--no-gradient-checkpointing",
        help="Keep the input of each layer, compute the rest again.",
    ),
]
Optimiser = Annotated[Optim, typer.Option("--optim", help="Optimiser.")]
DtypeOption = Annotated[
    Dtype,
    typer.Option(
        "--dtype",
        help="How weights are held; mixed: float32, computed in 16 bits [auto: mixed for full, else bfloat16].",
    ),
]
Fused = Annotated[
    bool,
    typer.Option(
        "--fused-loss/--no-fused-loss", help="The loss never holds all logits (TRL on a GPU, Unsloth), or it does."
    ),
]
GpuMemory = Annotated[
    float | None,
    typer.Option(
        "--gpu-memory",
        help="Hold it against a card of so many GiB [default: the GPU here, else usual cards].",
        metavar="GIB",
        min=0.1,
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON; sizes in bytes.")]


def estimate(
    model: Model,
    method: MethodOption = Method.lora,
    seq: Seq = 2048,
    batch: Batch = 1,
    r: Rank = 16,
    target_modules: Targets = None,
    gradient_checkpointing: Checkpointing = False,
    optim: Optimiser = Optim.adamw,
    dtype: DtypeOption = Dtype.auto,
    fused_loss: Fused = True,
    gpu_memory: GpuMemory = None,
    demo: options.Demo = False,
    json: Json = False,
) -> int:
    """Estimate the GPU memory of training and serving a model, part by part.

    No weights are loaded, and none need be here: the shape in a config.json is enough. Beside it stands what the
    rule of thumb says: parameters × bytes × 1.2, and two to three times that for training.

    Exit codes: 0 done; 2 bad input.
    """
    from harness.candidates.workspace import load_workspace
    from harness.train.estimate.estimate import USUAL_CARDS, estimate_memory
    from harness.train.estimate.model import find_model
    from harness.train.estimate.settings import Training

    settings: dict[str, Any] = {
        "method": method.value,
        "seq": seq,
        "batch": batch,
        "r": r,
        "gradient_checkpointing": gradient_checkpointing,
        "optim": optim.value,
        "dtype": None if dtype is Dtype.auto else dtype.value,
        "fused_loss": fused_loss,
    }
    if target_modules is not None:
        settings["targets"] = _targets(target_modules)
    cards = [("--gpu-memory", gpu_memory)] if gpu_memory is not None else _gpu_here() or USUAL_CARDS
    found = estimate_memory(find_model(model, load_workspace(demo=demo)), Training.model_validate(settings), cards)
    if json:
        typer.echo(found.model_dump_json(indent=1, by_alias=True))
    else:
        _tell(found)
    return EXIT_OK


def _targets(text: str) -> tuple[str, ...] | str:
    if text == "all-linear":
        return text
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise InputError("names no layer", where="--target-modules", remedy="Such as q_proj,v_proj.")
    return names


def _gpu_here() -> list[tuple[str, float]]:
    from harness.engines.gpu import GIB, visible_gpus

    return [(f"GPU {gpu.index}: {gpu.name}", gpu.total / GIB) for gpu in visible_gpus()[:1]]


def _tell(found: Estimate) -> None:
    from harness.cli.tables import print_facts, print_table
    from harness.train.estimate.estimate import readable

    stored = ", ".join(f"{number:,} {dtype}" for dtype, number in found.stored.items())
    share = found.trainable / found.parameters
    print_facts(
        [
            ("model", f"{found.model} ({found.source})"),
            ("parameters", f"{found.parameters:,}{f', on disk {stored}' if stored else ''}"),
            ("trainable", f"{found.trainable:,} ({share:.2%}): {found.settings.method}, {found.precision}"),
        ]
    )
    _table("training", found.training, found.total)
    _table("serving", found.serving, found.serving_total)
    rule = found.rule
    print_facts(
        [
            ("training", f"{readable(found.total)}, likely {readable(found.low)} to {readable(found.high)}"),
            (
                "rule of thumb",
                f"{readable(rule.loading)} to load ({found.parameters:,} × {rule.bytes_per_parameter:g} bytes × 1.2), "
                f"{readable(rule.training[0])} to {readable(rule.training[1])} to train (two to three times that)",
            ),
        ]
    )
    rows = [[f"{card.gib:.4g} GiB", card.name, card.training, card.serving] for card in found.cards]
    print_table(("card", "", "training fits", "serving fits"), rows)
    print_facts([("note", note) for note in found.notes])


def _table(title: str, parts: tuple[Part, ...], total: int) -> None:
    from harness.cli.tables import print_table
    from harness.train.estimate.estimate import readable

    rows = [[part.name, readable(part.bytes), part.how] for part in parts]
    print_table((title, "", ""), [*rows, ["total", readable(total), ""]], cell=120)
