"""What keeps a warm server from starting, and servers that prove nothing; no vLLM is started here."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from harness.cli import main
from harness.engines.served import standing
from harness.engines.served.names import Served, base_name, discover
from harness.errors import InputError
from tests.engines.endpoint.server import Reply, chat, serving

MODELS = Path(__file__).resolve().parents[3] / "harness" / "demo" / "models"


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def test_a_name_says_what_it_holds() -> None:
    served = Served("http://x/v1", "ab12", "bfloat16", "bitsandbytes", "0", 1)
    assert served.name == "sha256:ab12:bfloat16:bitsandbytes"
    assert base_name("ab12", "float32", None) == "sha256:ab12:float32:none"


def test_a_server_is_asked_what_it_holds() -> None:
    listed = {"data": [{"id": "sha256:ab12:float32:none", "max_model_len": 77}, {"id": "sha256:cd"}]}
    with serving(lambda body, nth: chat("x"), models=Reply(content=listed)) as server:
        found = discover(server.url)
    assert (found.model, found.dtype, found.quantization, found.max_model_len) == ("ab12", "float32", None, 77)


def test_a_server_whose_names_prove_nothing_is_refused() -> None:
    listed = Reply(content={"data": [{"id": "Qwen2.5-7B-Instruct"}]})
    with (
        serving(lambda body, nth: chat("x"), models=listed) as server,
        pytest.raises(InputError, match=r"do not prove which weights it holds \(it serves Qwen2\.5-7B-Instruct\)"),
    ):
        discover(server.url)


def test_nobody_there() -> None:
    with pytest.raises(InputError, match="cannot be asked what it holds"):
        discover("http://127.0.0.1:9/v1")


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["serve", str(MODELS / "base"), "--port", port]) == 2
    assert f"port {port} is taken" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("references", "says"),
    [
        (["replay:x.jsonl"], "has no weights here"),
        ([str(MODELS / "lora_model_medical")], "is an adapter"),
        ([str(MODELS / "base"), str(MODELS / "base")], "is no adapter of"),
    ],
)
def test_what_cannot_be_served(references: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.jsonl").write_text('{"item_id": "a", "output": "b"}\n')
    assert main(["serve", *references, "--base", str(MODELS / "base")]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([str(MODELS / "base"), "--max-model-len", "0"], "greater than or equal to 1"),
        ([str(MODELS / "base"), "--stop"], "--stop: takes no BASE"),
    ],
)
def test_options_that_say_nothing_sensible(given: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", *given]) == 2
    assert says in capsys.readouterr().err
    assert standing.standing() is None


def test_a_process_that_is_gone_stands_no_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its number may belong to another program by now, which is left alone."""
    state = {"url": "http://127.0.0.1:9/v1", "pid": 1, "model": "m", "place": "p", "log": "l"}
    standing.state_file().parent.mkdir(parents=True)
    standing.state_file().write_text(json.dumps(state))
    assert standing.standing() is None
    assert main(["serve"]) == 0
    assert "no server stands" in capsys.readouterr().out
    assert main(["serve", "--stop"]) == 0
    assert not standing.state_file().exists()
