"""Starting vLLM: what it can serve, with which arguments and environment, and what to say when it does not start."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.candidates.settings import EngineSettings
from harness.candidates.tokenizer import read_json
from harness.candidates.vision import FAMILIES
from harness.engines._shared import changes_base, is_out_of_memory, offline_environment
from harness.engines.base import EngineSpec
from harness.errors import HarnessError, InputError

LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""Values vLLM takes as `max_lora_rank`."""

MAX_LORAS = 8
"""LoRAs in one batch; more than these take turns."""

# Every captured batch size costs start-up time twice over (with and without LoRA): all 51 default sizes took 191 s on
# a 7B model, a few 77 s. A batch runs at the next captured size. Below 64 sequences a 7B decode step is bound by
# reading the weights and padding is free; above it, steps of 32 follow the 32- to 64-row tiles of the matrix products,
# and beyond 256, where steps are bound by arithmetic, padding stays under a sixth.
CAPTURE_SIZES = (1, 2, 4, 8, 16, 32, 64, 96, 128, 160, 192, 224, 256, 320, 384, 448, 512)

# Keys of adapter_config.json that vLLM refuses, ignores or applies wrongly: anything but empty means that it would
# not answer with the adapter that was trained.
_UNSERVED: Mapping[str, str] = {
    "use_dora": "it uses DoRA",
    "modules_to_save": "it replaces whole modules (modules_to_save)",
    "rank_pattern": "its rank differs between modules (rank_pattern), and vLLM would scale them all alike",
    "alpha_pattern": "its alpha differs between modules (alpha_pattern), and vLLM would scale them all alike",
    "lora_bias": "its matrices carry a bias (lora_bias)",
    "trainable_token_indices": "it retrains single token embeddings (trainable_token_indices)",
    "target_parameters": "it adapts bare parameters (target_parameters)",
    "layer_replication": "it replicates layers (layer_replication)",
    "alora_invocation_tokens": "it is an activated LoRA (alora_invocation_tokens)",
    "use_qalora": "it uses QALoRA",
    "use_bdlora": "it uses block-diagonal LoRA",
    "arrow_config": "it routes between adapters (arrow_config)",
    "kasa_config": "it uses KaSA",
    "monteclora_config": "it uses MonteCLoRA",
}


def unservable(config: Mapping[str, Any]) -> str | None:
    """Why vLLM cannot serve an adapter, as a clause ("it uses DoRA"), or None when it can.

    Args:
        config: content of `adapter_config.json`.

    Source: `PEFTHelper` and `LoRAModel` of vLLM 0.24 to 0.28. PEFT's `rank_pattern` and `alpha_pattern` are not read
    there at all, so such adapters would be served with the wrong scale and no error.
    """
    kind = str(config.get("peft_type", "LORA")).upper()
    if kind != "LORA":
        return f"its method is {kind}, and vLLM serves LoRA only"
    for key, why in _UNSERVED.items():
        if config.get(key):
            return why
    if str(config.get("bias") or "none") != "none":
        return f"it retrains biases (bias: {config['bias']})"
    rank = config.get("r", 8)
    if not isinstance(rank, int) or not 1 <= rank <= LORA_RANKS[-1]:
        return f"its rank is {rank!r}, and vLLM takes 1 to {LORA_RANKS[-1]}"
    return changes_base(config)


def max_lora_rank(rank: int) -> int:
    """The smallest rank vLLM can be started with that holds `rank`.

    Raises:
        InputError: `rank` is higher than any.
    """
    for allowed in LORA_RANKS:
        if rank <= allowed:
            return allowed
    raise InputError(f"a LoRA of rank {rank} is more than vLLM takes ({LORA_RANKS[-1]})", remedy="Use transformers.")


def engine_arguments(spec: EngineSpec, *, max_position: int | None = None) -> dict[str, Any]:
    """Arguments of vLLM's `EngineArgs` for `spec`; what the settings pass through to vLLM overrides every one.

    Args:
        max_position: the longest sequence the model allows, from its config.
    """
    settings, passed = spec.settings, spec.settings.arguments("vllm")
    # One token more than asked for, because log-likelihoods are read off a request that must generate one.
    length = spec.max_model_len + 1
    given: dict[str, Any] = {
        "model": str(spec.model),
        "tokenizer": str(spec.tokenizer.folder),
        "dtype": spec.dtype,
        "quantization": spec.quantization,
        "max_model_len": min(length, max_position) if max_position else length,
        "tensor_parallel_size": settings.tensor_parallel_size,
        "trust_remote_code": settings.trust_remote_code,
        "generation_config": "vllm",
        "seed": 0,
        "disable_log_stats": True,
    }
    if read_json(spec.model / "config.json").get("model_type") in FAMILIES:
        # With no pictures to come the vision tower is not even loaded.
        given["limit_mm_per_prompt"] = {"image": spec.max_images, "video": 0}
    if settings.max_num_seqs is not None:
        given["max_num_seqs"] = settings.max_num_seqs
    if spec.adapters:
        count = len({adapter.digest for adapter in spec.adapters})
        given |= {
            "enable_lora": True,
            "max_lora_rank": max_lora_rank(spec.max_rank),
            "max_loras": min(count, MAX_LORAS),
            "max_cpu_loras": count,
        }
    if spec.device == "cpu":
        given["enforce_eager"] = True
    else:
        given["gpu_memory_utilization"] = settings.gpu_memory_utilization
        chosen = {"enforce_eager", "compilation_config", "cudagraph_capture_sizes", "max_cudagraph_capture_size"}
        if not chosen & passed.keys():
            limit = next((size for size in CAPTURE_SIZES if size >= (settings.max_num_seqs or 512)), 512)
            given["cudagraph_capture_sizes"] = [size for size in CAPTURE_SIZES if size <= limit]
    return given | passed


