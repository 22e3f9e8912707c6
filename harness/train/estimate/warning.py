"""Before training starts: does the card have the memory?"""

from __future__ import annotations

from pathlib import Path

from harness.engines.gpu import visible_gpus
from harness.errors import InputError
from harness.train.estimate.estimate import estimate_memory, fit, readable
from harness.train.estimate.model import read_model
from harness.train.estimate.settings import SftSettings, Training


def free_gpu_memory() -> int | None:
    """Free bytes of the GPU that training will use, the first that is visible; None where there is none."""
    gpus = visible_gpus()
    return gpus[0].free if gpus else None


def memory_warning(
    settings: SftSettings, model: Path, available: int | None, *, longest: int | None = None
) -> str | None:
    """One sentence where training will surely or may well not fit, else None.

    It warns and does not refuse: an estimate is no measurement. A model that is not understood is no reason to warn.

    Args:
        settings: a training config.
        model: the base's folder.
        available: bytes of GPU memory that are free; None where there is no GPU: nothing to warn of.
        longest: tokens of the longest training example, where known.
    """
    if available is None:
        return None
    try:
        found = estimate_memory(read_model(model.name, model), Training.of(settings, longest=longest), cards=())
    except InputError:
        return None
    fits = fit(found.low, found.high, available)
    if fits == "yes":
        return None
    will = "will not" if fits == "no" else "may not"
    between = f"{readable(found.low)} to {readable(found.high)}"
    return (
        f"training {will} fit: it takes about {readable(found.total)} ({between}), and {readable(available)} are free. "
        f"{_remedy(found.settings)}"
    )


def _remedy(training: Training) -> str:
    ways = []
    if training.batch > 1:
        ways.append(
            f"lower per_device_train_batch_size ({training.batch}) and raise gradient_accumulation_steps by as much"
        )
    if not training.gradient_checkpointing:
        ways.append("set gradient_checkpointing: true")
    if training.method == "lora":
        ways.append("set load_in_4bit: true")
    if training.method == "full":
        ways.append("train a LoRA")
    ways.append(f"lower max_seq_length ({training.seq})")
    text = ", or ".join(ways)
    return f"{text[0].upper()}{text[1:]}."
