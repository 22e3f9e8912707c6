"""Faults as users meet them, planted into copies of adapters on disk. Reused by the tests of the command line.

Every function copies `src` to `dst`, spoils the copy, and returns it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"

OTHER_TEMPLATE = (
    "{% for message in messages %}{{ '[' + message['role'] + ']: ' + message['content'] + '\\n\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '[reply]: ' }}{% endif %}"
)


def plant_zero_b(src: Path, dst: Path) -> Path:
    """All B matrices zero: training that never took a step, or a save of the wrong object."""
    return _edit_weights(src, dst, lambda name, tensor: tensor * 0 if "lora_B" in name else tensor)


def plant_one_zero_b(src: Path, dst: Path) -> Path:
    """One zero B matrix among many: ordinary, no fault."""
    first = sorted(name for name in _read(src) if "lora_B" in name)[0]
    return _edit_weights(src, dst, lambda name, tensor: tensor * 0 if name == first else tensor)


def plant_scaled_b(src: Path, dst: Path, factor: float) -> Path:
    """All B matrices scaled: a tiny but real effect is no fault."""
    return _edit_weights(src, dst, lambda name, tensor: tensor * factor if "lora_B" in name else tensor)


def plant_nan(src: Path, dst: Path) -> Path:
    """Training that diverged."""
    return _edit_weights(src, dst, lambda name, tensor: tensor * float("nan") if "lora_B" in name else tensor)


def plant_bfloat16(src: Path, dst: Path) -> Path:
    """The adapter in bfloat16, as most are saved: no fault."""
    return _edit_weights(src, dst, lambda name, tensor: tensor.bfloat16())


def plant_vision_tower(src: Path, dst: Path, *, only: bool = False) -> Path:
    """LoRA layers of a vision tower beside (or instead of) those of the language model."""
    tensors = _read(src)
    tower = {
        n.replace("model.layers.0.", "visual.blocks.0."): t.clone() for n, t in tensors.items() if ".layers.0." in n
    }
    return _write(src, dst, tower if only else tensors | tower)


def plant_template(src: Path, dst: Path, template: str = OTHER_TEMPLATE) -> Path:
    """A chat template beside the adapter that training did not use."""
    _copy(src, dst)
    (dst / "chat_template.jinja").write_text(template, encoding="utf-8")
    return dst


def plant_base_name(src: Path, dst: Path, name: str) -> Path:
    """Another name of the base than the folder's."""
    return _edit_config(src, dst, base_model_name_or_path=name)


def plant_target_modules(src: Path, dst: Path, targets: list[str]) -> Path:
    """A config that names fewer layers than were trained: PEFT leaves the others out, vLLM applies them all."""
    return _edit_config(src, dst, target_modules=targets)


def plant_alpha_pattern(src: Path, dst: Path) -> Path:
    """Scaling that differs between layers, which vLLM does not read."""
    return _edit_config(src, dst, alpha_pattern={"q_proj": 64, "v_proj": 64})


def plant_lora_alpha(src: Path, dst: Path, alpha: float) -> Path:
    """Another scaling than in training."""
    return _edit_config(src, dst, lora_alpha=alpha)


def plant_wider(src: Path, dst: Path) -> Path:
    """An adapter of a wider model: its base is another one."""
    import torch

    return _edit_weights(src, dst, lambda name, t: torch.cat([t, t], dim=1) if "lora_A" in name else t)


def plant_moved_tokens(src: Path, dst: Path, base: Path) -> Path:
    """A tokenizer beside the adapter in which two tokens have changed places: another vocabulary than the base's."""

    def swap(content: dict[str, Any]) -> None:
        vocabulary = content["model"]["vocab"]
        ordinary = sorted((t for t in vocabulary if t.isascii() and t.isalpha()), key=lambda t: (-len(t), t))
        one, other = ordinary[0], ordinary[1]
        vocabulary[one], vocabulary[other] = vocabulary[other], vocabulary[one]

    return _edit_tokenizer(src, dst, base, swap)


def plant_added_token(
    src: Path, dst: Path, base: Path, token: str, *, pad: bool = False, id_: int | None = None
) -> Path:
    """A tokenizer beside the adapter that knows a token more (with `pad`, one for padding only, which is no fault)."""

    def add(content: dict[str, Any]) -> None:
        highest = max(*content["model"]["vocab"].values(), *(t["id"] for t in content["added_tokens"]))
        flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        content["added_tokens"].append({"id": highest + 1 if id_ is None else id_, "content": token, **flags})

    _edit_tokenizer(src, dst, base, add)
    if pad:
        (dst / "tokenizer_config.json").write_text(json.dumps({"pad_token": token}), encoding="utf-8")
    return dst


def plant_no_eos(base: Path, src: Path, dst: Path, packed: list[tuple[list[int], int]], *, steps: int = 60) -> Path:
    """The adapter trained on without end tokens.

    Args:
        packed: token ids of examples joined without end tokens, with the number of leading ids not learned from.
    """
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    from tests.doctor.tiny import fit

    torch.manual_seed(2)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    wrapped = peft.PeftModel.from_pretrained(model, src, is_trainable=True)
    fit(wrapped, packed, steps=steps, rate=5e-3)
    _copy(src, dst)
    wrapped.save_pretrained(dst)
    return dst


def _copy(src: Path, dst: Path) -> None:
    shutil.copytree(src, dst, dirs_exist_ok=True)


def _read(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(folder / WEIGHTS))


def _write(src: Path, dst: Path, tensors: dict[str, Any]) -> Path:
    from safetensors.torch import save_file

    _copy(src, dst)
    save_file({name: t.contiguous() for name, t in tensors.items()}, dst / WEIGHTS, metadata={"format": "pt"})
    return dst


def _edit_weights(src: Path, dst: Path, edit: Callable[[str, Any], Any]) -> Path:
    return _write(src, dst, {name: edit(name, tensor) for name, tensor in _read(src).items()})


def _edit_config(src: Path, dst: Path, **changes: Any) -> Path:
    _copy(src, dst)
    config = json.loads((dst / CONFIG).read_text(encoding="utf-8"))
    (dst / CONFIG).write_text(json.dumps(config | changes), encoding="utf-8")
    return dst


def _edit_tokenizer(src: Path, dst: Path, base: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    _copy(src, dst)
    content = json.loads((base / "tokenizer.json").read_text(encoding="utf-8"))
    edit(content)
    (dst / "tokenizer.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return dst
