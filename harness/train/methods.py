"""PEFT's methods, by the names that people call them."""

from __future__ import annotations

from typing import Any

from harness.train.config import ATTENTION, MLP, TrainConfig, VisionConfig


def peft_config(config: TrainConfig, steps: int) -> Any:
    """The `peft.PeftConfig` of a training config.

    Args:
        steps: optimiser steps in all; AdaLoRA moves its budget by them.
    """
    import peft

    task: dict[str, Any] = {"task_type": "CAUSAL_LM"}
    targets = _targets(config)
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


#: Linear layers of the picture half of Qwen2-VL and Qwen2.5-VL, as transformers names them.
_VISION_ATTENTION = ("qkv", "proj")
_VISION_MLP = ("gate_proj", "up_proj", "down_proj", "fc1", "fc2")


def _targets(config: TrainConfig) -> Any:
    """PEFT's `target_modules`: names, None, "all-linear", or for a vision model a pattern of full names."""
    if isinstance(config, VisionConfig):
        return vision_targets(config)
    return config.target_modules if config.target_modules in (None, "all-linear") else list(config.target_modules)


def vision_targets(config: VisionConfig) -> str:
    """The layers that the four switches name, as a regular expression of whole module names.

    The language half is `…language_model.layers.N`, the picture half `…visual.blocks.N`; what joins them
    (`…visual.merger`) is left alone, as Unsloth's switches do.
    """
    halves = []
    for wanted, place, attention, mlp in (
        (config.finetune_language_layers, r"language_model\.layers", ATTENTION, MLP),
        (config.finetune_vision_layers, r"visual\.blocks", _VISION_ATTENTION, _VISION_MLP),
    ):
        names = (
            *(attention if config.finetune_attention_modules else ()),
            *(mlp if config.finetune_mlp_modules else ()),
        )
        if wanted:
            halves.append(rf"{place}\.\d+\.(?:attn|self_attn|mlp)\.(?:{'|'.join(names)})")
    return rf".*\.(?:{'|'.join(halves)})"
