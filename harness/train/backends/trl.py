"""TRL and PEFT: on a CPU or a GPU."""

from __future__ import annotations

from typing import Any

from harness.errors import InputError
from harness.train.backends.base import SftJob, Trained
from harness.train.backends.trainer import run_sft
from harness.train.methods import peft_config


class TrlBackend:
    """Transformers loads the model, PEFT puts adapters on it, TRL trains them."""

    name = "trl"

    def sft(self, job: SftJob) -> Trained:
        """See `Backend.sft`."""
        import torch
        from transformers import AutoTokenizer, set_seed
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        set_seed(job.config.seed)  # before the adapters are made: their first values are random
        dtype = _dtype(job.config.dtype)
        model = _load(job, dtype)
        tokenizer = AutoTokenizer.from_pretrained(str(job.base))
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        return run_sft(
            model,
            tokenizer,
            job,
            bf16=dtype is torch.bfloat16 and torch.cuda.is_available(),
            fp16=dtype is torch.float16,
            peft_config=peft_config(job.config, job.steps),
        )


def _dtype(asked: str) -> Any:
    """The number format of the weights; adapters are trained in float32."""
    import torch

    if asked != "auto":
        return getattr(torch, asked)
    if not torch.cuda.is_available():
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def _load(job: SftJob, dtype: Any) -> Any:
    from importlib.util import find_spec

    import torch
    from transformers import AutoModelForCausalLM

    settings: dict[str, Any] = {"dtype": dtype}
    if job.config.load_in_4bit:
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
    return AutoModelForCausalLM.from_pretrained(str(job.base), **settings)
