"""Unsloth: the same training, faster and in less memory, on an NVIDIA GPU."""

from __future__ import annotations

from harness.errors import InputError
from harness.train.backends.base import SftJob, Trained
from harness.train.backends.trainer import run_sft
from harness.train.config import ATTENTION, MLP


class UnslothBackend:
    """Unsloth loads and patches the model and puts LoRA on it; TRL's trainer, patched too, trains."""

    name = "unsloth"

    def sft(self, job: SftJob) -> Trained:
        """See `Backend.sft`."""
        config = job.config
        if config.method != "lora":
            raise InputError(
                f"Unsloth trains LoRA, not {config.method}", where="method", remedy="Use backend: trl for it."
            )
        from unsloth import FastLanguageModel  # first of all: it patches transformers and trl

        import torch  # isort: skip

        model, tokenizer = FastLanguageModel.from_pretrained(
            model_name=str(job.base),
            max_seq_length=config.max_seq_length,
            dtype=None if config.dtype == "auto" else getattr(torch, config.dtype),
            load_in_4bit=config.load_in_4bit,
        )
        targets = [*ATTENTION, *MLP] if config.target_modules in (None, "all-linear") else list(config.target_modules)
        model = FastLanguageModel.get_peft_model(
            model,
            r=config.r,
            lora_alpha=config.lora_alpha,
            lora_dropout=config.lora_dropout,
            target_modules=targets,
            use_rslora=config.use_rslora,
            use_gradient_checkpointing="unsloth" if config.gradient_checkpointing else False,
            random_state=config.seed,
            bias="none",
        )
        bf16 = torch.cuda.is_bf16_supported()
        return run_sft(model, tokenizer, job, bf16=bf16, fp16=not bf16)
