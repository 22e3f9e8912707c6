"""TRL's SFTTrainer over sequences that are tokenised already; both backends learn answers through it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from harness.train.backends.base import Events, SftJob, Trained
from harness.train.backends.trainer import arguments, run
from harness.train.config import SftConfig
from harness.train.tokens import IGNORED


def run_sft(
    model: Any, tokenizer: Any, job: SftJob, events: Events, *, bf16: bool, fp16: bool, peft_config: Any = None
) -> Trained:
    """Train `model` on the job's sequences.

    Args:
        tokenizer: pads batches; nothing is tokenised with it.
        peft_config: adapters to put on the model; None where it has them.

    Raises:
        IncompleteError: see `trainer.run`.
    """
    from datasets import Dataset, disable_progress_bars
    from trl import SFTConfig as Arguments

    config = job.config
    disable_progress_bars()
    labels = [sequence.labels(completion_only=config.completion_only_loss) for sequence in job.sequences]
    columns = {"input_ids": [list(sequence.ids) for sequence in job.sequences], "labels": labels}
    packing = isinstance(config, SftConfig) and config.packing
    settings: dict[str, Any] = {
        "max_length": config.max_seq_length,
        "packing": packing,
        # Sequences are tokenised, and none is too long; only packing is left to do.
        "dataset_kwargs": None if packing else {"skip_prepare_dataset": True},
    }
    collator = None
    if job.vision is not None:
        columns["row"] = list(range(len(labels)))  # type: ignore[arg-type]
        settings["remove_unused_columns"] = False
        collator = _collator(job, tokenizer.pad_token_id)
    trainer = _trainer_class()

    def make(callbacks: list[Any]) -> Any:
        return trainer(
            model=model,
            args=Arguments(**arguments(job, config, bf16=bf16, fp16=fp16), **settings),
            train_dataset=Dataset.from_dict(columns),
            data_collator=collator,
            processing_class=tokenizer,
            peft_config=peft_config,
            callbacks=callbacks,
        )

    return run(make, job, config, events)


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


def _collator(job: SftJob, pad: int) -> Callable[[Sequence[dict[str, Any]]], dict[str, Any]]:
    """Batches of sequences with pictures: the pictures are read anew each time, and take as many places as they need.

    A batch holds ids, mask, labels and kinds of token (0 text, 1 picture), each (rows, places), and the patches of all
    its pictures with their grids (pictures, 3).
    """
    import torch

    from harness.engines.transformers_vision import Eyes

    assert job.vision is not None
    vision, eyes = job.vision, Eyes(job.base, job.vision)
    only = job.config.completion_only_loss

    def batch(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        ids, labels, seen = [], [], []
        for row in rows:
            sequence = job.sequences[row["row"]]
            places, learned = sequence.ids, sequence.labels(completion_only=only)
            if sequence.images:
                looked = eyes.prompt(places, sequence.images)
                seen.append(looked)
                places = looked.ids
                # A picture stands in the prompt and is never learned, whatever the rest of the prompt is.
                texts = iter(
                    label for token, label in zip(sequence.ids, learned, strict=True) if token != vision.token_id
                )
                learned = [IGNORED if token == vision.token_id else next(texts) for token in places]
            ids.append(places)
            labels.append(learned)
        width = max(map(len, ids))
        made = {
            "input_ids": torch.tensor([[*row, *[pad] * (width - len(row))] for row in ids]),
            "attention_mask": torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ids]),
            "labels": torch.tensor([[*row, *[IGNORED] * (width - len(row))] for row in labels]),
        }
        made["mm_token_type_ids"] = (made["input_ids"] == vision.token_id).int() * made["attention_mask"].int()
        if seen:
            made["pixel_values"] = torch.cat([one.pixels for one in seen])
            made["image_grid_thw"] = torch.cat([one.grids for one in seen])
        return made

    return batch
