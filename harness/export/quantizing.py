"""A merged folder in 4 bit: bitsandbytes' NF4, as QLoRA uses it.

Source: https://huggingface.co/docs/transformers/quantization/bitsandbytes.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from harness.errors import InputError

#: How the weights are kept, for the record.
METHOD = "bitsandbytes NF4 with double quantisation"


def check_four_bit() -> None:
    """Refuse where NF4 cannot be made.

    Raises:
        InputError: there is no GPU, or no bitsandbytes.
    """
    import torch

    if not torch.cuda.is_available():
        raise InputError(
            "4-bit weights (bitsandbytes NF4) are made on a GPU, and there is none",
            where="--to merged4",
            remedy="Use --to merged16 here, or run this on a machine with a GPU.",
        )
    if find_spec("bitsandbytes") is None:
        raise InputError(
            "bitsandbytes is not installed", where="--to merged4", remedy="pip install bitsandbytes, or --to merged16."
        )


def quantize(merged: Path, folder: Path, *, dtype: str) -> None:
    """Write the weights of a merged folder in 4 bit; other files are the caller's.

    Args:
        dtype: of the arithmetic, as the merged weights are stored.

    Raises:
        OSError: it cannot be written.
    """
    import torch
    import transformers

    from harness.candidates.tokenizer import read_json
    from harness.candidates.vision import FAMILIES

    sees = read_json(merged / "config.json").get("model_type") in FAMILIES
    kind = transformers.AutoModelForImageTextToText if sees else transformers.AutoModelForCausalLM
    model = kind.from_pretrained(
        str(merged),
        dtype=getattr(torch, dtype),
        device_map={"": torch.cuda.current_device()},
        quantization_config=transformers.BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=getattr(torch, dtype),
        ),
        local_files_only=True,
    )
    model.save_pretrained(folder)
