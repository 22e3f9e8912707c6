"""The dashboard as its users have it: `harness dashboard` in a process of its own, over a store of a real demo run."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import api

_ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the demo's comparison: one candidate that forgot, and one that did not; not to be written to."""
    store = tmp_path_factory.mktemp("demo") / "runs"
    names = ("base", "lora_model_medical", "lora_model_medical_mix")
    api.compare(
        api.Request(
            references=names,
            suite="medical",
            limit=48,
            engine="transformers",
            folder=_ROOT,
            store=str(store),
            demo=True,
        )
    )
    return store


@dataclass(frozen=True)
class Served:
    """A dashboard that is up.

    Attributes:
        store: what it shows; labels and sign-offs are written there.
    """

    address: str
    store: Path


@pytest.fixture(scope="session")
def demo_served(demo_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The dashboard over a copy of the demo's store, one for all tests: each writes what no other reads."""
    store = tmp_path_factory.mktemp("served") / "runs"
    shutil.copytree(demo_run, store)
    with served(store) as address:
        yield Served(address, store)


@contextmanager
def served(store: Path) -> Iterator[str]:
    """`harness dashboard` over a store, in English."""
    port = _free_port()
    command = [sys.executable, "-m", "harness", "dashboard", "--store", str(store), "--port", str(port)]
    log = store.parent / f"dashboard-{port}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--no-browser", "--lang", "en", "--demo"],
            cwd=_ROOT,
            env={**os.environ, "PYTHONPATH": str(_ROOT), "HARNESS_CACHE": str(store.parent / "cache")},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(port, process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"the dashboard does not come up: {log.read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