def position_limit(model: Path) -> int | None:
    """Longest sequence in tokens that the model's config allows, where it says so."""
    config = read_json(model / "config.json")
    found = config.get("max_position_embeddings") or config.get("text_config", {}).get("max_position_embeddings")
    return found if isinstance(found, int) else None


def memory_wanted(settings: EngineSettings) -> tuple[float, int]:
    """The share of a GPU's memory that vLLM is going to take, and on how many GPUs."""
    passed = settings.arguments("vllm")
    share = passed.get("gpu_memory_utilization", settings.gpu_memory_utilization)
    return float(share), int(passed.get("tensor_parallel_size", settings.tensor_parallel_size))


def set_environment(device: str) -> None:
    offline_environment()
    chosen = {
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_LOGGING_LEVEL": "WARNING",
        "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    }
    if device == "cpu":
        # In one process the engine starts in 6 s instead of 53. On a GPU the second process is what lets scheduling
        # overlap with computing.
        chosen |= {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
    for name, value in chosen.items():
        os.environ.setdefault(name, value)


def start_failure(
    spec: EngineSpec, log: Path, error: Exception, *, otherwise: str = "Or use --engine transformers."
) -> HarnessError:
    """The error of a start that failed, told by the exception and by the faults that the engine printed.

    Args:
        otherwise: what to do where the cause suggests nothing.
    """
    faults = _faults(tail(log))
    # A log speaks of its KV cache whatever is wrong, so only lines that tell of a fault are looked at.
    text = "\n".join([f"{type(error).__name__}: {error}", *faults])
    low = text.lower()
    where = str(spec.model)
    length = spec.max_model_len
    if "kv cache" in low or "cache blocks" in low or "kvcache" in low:
        raise_it = (
            "raise VLLM_CPU_KVCACHE_SPACE (GiB)"
            if spec.device == "cpu"
            else "raise engine.gpu_memory_utilization, use a smaller or quantised model"
        )
        return HarnessError(
            f"vLLM has no room for the KV cache of {length} tokens ({_line_with(text, 'cache')})",
            where=where,
            remedy=f"Lower engine.max_model_len or engine.max_num_seqs, or {raise_it}.",
        )
    if is_out_of_memory(error) or "out of memory" in low or "free memory on device" in low or "bad_alloc" in low:
        return HarnessError(
            f"vLLM ran out of memory while starting ({_line_with(text, 'memory')})",
            where=where,
            remedy="Close other programs on the GPU, or lower engine.gpu_memory_utilization, engine.max_model_len "
            "or engine.max_num_seqs, or use a quantised model.",
        )
    told_elsewhere = isinstance(error, ServerEnded) or "engine core" in str(error).lower()
    cause = faults[-1] if told_elsewhere and faults else first_line(error)
    return HarnessError(f"vLLM does not start: {cause}", where=where, remedy=otherwise)


class ServerEnded(RuntimeError):
    """The process of a server ended: why, its log says."""


def first_line(error: BaseException) -> str:
    """What an exception says, in one line; of pydantic's, the first fault and not its heading."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    return " ".join(lines[1:3] if "validation error" in lines[0] and len(lines) > 1 else lines[:1])[:400]


def tail(log: Path, limit: int = 65536) -> str:
    try:
        return log.read_bytes()[-limit:].decode("utf-8", "replace")
    except OSError:
        return ""


def _line_with(text: str, word: str) -> str:
    """The first line of an error that holds `word`, without the name of the exception's module."""
    lines = [line.strip() for line in text.splitlines() if word in line.lower() and "Error" in line]
    lines = lines or [line.strip() for line in text.splitlines() if word in line.lower()]
    return lines[0][:400] if lines else "no detail given"


#: What a process of vLLM's puts before what it says: `(Worker pid=12) ERROR 11-27 03:50:13 [executor.py:941]`.
_PREFIX = re.compile(r"^(\(\w+ pid=\d+\)\s*)?((ERROR|CRITICAL) \d\S+ \S+ \[\S+\]\s*)?")
_FAULT = re.compile(r"\w(Error|Exception): |: error: |^terminate called|^\s*what\(\):")
#: Lines that tell of another one.
_ECHOES = ("engine core initialization failed", "see root cause", "workerproc initialization failed")


def _faults(log: str) -> list[str]:
    """The lines of a log that tell what went wrong, in order, without vLLM's prefixes."""
    lines = (_PREFIX.sub("", line).strip() for line in log.splitlines())
    return [line[:400] for line in lines if _FAULT.search(line) and not any(e in line.lower() for e in _ECHOES)]
