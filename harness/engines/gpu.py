"""GPUs and who holds their memory, read through NVML: no CUDA context is made and torch is not imported.

Source: NVIDIA Management Library, https://docs.nvidia.com/deploy/nvml-api/ (package `nvidia-ml-py`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import HarnessError

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A process that holds memory of a GPU. `used` is in bytes, None where the driver does not tell."""

    pid: int
    command: str
    used: int | None

    @property
    def is_server(self) -> bool:
        """Whether it is vLLM's, as `harness serve` starts it: the process on the card is a child of the server's."""
        return "vllm.entrypoints" in self.command or self.command.startswith("VLLM::")

    @property
    def is_notebook(self) -> bool:
        """Whether it is a Jupyter kernel."""
        return "ipykernel" in self.command or "colab_kernel" in self.command


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU. `index` and `uuid` are NVML's; `total` and `free` are in bytes; `capability` is CUDA's (9, 0)."""

    index: int
    uuid: str
    name: str
    total: int
    free: int
    capability: tuple[int, int]
    processes: tuple[GpuProcess, ...] = ()


def list_gpus(nvml: Any = None, *, proc: Path = Path("/proc")) -> list[Gpu]:
    """Every GPU of the machine in NVML's order; empty where there is no NVIDIA driver.

    Args:
        nvml: a module with NVML's functions; default: `pynvml`.
        proc: where the processes' command lines are read.
    """
    if nvml is None:
        try:
            import pynvml
        except ImportError:
            return []
        nvml = pynvml
    with _session(nvml) as working:
        if not working:
            return []
        return [_read(nvml, index, proc) for index in range(int(nvml.nvmlDeviceGetCount()))]


def visible_gpus(nvml: Any = None, *, proc: Path = Path("/proc"), environment: str | None = None) -> list[Gpu]:
    """The GPUs that CUDA programs started from here see, in their order.

    Args:
        environment: value of `CUDA_VISIBLE_DEVICES`; default: the process's own. Indices and (abbreviated) UUIDs are
            understood; as in CUDA, an unknown entry ends the list.
    """
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES") if environment is None else environment
    if chosen is not None and not chosen.strip():
        return []
    gpus = list_gpus(nvml, proc=proc)
    if chosen is None:
        return gpus
    found: list[Gpu] = []
    for entry in (part.strip() for part in chosen.split(",")):
        match = [g for g in gpus if (g.index == int(entry) if entry.isdigit() else g.uuid.startswith(entry))]
        if not entry or not match:
            break
        found.append(match[0])
    return found


def require_free_memory(needed: int, *, gpu: Gpu, purpose: str = "the model") -> None:
    """Refuse to start on a GPU that others have filled, before minutes are spent on loading.

    Args:
        needed: bytes that have to be free.
        gpu: as just read.
        purpose: what the memory is for, as a noun.

    Raises:
        HarnessError: too little is free; names the processes that hold the memory and what to do about them.
    """
    if gpu.free >= needed:
        return
    holders = sorted(gpu.processes, key=lambda process: -(process.used or 0))
    share = max(int((gpu.free / gpu.total - 0.02) * 100), 0) / 100 if gpu.total else 0.0
    own = next((process for process in holders if process.pid == os.getpid()), None)
    notebook = next((process for process in holders if process.is_notebook), None)
    server = next((process for process in holders if process.is_server), None)
    if own is not None:
        advice = "This process itself holds memory: free the model it loaded before (del model; gc.collect())."
    elif notebook is not None:
        advice = f"Process {notebook.pid} is a Jupyter kernel: shut it down in the notebook (Kernel > Shut Down)."
    elif server is not None:
        advice = (
            f"Process {server.pid} is a vLLM server: harness serve --stop stops the one that harness serve started."
        )
    elif holders:
        advice = f"Stop process {holders[0].pid} if it is yours."
    else:
        advice = "The driver does not show who holds it (a container sees only its own processes)."
    smaller = f" Or set engine.gpu_memory_utilization to {share:.2f} or less." if share >= 0.1 else ""
    raise HarnessError(
        f"{purpose} needs {needed / GIB:.1f} GiB, but only {gpu.free / GIB:.1f} of {gpu.total / GIB:.1f} GiB are free"
        f"{_held_by(holders)}",
        where=f"GPU {gpu.index} ({gpu.name})",
        remedy=advice + smaller,
    )


def _held_by(holders: list[GpuProcess]) -> str:
    if not holders:
        return ""
    shown = [
        # Only what was started, not its options: they can hold secrets.
        f"process {process.pid} ({' '.join(process.command.split()[:3])[:80] or 'command not readable'}"
        f"{f', {process.used / GIB:.1f} GiB' if process.used is not None else ''})"
        for process in holders[:3]
    ]
    more = f" and {len(holders) - 3} more" if len(holders) > 3 else ""
    return f"; held by {', '.join(shown)}{more}"


@contextlib.contextmanager
def _session(nvml: Any) -> Iterator[bool]:
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        yield False
        return
    try:
        yield True
    finally:
        nvml.nvmlShutdown()


def _read(nvml: Any, index: int, proc: Path) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    try:
        running = nvml.nvmlDeviceGetComputeRunningProcesses(handle)
    except nvml.NVMLError:  # not permitted in some containers
        running = []
    try:
        major, minor = nvml.nvmlDeviceGetCudaComputeCapability(handle)
    except nvml.NVMLError:
        major, minor = 0, 0
    return Gpu(
        index=index,
        uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
        name=_text(nvml.nvmlDeviceGetName(handle)),
        total=int(memory.total),
        free=int(memory.free),
        capability=(int(major), int(minor)),
        processes=tuple(
            GpuProcess(
                pid=int(process.pid),
                command=_command(proc, int(process.pid)),
                used=None if process.usedGpuMemory is None else int(process.usedGpuMemory),
            )
            for process in running
        ),
    )


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _command(proc: Path, pid: int) -> str:
    """The command line of a process, empty when it cannot be read (another user's, another container's)."""
    try:
        raw = (proc / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return " ".join(part for part in raw.decode("utf-8", "replace").split("\0") if part)
