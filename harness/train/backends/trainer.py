"""TRL's SFTTrainer over sequences that are tokenised already; both backends train through it."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path
from typing import Any

from harness.candidates.lineage import LossPoint
from harness.errors import IncompleteError
from harness.train.backends.base import SftJob, Trained

#: Written into a checkpoint when all of it is on disk; one without it is never resumed from.
WHOLE = "whole"
_PACKAGES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "bitsandbytes", "unsloth")


def run_sft(model: Any, tokenizer: Any, job: SftJob, *, bf16: bool, fp16: bool, peft_config: Any = None) -> Trained:
    """Train `model` and write its adapter to `job.target`.

    Args:
        tokenizer: pads batches; nothing is tokenised with it.
        peft_config: adapters to put on the model; None where it has them.

    Raises:
        IncompleteError: out of memory, a loss that is no number, a full disk.
    """
    import torch
    from datasets import Dataset, disable_progress_bars
    from safetensors import SafetensorError
    from transformers import PrinterCallback

    config = job.config
    disable_progress_bars()
    columns = {
        "input_ids": [list(sequence.ids) for sequence in job.sequences],
        "labels": [sequence.labels(completion_only=config.completion_only_loss) for sequence in job.sequences],
    }
    watch = _watch(job)
    trainer = _trainer_class()(
        model=model,
        args=_arguments(job, bf16=bf16, fp16=fp16),
        train_dataset=Dataset.from_dict(columns),
        processing_class=tokenizer,
        peft_config=peft_config,
        callbacks=[watch],
    )
    trainer.remove_callback(PrinterCallback)
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    started = time.monotonic()
    try:
        trainer.train(resume_from_checkpoint=str(job.checkpoint) if job.checkpoint else None)
        seconds = time.monotonic() - started
        trainer.model.save_pretrained(str(job.target))
    except torch.OutOfMemoryError as error:
        raise _out_of_memory(config.per_device_train_batch_size, config.max_seq_length, error) from None
    except (OSError, SafetensorError) as error:
        raise _disk(error, job.work) from None
    except RuntimeError as error:  # torch.save's own word for a file that could not be written
        if "PytorchStreamWriter" not in str(error) and "unexpected pos" not in str(error):
            raise
        raise _disk(error, job.work) from None
    return Trained(
        losses=tuple(point for line in trainer.state.log_history if (point := _point(line)) is not None),
        seconds=seconds,
        device=torch.cuda.get_device_name() if on_gpu else "cpu",
        peak_memory=torch.cuda.max_memory_allocated() if on_gpu else None,
        versions=_versions(),
    )


def _trainer_class() -> Any:
    """TRL's trainer. Its fused loss is a Triton kernel: without a GPU the model's own loss, the same sum, is taken."""
    import torch
    from transformers import Trainer
    from trl import SFTTrainer

    if torch.cuda.is_available():
        return SFTTrainer

    class CpuTrainer(SFTTrainer):  # type: ignore[misc]
        def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
            return Trainer.compute_loss(self, *args, **kwargs)

    return CpuTrainer


def _arguments(job: SftJob, *, bf16: bool, fp16: bool) -> Any:
    import torch
    from trl import SFTConfig

    config = job.config
    return SFTConfig(
        output_dir=str(job.work),
        max_steps=job.steps,
        per_device_train_batch_size=config.per_device_train_batch_size,
        gradient_accumulation_steps=config.gradient_accumulation_steps,
        warmup_steps=config.warmup_steps,
        learning_rate=config.learning_rate,
        optim=_optimiser(config.optim),
        weight_decay=config.weight_decay,
        lr_scheduler_type=config.lr_scheduler_type,
        max_grad_norm=config.max_grad_norm,
        max_length=config.max_seq_length,
        packing=config.packing,
        # Sequences are tokenised, and none is too long; only packing is left to do.
        dataset_kwargs=None if config.packing else {"skip_prepare_dataset": True},
        logging_steps=config.logging_steps,
        logging_first_step=True,
        logging_nan_inf_filter=False,  # it would show the last good loss in place of a bad one
        save_steps=config.save_steps,
        save_total_limit=config.save_total_limit,
        gradient_checkpointing=config.gradient_checkpointing,
        seed=config.seed,
        data_seed=config.seed,
        bf16=bf16,
        fp16=fp16,
        use_cpu=not torch.cuda.is_available(),
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=torch.cuda.is_available(),
    )


def _optimiser(asked: str) -> str:
    """The 8-bit AdamW where bitsandbytes and a GPU are there."""
    if asked != "auto":
        return asked
    import torch
    from transformers.utils import is_bitsandbytes_available

    return "adamw_8bit" if torch.cuda.is_available() and is_bitsandbytes_available() else "adamw_torch"


def _watch(job: SftJob) -> Any:
    """A callback: passes the log on, stops at a loss that is no number, and marks whole checkpoints."""
    from transformers import TrainerCallback

    class Watch(TrainerCallback):  # type: ignore[misc]
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
            job.logged(point)

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            _settle(checkpoint)
            job.saved(checkpoint)

    return Watch()


def _settle(checkpoint: Path) -> None:
    """Have everything on disk before the checkpoint is called whole."""
    for file in checkpoint.iterdir():
        if file.is_file():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
    (checkpoint / WHOLE).touch()


def last_checkpoint(work: Path) -> Path | None:
    """The newest whole checkpoint of a run."""
    found = [path.parent for path in work.glob(f"checkpoint-*/{WHOLE}")]
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def _point(line: dict[str, Any]) -> LossPoint | None:
    if "loss" not in line:
        return None
    return LossPoint(
        step=int(line["step"]),
        loss=float(line["loss"]),
        learning_rate=line.get("learning_rate"),
        grad_norm=_number(line.get("grad_norm")),
        epoch=line.get("epoch"),
    )


def _number(value: Any) -> float | None:
    return None if value is None or not math.isfinite(float(value)) else float(value)


def _out_of_memory(batch: int, longest: int, error: Exception) -> IncompleteError:
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
