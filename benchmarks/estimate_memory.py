"""Peak memory of real training steps on a GPU beside what `harness estimate` says of them.

    python benchmarks/estimate_memory.py           # every case; the largest takes about 50 GiB
    python benchmarks/estimate_memory.py 0.5b      # the cases of one size

The weights are random, for memory does not depend on their values. Two optimiser steps of two micro-batches each, with
transformers' own loss, PEFT's adapters, and no padding. Bar: the peak lies between the estimate's bounds.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

#: Size, and the settings of `harness.train.estimate.settings.Training` that differ from its defaults.
CASES: list[tuple[str, dict[str, Any]]] = [
    ("0.5b", {"method": "full", "dtype": "mixed", "seq": 1024, "batch": 2}),
    ("0.5b", {"method": "full", "dtype": "bfloat16", "seq": 1024, "batch": 4}),
    ("0.5b", {"method": "lora", "seq": 2048, "batch": 4}),
    ("1.5b", {"method": "full", "dtype": "mixed", "seq": 1024, "batch": 1}),
    ("1.5b", {"method": "full", "dtype": "mixed", "seq": 2048, "batch": 4, "gradient_checkpointing": True}),
    ("7b", {"method": "lora", "seq": 1024, "batch": 1}),
    ("7b", {"method": "lora", "seq": 2048, "batch": 2}),
    ("7b", {"method": "lora", "seq": 2048, "batch": 4, "gradient_checkpointing": True}),
]


def peak(config: dict[str, Any], settings: dict[str, Any]) -> int:
    """Most bytes that torch had allocated at once."""
    import peft
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    mixed = settings.get("dtype") == "mixed"
    torch.set_default_dtype(torch.float32 if mixed else torch.bfloat16)
    with torch.device("cuda"):
        model = Qwen2ForCausalLM(Qwen2Config(**config, use_cache=False))
    torch.set_default_dtype(torch.float32)
    if settings.get("gradient_checkpointing"):
        model.gradient_checkpointing_enable({"use_reentrant": False})
    if settings["method"] == "lora":
        targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
        model.enable_input_require_grads()
        model = peft.get_peft_model(model, peft.LoraConfig(r=16, target_modules=targets, task_type="CAUSAL_LM"))
    model.train()
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], fused=True)
    ids = torch.randint(0, config["vocab_size"], (settings["batch"], settings["seq"]), device="cuda")
    torch.cuda.reset_peak_memory_stats()
    for _ in range(2):
        for _ in range(2):
            with torch.autocast("cuda", torch.bfloat16):
                loss = model(input_ids=ids, labels=ids).loss
            loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    return int(torch.cuda.max_memory_allocated())


def main() -> None:
    import torch

    from harness.train.estimate.estimate import GIB, estimate_memory
    from harness.train.estimate.model import Model
    from harness.train.estimate.settings import Training
    from harness.train.estimate.shape import shape_of
    from harness.train.estimate.sizes import SIZES

    missed = 0
    for size, settings in CASES:
        if sys.argv[1:] and size not in sys.argv[1:]:
            continue
        config = SIZES[size].config
        shape = shape_of(config, size)
        model = Model(size, size, shape, shape.parameters, {})
        said = estimate_memory(model, Training(**settings, fused_loss=False), cards=())
        gc.collect()
        torch.cuda.empty_cache()
        seen = peak(config, settings)
        inside = said.low <= seen <= said.high
        missed += not inside
        shown = f"{said.total / GIB:.2f} ({said.low / GIB:.2f} to {said.high / GIB:.2f})"
        reserved = torch.cuda.max_memory_reserved() / seen - 1
        print(f"{size} {settings}: measured {seen / GIB:.2f} GiB, estimated {shown} {'ok' if inside else 'MISSED'}")
        print(f"  torch had reserved {reserved:.0%} more")
    free, total = torch.cuda.mem_get_info()
    print(f"CUDA context: {(total - free - torch.cuda.memory_reserved()) / GIB:.2f} GiB, if nobody else is on the GPU")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
