"""TRL and PEFT: on a CPU or a GPU."""

from __future__ import annotations

from typing import Any

from harness.errors import InputError
from harness.train.backends.base import Events, GrpoJob, Job, SftJob, Trained
from harness.train.backends.grpo import run_grpo
from harness.train.backends.sft import run_sft
from harness.train.config import TrainConfig
from harness.train.methods import peft_config


class TrlBackend:
    """Transformers loads the model, PEFT puts adapters on it, TRL trains them."""

    name = "trl"

    def sft(self, job: SftJob, events: Events) -> Trained:
        """See `Backend.sft`."""
        model, tokenizer, kinds = _loaded(job, job.config, sees=job.vision is not None)
        return run_sft(model, tokenizer, job, events, **kinds)

    def grpo(self, job: GrpoJob, events: Events) -> Trained:
        """See `Backend.grpo`."""
        model, tokenizer, kinds = _loaded(job, job.config)
        return run_grpo(model, tokenizer, job, events, **kinds)


def _loaded(job: Job, config: TrainConfig, *, sees: bool = False) -> tuple[Any, Any, dict[str, Any]]:
    """The base, a tokenizer that pads, and what the trainer has to know of both."""
    import torch
    from transformers import AutoTokenizer, set_seed
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()  # how it aligns pad tokens with a model's is nobody's concern
    set_seed(config.seed)  # before the adapters are made: their first values are random
    dtype = _dtype(config.dtype)
    model = _load(job, config, dtype, sees=sees)
    tokenizer = AutoTokenizer.from_pretrained(str(job.base))
    # Transformers gives some models a pad token that their vocabulary has no row for.
    if tokenizer.pad_token_id is None or tokenizer.pad_token_id >= model.get_input_embeddings().num_embeddings:
        tokenizer.pad_token = tokenizer.eos_token
    kinds = {
        "bf16": dtype is torch.bfloat16 and torch.cuda.is_available(),
        "fp16": dtype is torch.float16,
        "peft_config": peft_config(config, job.steps),
    }
    return model, tokenizer, kinds


def _dtype(asked: str) -> Any:
    """The number format of the weights; adapters are trained in float32."""
    import torch

    if asked != "auto":
        return getattr(torch, asked)
    if not torch.cuda.is_available():
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def _load(job: Job, config: TrainConfig, dtype: Any, *, sees: bool) -> Any:
    from importlib.util import find_spec

    import torch
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

    settings: dict[str, Any] = {"dtype": dtype}
    if config.load_in_4bit:
        if not torch.cuda.is_available() or find_spec("bitsandbytes") is None:
            raise InputError(
                "load_in_4bit needs a GPU and bitsandbytes", where="load_in_4bit", remedy="Set it to false here."
            )
        from transformers import BitsAndBytesConfig

        settings["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype, bnb_4bit_use_double_quant=True
        )
    if torch.cuda.is_available():
        settings["device_map"] = {"": torch.cuda.current_device()}
    kind = AutoModelForImageTextToText if sees else AutoModelForCausalLM
    return kind.from_pretrained(str(job.base), **settings)
