"""A real vLLM server of the demo's models, asked over HTTP: the verdicts are those of the engine in this process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli import main

MODELS = Path(__file__).resolve().parents[3] / "harness" / "demo" / "models"
ADAPTERS = ("lora_model_medical", "lora_model_medical_mix")

pytestmark = pytest.mark.vllm


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server's address, once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("vllm") / "log"
    command = [
        sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(MODELS / "base"),
        "--served-model-name", "base", "--host", "127.0.0.1", "--port", str(port), "--dtype", "float32",
        "--max-model-len", "512", "--enforce-eager", "--enable-lora", "--max-loras", "1", "--max-lora-rank", "16",
        "--lora-modules", *(f"{name}={MODELS / name}" for name in ADAPTERS),
    ]  # fmt: skip
    environment = {**os.environ, "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1", "OMP_NUM_THREADS": "2"}
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)
        try:
            _wait(f"http://127.0.0.1:{port}/health", server, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()
            server.wait(timeout=60)


def _wait(health: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        assert server.poll() is None, log.read_text(errors="replace")[-3000:]
        try:
            with urllib.request.urlopen(health, timeout=2):
                return
        except OSError:
            time.sleep(1)
    raise AssertionError(log.read_text(errors="replace")[-3000:])


def compared(folder: Path, *arguments: str) -> dict[str, Any]:
    assert main(["compare", *arguments, "--suite", "medical", "--limit", "40", "--json", "out.json"]) == 0
    found: dict[str, Any] = json.loads((folder / "out.json").read_text())
    return found


def test_verdicts_over_http_are_those_of_the_process(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    here = {"base": {"model": str(MODELS / "base")}}
    here |= {name: {"base": "base", "adapter": str(MODELS / name)} for name in ADAPTERS}  # type: ignore[dict-item]
    far = {f"far-{name}": {"endpoint": {"url": url, "model": name}} for name in ("base", *ADAPTERS)}
    (tmp_path / "harness.yaml").write_text(yaml.safe_dump({"candidates": here | far}))
    ours = compared(tmp_path, "base", *ADAPTERS, "--engine", "transformers")
    theirs = compared(tmp_path, "far-base", *(f"far-{name}" for name in ADAPTERS))
    assert theirs["engine"] == "openai"
    for one, other in zip(ours["comparisons"], theirs["comparisons"], strict=True):
        for here_result, there in zip(one["results"], other["results"], strict=True):
            assert there["verdict"] == here_result["verdict"], there["task"]
            assert there["errors"] == {"base": 0, "candidate": 0}
            assert abs(there["delta"] - here_result["delta"]) <= 0.05
            assert abs(there["candidate"] - here_result["candidate"]) <= 0.05
