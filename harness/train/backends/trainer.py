"""What every trainer of transformers shares: arguments, the log, whole checkpoints, and errors in words.

Source: `transformers.Trainer` and `TrainerCallback`.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.candidates.lineage import LossPoint
from harness.candidates.tokenizer import read_json
from harness.errors import IncompleteError
from harness.train.backends.base import Events, Job, Trained
from harness.train.config import TrainConfig

#: Written into a checkpoint when all of it is on disk; one without it is never resumed from.
WHOLE = "whole"
_PACKAGES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "bitsandbytes", "unsloth", "vllm")


def arguments(job: Job, config: TrainConfig, *, bf16: bool, fp16: bool) -> dict[str, Any]:
    """The arguments that `SFTConfig` and `GRPOConfig` have in common."""
    import torch

    on_gpu = torch.cuda.is_available()
    return {
        "output_dir": str(job.work),
        "max_steps": job.steps,
        "per_device_train_batch_size": config.per_device_train_batch_size,
        "gradient_accumulation_steps": config.gradient_accumulation_steps,
        "warmup_steps": config.warmup_steps,
        "learning_rate": config.learning_rate,
        "optim": _optimiser(config.optim),
        "weight_decay": config.weight_decay,
        "lr_scheduler_type": config.lr_scheduler_type,
        "max_grad_norm": config.max_grad_norm,
        "logging_steps": config.logging_steps,
        "logging_first_step": True,
        "logging_nan_inf_filter": False,  # it would show the last good loss in place of a bad one
        "save_steps": config.save_steps,
        "save_total_limit": config.save_total_limit,
        "gradient_checkpointing": config.gradient_checkpointing,
        "seed": config.seed,
        "data_seed": config.seed,
        "bf16": bf16,
        "fp16": fp16,
        "use_cpu": not on_gpu,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": on_gpu,
    }


def run(make: Callable[[list[Any]], Any], job: Job, config: TrainConfig, events: Events) -> Trained:
    """Train until `job.until`, where a whole checkpoint is left.

    Args:
        make: the trainer, given its callbacks.

    Raises:
        IncompleteError: out of memory, a loss that is no number, a full disk.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import PrinterCallback

    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    try:
        trainer = make([_watch(job, events)])
        trainer.remove_callback(PrinterCallback)
        trainer.train(resume_from_checkpoint=str(job.checkpoint) if job.checkpoint else None)
    except torch.OutOfMemoryError as error:
        raise _out_of_memory(config, error) from None
    except (OSError, SafetensorError) as error:
        raise _disk(error, job.work) from None
    except RuntimeError as error:  # torch.save's own word for a file that could not be written
        if "PytorchStreamWriter" not in str(error) and "unexpected pos" not in str(error):
            raise
        raise _disk(error, job.work) from None
    return Trained(device=torch.cuda.get_device_name() if on_gpu else "cpu", peak_memory=_peak(), versions=_versions())


def last_checkpoint(work: Path) -> Path | None:
    """The newest whole checkpoint of a run."""
    return max((path.parent for path in work.glob(f"checkpoint-*/{WHOLE}")), key=step_of, default=None)


def step_of(checkpoint: Path) -> int:
    """The step that a checkpoint was written at."""
    return int(checkpoint.name.rpartition("-")[2])


def losses_of(checkpoint: Path) -> tuple[LossPoint, ...]:
    """The log of a training up to a checkpoint.

    Raises:
        InputError: the checkpoint's state cannot be read.
    """
    state = read_json(checkpoint / "trainer_state.json")
    return tuple(point for line in state.get("log_history", ()) if (point := _point(line)) is not None)


def _optimiser(asked: str) -> str:
    """The 8-bit AdamW where bitsandbytes and a GPU are there."""
    if asked != "auto":
        return asked
    import torch
    from transformers.utils import is_bitsandbytes_available

    return "adamw_8bit" if torch.cuda.is_available() and is_bitsandbytes_available() else "adamw_torch"


def _peak() -> int | None:
    import torch

    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None


def _watch(job: Job, events: Events) -> Any:
    """A callback: passes the log on, stops where it should or at a loss that is no number, marks whole checkpoints."""
    from transformers import TrainerCallback

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self._began = time.monotonic()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step >= job.until:
                control.should_save = control.should_training_stop = True

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
            point = _point({"step": state.global_step, **(logs or {})})
            if point is None:
                return
            if not math.isfinite(point.loss):
                raise IncompleteError(
                    f"the loss is {point.loss} at step {point.step}: training has diverged",
                    where=str(job.work),
                    remedy="Lower learning_rate, raise warmup_steps, or train in bfloat16 instead of float16. "
                    "Checkpoints from before that step are kept.",
                )
            events.logged(point)

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            _settle(checkpoint)
            events.saved(checkpoint, time.monotonic() - self._began, _peak())

    return Watch()


def _settle(checkpoint: Path) -> None:
    """Have everything on disk before the checkpoint is called whole."""
    for file in checkpoint.iterdir():
        if file.is_file():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
    (checkpoint / WHOLE).touch()


def _point(line: dict[str, Any]) -> LossPoint | None:
    if "loss" not in line:
        return None
    rewards = {
        key.removeprefix("rewards/").removesuffix("/mean"): float(value)
        for key, value in line.items()
        if key.startswith("rewards/") and key.endswith("/mean")
    }
    return LossPoint(
        step=int(line["step"]),
        loss=float(line["loss"]),
        learning_rate=line.get("learning_rate"),
        grad_norm=_number(line.get("grad_norm")),
        epoch=line.get("epoch"),
        reward=_number(line.get("reward")),
        reward_std=_number(line.get("reward_std")),
        rewards=rewards,
        answer_tokens=_number(line.get("completions/mean_length")),
        kl=_number(line.get("kl")),
    )


def _number(value: Any) -> float | None:
    return None if value is None or not math.isfinite(float(value)) else float(value)


def _out_of_memory(config: TrainConfig, error: Exception) -> IncompleteError:
    batch, longest = config.per_device_train_batch_size, config.max_seq_length
    halved = f"per_device_train_batch_size ({batch}), and raise gradient_accumulation_steps by as much"
    return IncompleteError(
        f"the GPU ran out of memory ({' '.join(str(error).split())[:160]})",
        remedy=f"Lower {halved}" + f"; or max_seq_length ({longest}); or set gradient_checkpointing: true, "
        "load_in_4bit: true. The last checkpoint is kept: --resume goes on from it.",
    )


def _disk(error: Exception, work: Path) -> IncompleteError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else " ".join(str(error).split())[:160]
    return IncompleteError(
        f"a checkpoint could not be written ({why})",
        where=str(work),
        remedy="Make room on the disk; --resume goes on from the last whole checkpoint.",
    )


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    from harness.version import __version__

    found = {"finetune-harness": __version__}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
