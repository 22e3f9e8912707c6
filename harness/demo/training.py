"""Plain torch training of the base and of the LoRAs on it."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.demo.corpus import Example

log = logging.getLogger(__name__)

IGNORED = -100


@dataclass(frozen=True)
class Shape:
    """The architecture of the base."""

    hidden: int = 128
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    ffn: int = 384
    positions: int = 512


@dataclass(frozen=True)
class Schedule:
    """How long and how fast one model is trained.

    Attributes:
        lr: peak learning rate of AdamW; it warms up, stays, and falls to a tenth of it over the last part.
        muon_lr: peak learning rate of Muon for the matrices inside the layers (None: AdamW for everything).
        prompt_weight: weight of the loss on text that is only read.
    """

    steps: int
    batch: int
    lr: float
    muon_lr: float | None = None
    weight_decay: float = 0.01
    warmup: float = 0.03
    decay: float = 0.4
    prompt_weight: float = 0.0


@dataclass(frozen=True)
class Lora:
    """The adapters' form: every linear layer."""

    rank: int = 16
    alpha: int = 16
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def new_base(tokenizer: Any, shape: Shape, seed: int) -> Any:
    """An untrained Qwen2 model for this tokenizer."""
    import torch
    from transformers import GenerationConfig, Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden,
        intermediate_size=shape.ffn,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=shape.positions,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = Qwen2ForCausalLM(config)
    model.generation_config = GenerationConfig(
        do_sample=False, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    return model


def new_lora(base: Any, lora: Lora, seed: int) -> Any:
    """`base` with untrained adapters; only these will be trained."""
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    config = LoraConfig(
        r=lora.rank, lora_alpha=lora.alpha, target_modules=list(lora.targets), task_type="CAUSAL_LM", lora_dropout=0.0
    )
    return get_peft_model(base, config)


def fit(model: Any, tokenizer: Any, examples: Sequence[Example], plan: Schedule, seed: int) -> float:
    """Train in place, once over `examples`; the seconds it took."""
    import torch

    torch.manual_seed(seed)
    optimizers = _optimizers(model, plan)
    peaks = [[group["lr"] for group in optimizer.param_groups] for optimizer in optimizers]
    device = next(model.parameters()).device
    model.train()
    started = time.monotonic()
    for step, rows in enumerate(_batches(_encode(tokenizer, examples), plan, seed)):
        share = _rate(step / plan.steps, plan)
        for optimizer, rates in zip(optimizers, peaks, strict=True):
            for group, peak in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = peak * share
        ids, weights = (part.to(device) for part in _collate(rows, tokenizer.pad_token_id, plan.prompt_weight))
        loss = _loss(model, ids, weights)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if step % 50 == 0:
            log.info("step %d/%d loss %.4f after %.0f s", step, plan.steps, loss.item(), time.monotonic() - started)
    model.eval()
    return time.monotonic() - started


def _rate(progress: float, plan: Schedule) -> float:
    if progress < plan.warmup:
        return (progress + 1e-3) / plan.warmup
    left = (1 - progress) / plan.decay
    return 1.0 if left >= 1 else 0.02 + 0.98 * (1 - math.cos(math.pi * left)) / 2


def _optimizers(model: Any, plan: Schedule) -> list[Any]:
    import torch

    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    matrices = [p for name, p in trained if plan.muon_lr is not None and p.ndim == 2 and ".layers." in name]
    chosen = {id(p) for p in matrices}
    rest = [p for _, p in trained if id(p) not in chosen]
    made: list[Any] = [torch.optim.AdamW(rest, lr=plan.lr, betas=(0.9, 0.98), weight_decay=plan.weight_decay)]
    if matrices:
        assert plan.muon_lr is not None
        made.append(torch.optim.Muon(matrices, lr=plan.muon_lr, weight_decay=plan.weight_decay))
    return made


def _encode(tokenizer: Any, examples: Sequence[Example]) -> list[tuple[list[int], list[bool]]]:
    """Token ids and, for each, whether it is learned.

    Each segment is encoded for itself. A prompt and its answer meet at a special token or a line end, which no token
    crosses; a line of bare sums is cut behind its `=`, which parts the token `=(` of a division.
    """
    texts = [text for example in examples for text, _ in example.segments]
    encoded = iter(tokenizer(texts)["input_ids"])
    rows = []
    for example in examples:
        ids: list[int] = []
        learned: list[bool] = []
        for _, learn in example.segments:
            part = next(encoded)
            ids += part
            learned += [learn] * len(part)
        rows.append((ids, learned))
    return rows


def _batches(
    rows: list[tuple[list[int], list[bool]]], plan: Schedule, seed: int
) -> list[list[tuple[list[int], list[bool]]]]:
    """Batches of rows of like length (sorted within windows, then shuffled): little padding, still random."""
    rng = random.Random(f"{seed}:batches")
    batches = []
    window = 16 * plan.batch
    for start in range(0, len(rows), window):
        near = sorted(rows[start : start + window], key=lambda row: len(row[0]))
        cut = [near[i : i + plan.batch] for i in range(0, len(near), plan.batch)]
        rng.shuffle(cut)
        batches += cut
    return batches[: plan.steps]


def _collate(rows: list[tuple[list[int], list[bool]]], pad: int, prompt_weight: float) -> tuple[Any, Any]:
    import torch

    width = max(len(ids) for ids, _ in rows)
    ids = torch.full((len(rows), width), pad)
    weights = torch.zeros(len(rows), width)
    for number, (row, learned) in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row)
        weights[number, : len(row)] = torch.where(torch.tensor(learned), 1.0, prompt_weight)
    return ids, weights


def _loss(model: Any, ids: Any, weights: Any) -> Any:
    """Mean loss over the learned tokens. Padding is on the right, so a causal model needs no mask."""
    from torch.nn.functional import cross_entropy

    target, weight = ids[:, 1:], weights[:, 1:]
    hidden = model.get_base_model().model(ids) if hasattr(model, "get_base_model") else model.model(ids)
    used = weight > 0
    logits = model.get_output_embeddings()(hidden.last_hidden_state[:, :-1][used])
    losses = cross_entropy(logits.float(), target[used], reduction="none")
    return (losses * weight[used]).sum() / (weight[used] == 1).sum().clamp(min=1)
