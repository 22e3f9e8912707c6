"""TRL's GRPOTrainer over prompts that are tokenised already; both backends learn from rewards through it.

Source: `trl.GRPOTrainer`; the method is Shao et al. 2024 (DeepSeekMath).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

from harness.errors import InputError
from harness.train.backends.base import Events, GrpoJob, Trained
from harness.train.backends.trainer import arguments, run
from harness.train.config import GrpoConfig
from harness.train.rewards import Reward


def run_grpo(
    model: Any, tokenizer: Any, job: GrpoJob, events: Events, *, bf16: bool, fp16: bool, peft_config: Any = None
) -> Trained:
    """Train `model` on the job's questions.

    Args:
        tokenizer: decodes answers and pads; prompts are not tokenised with it.
        peft_config: adapters to put on the model; None where it has them.

    Raises:
        InputError: a user's reward fails.
        IncompleteError: see `trainer.run`.
    """
    from datasets import Dataset, disable_progress_bars
    from trl import GRPOConfig as Arguments

    config = job.config
    disable_progress_bars()
    prompts = {"prompt": [prompt.text for prompt in job.prompts], "gold": [prompt.gold for prompt in job.prompts]}
    settings: dict[str, Any] = {
        "num_generations": config.num_generations,
        "max_completion_length": config.max_completion_length,
        "temperature": config.temperature,
        "top_p": config.top_p,
        "beta": config.beta,
        "reward_weights": [reward.weight for reward in job.rewards],
    }
    if generates_with_vllm(config):
        settings |= {
            "use_vllm": True,
            "vllm_mode": "colocate",
            "vllm_gpu_memory_utilization": config.vllm_gpu_memory_utilization,
            "vllm_max_model_length": config.max_seq_length,
        }
    trainer = _trainer_class({prompt.text: list(prompt.ids) for prompt in job.prompts})

    def make(callbacks: list[Any]) -> Any:
        return trainer(
            model=model,
            reward_funcs=[_as_trl(reward) for reward in job.rewards],
            args=Arguments(**arguments(job, config, bf16=bf16, fp16=fp16), **settings),
            train_dataset=Dataset.from_dict(prompts),
            processing_class=tokenizer,
            peft_config=peft_config,
            callbacks=callbacks,
        )

    return run(make, job, config, events)


def generates_with_vllm(config: GrpoConfig) -> bool:
    """Whether answers come from vLLM.

    Raises:
        InputError: it is asked for and cannot be had.
    """
    import torch

    usable = torch.cuda.is_available() and find_spec("vllm") is not None
    if config.use_vllm is True and not usable:
        raise InputError(
            "use_vllm needs a GPU and vLLM",
            where="use_vllm",
            remedy="Set it to false: transformers then generates. Or: pip install 'finetune-harness[vllm]'.",
        )
    return usable and config.use_vllm is not False


def _as_trl(reward: Reward) -> Callable[..., list[float]]:
    function = reward.load()

    def rewarded(completions: Sequence[str], gold: Sequence[str], **_: Any) -> list[float]:
        return [function(text, answer) for text, answer in zip(completions, gold, strict=True)]

    rewarded.__name__ = reward.name  # TRL logs it under this name
    return rewarded


def _trainer_class(ids: dict[str, list[int]]) -> Any:
    """TRL's trainer, which takes our ids: no library's idea of a tokenizer comes in."""
    import torch
    from trl import GRPOTrainer

    class OurPrompts(GRPOTrainer):  # type: ignore[misc]
        def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[list[int]], None, dict[str, Any]]:
            return [ids[prompt] for prompt in prompts], None, {}

    if torch.cuda.is_available():
        return OurPrompts

    class CpuTrainer(OurPrompts):
        """TRL computes log-probabilities in a Triton kernel; without a GPU they come from the model's own logits."""

        def _get_per_token_logps_and_entropies(
            self, model: Any, input_ids: Any, attention_mask: Any, logits_to_keep: int, **options: Any
        ) -> tuple[Any, Any, None]:
            logits = model(input_ids=input_ids, attention_mask=attention_mask, logits_to_keep=logits_to_keep + 1).logits
            shares = torch.log_softmax(logits[:, :-1].float() / self.temperature, dim=-1)
            chosen = shares.gather(-1, input_ids[:, -logits_to_keep:, None])[..., 0]
            entropies = -(shares.exp() * shares).sum(-1) if options.get("compute_entropy") else None
            return chosen, entropies, None

    return CpuTrainer
