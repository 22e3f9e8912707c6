"""Unsloth: the same training, faster and in less memory, on an NVIDIA GPU."""

from __future__ import annotations

from typing import Any

from harness.errors import InputError
from harness.train.backends.base import Events, GrpoJob, Job, SftJob, Trained
from harness.train.config import ATTENTION, MLP, TrainConfig, VisionConfig


class UnslothBackend:
    """Unsloth loads and patches the model and puts LoRA on it; TRL's trainer, patched too, trains."""

    name = "unsloth"

    def sft(self, job: SftJob, events: Events) -> Trained:
        """See `Backend.sft`."""
        if isinstance(job.config, VisionConfig):
            model, tokenizer, kinds = _seeing(job, job.config)
        else:
            model, tokenizer, kinds = _loaded(job, job.config)
        from harness.train.backends.sft import run_sft

        return run_sft(model, tokenizer, job, events, **kinds)

    def grpo(self, job: GrpoJob, events: Events) -> Trained:
        """See `Backend.grpo`."""
        model, tokenizer, kinds = _loaded(job, job.config)
        from harness.train.backends.grpo import run_grpo

        return run_grpo(model, tokenizer, job, events, **kinds)


def _loaded(job: Job, config: TrainConfig) -> tuple[Any, Any, dict[str, bool]]:
    _only_lora(config)
    from unsloth import FastLanguageModel  # first of all: it patches transformers and trl

    model, tokenizer = FastLanguageModel.from_pretrained(**_loading(job, config))
    targets = [*ATTENTION, *MLP] if config.target_modules in (None, "all-linear") else list(config.target_modules)
    model = FastLanguageModel.get_peft_model(model, target_modules=targets, **_adapter(config))
    return model, tokenizer, _numbers()


def _seeing(job: Job, config: VisionConfig) -> tuple[Any, Any, dict[str, bool]]:
    _only_lora(config)
    from unsloth import FastVisionModel

    model, processor = FastVisionModel.from_pretrained(**_loading(job, config))
    model = FastVisionModel.get_peft_model(
        model,
        finetune_vision_layers=config.finetune_vision_layers,
        finetune_language_layers=config.finetune_language_layers,
        finetune_attention_modules=config.finetune_attention_modules,
        finetune_mlp_modules=config.finetune_mlp_modules,
        **_adapter(config),
    )
    FastVisionModel.for_training(model)
    return model, getattr(processor, "tokenizer", processor), _numbers()


def _only_lora(config: TrainConfig) -> None:
    if config.method != "lora":
        raise InputError(f"Unsloth trains LoRA, not {config.method}", where="method", remedy="Use backend: trl for it.")


def _loading(job: Job, config: TrainConfig) -> dict[str, Any]:
    import torch

    return {
        "model_name": str(job.base),
        "max_seq_length": config.max_seq_length,
        "dtype": None if config.dtype == "auto" else getattr(torch, config.dtype),
        "load_in_4bit": config.load_in_4bit,
    }


def _adapter(config: TrainConfig) -> dict[str, Any]:
    return {
        "r": config.r,
        "lora_alpha": config.lora_alpha,
        "lora_dropout": config.lora_dropout,
        "use_rslora": config.use_rslora,
        "use_gradient_checkpointing": "unsloth" if config.gradient_checkpointing else False,
        "random_state": config.seed,
        "bias": "none",
    }


def _numbers() -> dict[str, bool]:
    import torch

    bf16 = torch.cuda.is_bf16_supported()
    return {"bf16": bf16, "fp16": not bf16}
