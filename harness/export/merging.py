"""An adapter merged into its base by PEFT: a model folder that needs no adapter any more.

The base is loaded in the number format it is stored in, each layer's update is computed in float32 and added, and the
sum is rounded once. What goes with the weights (tokenizer, chat template, generation config, processor) is copied file
by file: a library that saves a tokenizer again may save another one.

Source: https://huggingface.co/docs/peft (merge_and_unload).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Literal

from harness.candidates.adapter import AdapterFolder
from harness.candidates.candidate import ModelCandidate
from harness.candidates.prompt import chat_template, stop_token_ids
from harness.candidates.tokenizer import PromptTokenizer, read_json
from harness.candidates.vision import FAMILIES
from harness.engines.transformers_model import unloadable
from harness.errors import InputError

Dtype = Literal["bfloat16", "float16"]

#: What is copied from the base beside its weights; its own code (*.py) is what trust_remote_code runs.
_COMPANIONS = {".json", ".jinja", ".txt", ".model", ".tiktoken", ".py"}
#: Written anew with the weights.
_OF_WEIGHTS = ("config.json", ".safetensors.index.json", ".bin.index.json")

#: Methods that put virtual tokens before the prompt: no weight of the model changes.
_VIRTUAL = {"PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING", "MULTITASK_PROMPT_TUNING", "ADAPTION_PROMPT"}

#: Layers that share one matrix where a model ties them.
_TIED = ("lm_head", "embed_tokens")


def unmergeable(adapter: AdapterFolder, base: Path) -> InputError | None:
    """Why an adapter cannot be merged into a base, or None."""
    method = str(adapter.config.get("peft_type", "LORA")).upper()
    if method in _VIRTUAL:
        return InputError(
            f"{method} puts virtual tokens before the prompt: there is nothing to merge",
            where=str(adapter.path),
            remedy="Serve it through transformers with PEFT, or train a LoRA.",
        )
    if why := unloadable(adapter.config):
        return InputError(f"the adapter cannot be merged: {why}", where=str(adapter.path))
    if "quantization_config" in read_json(base / "config.json"):
        return InputError(
            "the base is a quantised checkpoint: merging into it would round the adapter away",
            where=str(base),
            remedy="Give the 16-bit weights of the same model with --base PATH.",
        )
    return None


def half_precision(base: Path) -> Dtype:
    """The 16-bit format of a merge: the checkpoint's own, else bfloat16."""
    config = read_json(base / "config.json")
    stored = str(config.get("dtype") or config.get("torch_dtype")).removeprefix("torch.")
    return "float16" if stored == "float16" else "bfloat16"


def merge(candidate: ModelCandidate, dtype: Dtype, folder: Path) -> None:
    """Write the merged model into an empty folder, with everything that serving it needs.

    Raises:
        InputError: the merge makes numbers that are none, or the weights do not load.
        OSError: it cannot be written.
    """
    assert candidate.adapter is not None
    model = _load(candidate.model, dtype)
    if _tied(model) and any(layer in name for name in candidate.adapter.shapes for layer in _TIED):
        _untie(model)
    merged = _merged(model, candidate.adapter)
    try:
        merged.save_pretrained(folder)
    except Exception as error:  # safetensors reports a full disk as an error of its own
        raise OSError(*_system_error(error)) from error
    copy_companions(candidate, folder)


def copy_companions(candidate: ModelCandidate, folder: Path) -> None:
    """Tokenizer, chat template, generation config and processor: as the adapter on its base is asked."""
    for file in sorted(candidate.model.iterdir()):
        if file.is_file() and file.suffix in _COMPANIONS and not _of_weights(file.name):
            shutil.copyfile(file, folder / file.name)
    assert candidate.adapter is not None
    if template := chat_template(candidate.adapter.path):
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    if stop_token_ids(folder, None, PromptTokenizer(folder)) != candidate.stop_token_ids:
        config = read_json(folder / "generation_config.json") | {"eos_token_id": list(candidate.stop_token_ids)}
        (folder / "generation_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _of_weights(name: str) -> bool:
    return name == "config.json" or name.endswith(_OF_WEIGHTS[1:])


def _load(base: Path, dtype: Dtype) -> Any:
    import torch
    import transformers

    transformers.logging.disable_progress_bar()
    sees = read_json(base / "config.json").get("model_type") in FAMILIES
    kind = transformers.AutoModelForImageTextToText if sees else transformers.AutoModelForCausalLM
    try:
        return kind.from_pretrained(str(base), dtype=getattr(torch, dtype), use_safetensors=True, local_files_only=True)
    except (ValueError, RuntimeError, OSError) as error:
        raise InputError(f"the base cannot be loaded ({error})", where=str(base)) from None


def _merged(model: Any, adapter: AdapterFolder) -> Any:
    import peft

    try:
        wrapped = peft.PeftModel.from_pretrained(model, str(adapter.path))
        return wrapped.merge_and_unload(safe_merge=True)
    except ValueError as error:
        raise InputError(f"the adapter cannot be merged ({error})", where=str(adapter.path)) from None


def _tied(model: Any) -> bool:
    head, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    return head is not None and head.weight is embedding.weight


def _untie(model: Any) -> None:
    """Give the output layer a matrix of its own: an adapter of one of the two would change both.

    PEFT adapts only the one it was told to, so a tied merge answers with an embedding that was never trained.
    """
    import torch

    head = model.get_output_embeddings()
    head.weight = torch.nn.Parameter(head.weight.detach().clone())
    for config in {id(c): c for c in (model.config, model.config.get_text_config())}.values():
        config.tie_word_embeddings = False


def _system_error(error: Exception) -> tuple[int, str]:
    """Number and words of the operating system's error behind a library's."""
    import errno
    import os
    import re

    if isinstance(error, OSError) and error.errno:
        return error.errno, os.strerror(error.errno)
    found = re.search(r"os error (\d+)", str(error))
    number = int(found[1]) if found else errno.EIO
    return number, os.strerror(number) if found else str(error)
