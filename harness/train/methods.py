"""PEFT's methods, by the names that people call them."""

from __future__ import annotations

from typing import Any

from harness.train.config import MLP, TrainConfig


def peft_config(config: TrainConfig, steps: int) -> Any:
    """The `peft.PeftConfig` of a training config.

    Args:
        steps: optimiser steps in all; AdaLoRA moves its budget by them.
    """
    import peft

    task: dict[str, Any] = {"task_type": "CAUSAL_LM"}
    targets = config.target_modules if config.target_modules in (None, "all-linear") else list(config.target_modules)
    if config.method in ("lora", "dora"):
        return peft.LoraConfig(
            r=config.r,
            lora_alpha=config.lora_alpha,
            lora_dropout=config.lora_dropout,
            target_modules=targets,
            use_rslora=config.use_rslora,
            use_dora=config.method == "dora",
            **task,
        )
    if config.method == "adalora":
        return peft.AdaLoraConfig(
            target_r=config.r,
            init_r=round(1.5 * config.r),  # AdaLoRA's paper starts with half as much again (Zhang et al. 2023)
            lora_alpha=config.lora_alpha,
            lora_dropout=config.lora_dropout,
            target_modules=targets,
            tinit=steps // 10,
            tfinal=steps // 3,
            deltaT=max(1, steps // 100),
            total_step=steps,
            **task,
        )
    if config.method in ("loha", "lokr"):
        kind = peft.LoHaConfig if config.method == "loha" else peft.LoKrConfig
        return kind(
            r=config.r, alpha=config.lora_alpha, module_dropout=config.lora_dropout, target_modules=targets, **task
        )
    if config.method == "ia3":
        forward = [name for name in targets if name in MLP] if isinstance(targets, list) else None
        return peft.IA3Config(target_modules=targets, feedforward_modules=forward, **task)
    kinds = {
        "prompt-tuning": peft.PromptTuningConfig,
        "prefix-tuning": peft.PrefixTuningConfig,
        "p-tuning": peft.PromptEncoderConfig,
    }
    return kinds[config.method](num_virtual_tokens=config.num_virtual_tokens, **task)
