"""A tiny random Qwen2 with a tokenizer and adapters, made in seconds: real engines answer with it.

The weights are drawn with a large deviation, so that answers vary with the prompt and adapters change them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.digest import digest_file
from harness.engines.base import Adapter

EOS = "<|im_end|>"
SPECIAL = ["<|endoftext|>", "<|im_start|>", EOS]
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


TEXTS = ["the cat sat on the mat", "the rain in Spain stays", "阿司匹林用于退热"]


def make_tokenizer(
    folder: Path, *, texts: Sequence[str] = TEXTS, vocab_size: int = 320, special: Sequence[str] = SPECIAL
) -> None:
    """A byte-level BPE that has learned the words of `texts`, with Qwen's special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(list(texts) * 3, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": EOS, "pad_token": SPECIAL[0]})
    )


def make_model(folder: Path, *, seed: int = 0, vocab_size: int = 320) -> Path:
    """A Qwen2 of two layers in float32, with a generation config that would change every answer if it leaked."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=vocab_size,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=512,
        initializer_range=0.25,
        eos_token_id=2,
        bos_token_id=None,
        tie_word_embeddings=False,
    )
    model = Qwen2ForCausalLM(config).float()
    model.save_pretrained(folder)
    (folder / "generation_config.json").write_text(
        json.dumps(
            {"do_sample": True, "temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.3}
            | {"eos_token_id": [2, 0], "pad_token_id": 0}
        )
    )
    make_tokenizer(folder)
    return folder


def make_adapter(model: Path, folder: Path, *, seed: int, rank: int = 8, config: Any = None) -> Adapter:
    """An adapter with an effect: every tensor of it is drawn at random."""
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    torch.manual_seed(seed)
    if config is None:
        config = peft.LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=TARGETS, task_type="CAUSAL_LM")
    wrapped = peft.get_peft_model(base, config)
    with torch.no_grad():
        for parameter in wrapped.parameters():
            if parameter.requires_grad:
                parameter.normal_(0.0, 0.1)
    wrapped.save_pretrained(folder)
    return Adapter(path=folder, digest=digest_file(folder / "adapter_model.safetensors"), rank=rank)
