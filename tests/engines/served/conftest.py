"""One real vLLM server of the demo's models for all tests here: starting it takes longer than any of them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli import main
from harness.engines.served import standing

MODELS = Path(__file__).resolve().parents[3] / "harness" / "demo" / "models"
ADAPTERS = ("lora_model_medical", "lora_model_medical_mix")


@pytest.fixture(scope="package")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose harness.yaml names the demo's models; a server of base and the first adapter stands."""
    folder = tmp_path_factory.mktemp("served")
    entries: dict[str, Any] = {"base": {"model": str(MODELS / "base")}}
    entries |= {name: {"base": "base", "adapter": str(MODELS / name)} for name in ADAPTERS}
    (folder / "harness.yaml").write_text(yaml.safe_dump({"candidates": entries}))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("HARNESS_CACHE", str(folder / "cache"))
        patch.delenv("OPENAI_API_KEY", raising=False)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        try:
            assert main(["serve", "base", ADAPTERS[0], "--port", port]) == 0
            yield folder
        finally:
            assert main(["serve", "--stop"]) == 0
        assert standing.standing() is None
        with socket.create_server(("127.0.0.1", int(port))):
            pass  # nothing of it is left
