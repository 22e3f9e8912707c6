from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.engines.gpu import GIB, list_gpus, require_free_memory, visible_gpus
from harness.errors import HarnessError


class FakeNvml:
    """NVML's functions over made-up GPUs: a list of (total, free, {pid: bytes or None}) in GiB."""

    class NVMLError(Exception):
        pass

    def __init__(self, *gpus: tuple[float, float, dict[int, float | None]], driver: bool = True, tell: bool = True):
        self.gpus, self.driver, self.tell, self.open = gpus, driver, tell, 0

    def nvmlInit(self) -> None:
        if not self.driver:
            raise self.NVMLError("Driver Not Loaded")
        self.open += 1

    def nvmlShutdown(self) -> None:
        self.open -= 1

    def nvmlDeviceGetCount(self) -> int:
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        total, free, _ = self.gpus[handle]
        return SimpleNamespace(total=int(total * GIB), free=int(free * GIB), used=int((total - free) * GIB))

    def nvmlDeviceGetUUID(self, handle: int) -> bytes:
        return f"GPU-{'abcdef'[handle]}000".encode()

    def nvmlDeviceGetName(self, handle: int) -> str:
        return "NVIDIA GeForce RTX 4090"

    def nvmlDeviceGetCudaComputeCapability(self, handle: int) -> tuple[int, int]:
        return 8, 9

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[Any]:
        if not self.tell:
            raise self.NVMLError("Insufficient Permissions")
        return [
            SimpleNamespace(pid=pid, usedGpuMemory=None if used is None else int(used * GIB))
            for pid, used in self.gpus[handle][2].items()
        ]


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    for pid, words in {
        4242: ["/usr/bin/python3", "-m", "ipykernel_launcher", "-f", "kernel-secret.json"],
        77: ["vllm", "serve", "qwen", "--api-key", "s3cret"],
    }.items():
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cmdline").write_bytes(b"\0".join(word.encode() for word in words) + b"\0")
    return tmp_path


def test_gpus_are_read_with_their_memory_and_processes(proc: Path) -> None:
    nvml = FakeNvml((24, 4, {4242: 18.5, 99: None}), (24, 24, {}))
    first, second = list_gpus(nvml, proc=proc)
    assert (first.index, first.uuid, first.total, first.free) == (0, "GPU-a000", 24 * GIB, 4 * GIB)
    assert first.capability == (8, 9)
    assert [(p.pid, p.used, p.is_notebook) for p in first.processes] == [
        (4242, int(18.5 * GIB), True),
        (99, None, False),
    ]
    assert first.processes[1].command == ""
    assert second.processes == ()
    assert nvml.open == 0, "NVML was left open"


def test_no_driver_no_gpus() -> None:
    assert list_gpus(FakeNvml(driver=False)) == []
    assert isinstance(list_gpus(), list)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0", [0]), ("1,0", [1, 0]), ("GPU-b", [1]), ("", []), ("-1", []), ("0,9,1", [0]), ("5", [])],
)
def test_only_the_gpus_cuda_shows_are_used(value: str, expected: list[int]) -> None:
    nvml = FakeNvml((24, 24, {}), (24, 24, {}))
    assert [gpu.index for gpu in visible_gpus(nvml, environment=value)] == expected


def test_a_notebook_that_holds_the_memory_is_named_with_what_to_do(proc: Path) -> None:
    (gpu,) = list_gpus(FakeNvml((24, 8, {77: 1, 4242: 15})), proc=proc)
    with pytest.raises(HarnessError) as caught:
        require_free_memory(20 * GIB, gpu=gpu, purpose="vLLM")
    said = str(caught.value)
    assert said.startswith("GPU 0 (NVIDIA GeForce RTX 4090): vLLM needs 20.0 GiB, but only 8.0 of 24.0 GiB are free")
    assert "process 4242 (/usr/bin/python3 -m ipykernel_launcher, 15.0 GiB), process 77 (vllm serve qwen" in said
    assert "Process 4242 is a Jupyter kernel: shut it down" in said
    assert "gpu_memory_utilization to 0.31 or less" in said
    assert "s3cret" not in said


def test_other_holders(proc: Path) -> None:
    (gpu,) = list_gpus(FakeNvml((24, 1, {77: 20})), proc=proc)
    with pytest.raises(HarnessError, match="Stop process 77 if it is yours") as caught:
        require_free_memory(20 * GIB, gpu=gpu)
    assert "gpu_memory_utilization" not in str(caught.value)
    (gpu,) = list_gpus(FakeNvml((24, 1, {os.getpid(): 20})), proc=proc)
    with pytest.raises(HarnessError, match="This process itself holds memory"):
        require_free_memory(20 * GIB, gpu=gpu)
    (gpu,) = list_gpus(FakeNvml((24, 1, {}), tell=False), proc=proc)
    with pytest.raises(HarnessError, match="driver does not show who holds it"):
        require_free_memory(20 * GIB, gpu=gpu)


def test_enough_memory_is_enough(proc: Path) -> None:
    (gpu,) = list_gpus(FakeNvml((24, 20, {77: 4})), proc=proc)
    require_free_memory(20 * GIB, gpu=gpu)
