"""What keeps a warm server from starting, and servers that prove nothing. One vLLM is started here, and fails."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.candidates.settings import EngineSettings
from harness.candidates.tokenizer import PromptTokenizer
from harness.cli import main
from harness.engines.base import EngineSpec
from harness.engines.gpu import Gpu, GpuProcess
from harness.engines.served import standing
from harness.engines.served.names import Served, base_name, discover
from harness.errors import HarnessError, InputError
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


def test_a_port_that_only_others_may_use(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def bind(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    class Socket(socket.socket):
        pass

    Socket.bind = bind  # type: ignore[method-assign, assignment]
    monkeypatch.setattr(standing.socket, "socket", Socket)
    assert main(["serve", str(MODELS / "base"), "--port", "80"]) == 2
    assert "port 80 may not be used by this user. Give one above 1023." in capsys.readouterr().err


def spec(device: str = "cpu") -> EngineSpec:
    return EngineSpec(MODELS / "base", PromptTokenizer(MODELS / "base"), "float32", None, device, 64)  # type: ignore[arg-type]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def test_a_card_that_is_full_is_said_before_anything_is_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    holder = GpuProcess(4242, "VLLM::EngineCore", 60 << 30)
    full = Gpu(0, "GPU-1", "NVIDIA H100", 80 << 30, 12 << 30, (9, 0), (holder,))
    monkeypatch.setattr(standing, "visible_gpus", lambda: [full])
    with pytest.raises(HarnessError) as error:
        standing.start(spec("cuda"), "digest", port=free_port())
    said = str(error.value)
    assert "GPU 0 (NVIDIA H100): vLLM needs 72.0 GiB, but only 12.0 of 80.0 GiB are free; held by process 4242" in said
    assert "Process 4242 is a vLLM server: harness serve --stop stops the one that harness serve started." in said
    assert "Or set engine.gpu_memory_utilization to 0.13 or less" in said
    assert not (tmp_path / "cache").exists(), "neither a log nor a server was begun"


def test_a_share_of_the_card_that_vllm_is_given_by_name_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    half = Gpu(0, "GPU-1", "NVIDIA H100", 80 << 30, 12 << 30, (9, 0))
    monkeypatch.setattr(standing, "visible_gpus", lambda: [half])
    settings = EngineSettings(vllm={"gpu_memory_utilization": 0.5})
    with pytest.raises(HarnessError, match=r"vLLM needs 40\.0 GiB"):
        standing.start(replace(spec("cuda"), settings=settings), "digest", port=free_port())


@pytest.mark.parametrize(
    ("end", "says"),
    [
        (signal.SIGKILL, "ended from outside while loading (SIGKILL, as a machine does that is out of memory)"),
        (signal.SIGTERM, "ended from outside while loading (SIGTERM)"),
        (None, "the server ended with exit code 3 while loading"),
    ],
)
def test_a_server_that_dies_while_loading(tmp_path: Path, end: signal.Signals | None, says: str) -> None:
    """A process that is no vLLM, which is all the same to whoever waits for it."""
    log = tmp_path / "log"
    log.write_text("INFO loading")
    code = "import time; time.sleep(60)" if end else "raise SystemExit(3)"
    process = subprocess.Popen([sys.executable, "-c", code])

    def wait(seconds: float) -> None:
        if end:
            process.send_signal(end)

    with pytest.raises(HarnessError) as error:
        standing._up(process, f"http://127.0.0.1:{free_port()}/v1", "name", spec(), log, wait)
    assert says in str(error.value)
    assert f"The server's own output is in {log}." in str(error.value)


def test_a_server_of_somebody_else_at_the_port_is_not_taken_for_ours(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("ERROR: [Errno 98] error while attempting to bind: OSError: address already in use")
    listed = {"data": [{"id": "sha256:other:float32:none", "max_model_len": 77}]}
    with serving(lambda body, nth: chat("x"), models=Reply(content=listed)) as server:
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(2); raise SystemExit(1)"])
        with pytest.raises(HarnessError, match="address already in use"):
            standing._up(process, server.url, "sha256:ours:float32:none", spec(), log, lambda seconds: None)


@pytest.mark.vllm
@pytest.mark.slow
def test_weights_that_are_cut_off_are_told_by_the_server_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "cut"
    shutil.copytree(MODELS / "base", model)
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1_000_000])
    assert main(["serve", str(model), "--port", str(free_port())]) == 2
    err = " ".join(capsys.readouterr().err.split())
    assert "cut: vLLM does not start: safetensors" in err
    assert "file not fully covered" in err
    assert "own output is in" in err
    assert standing.standing() is None


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


def test_a_server_that_is_there_and_does_not_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """A process that goes by the server's name and listens nowhere."""
    code = "import time; time.sleep(60)"
    command = [sys.executable, "-c", code, "vllm.entrypoints.openai.api_server"]
    process = subprocess.Popen(command, start_new_session=True)
    state = {"url": f"http://127.0.0.1:{free_port()}/v1", "pid": process.pid, "model": "m", "place": "p", "log": "l"}
    standing.state_file().parent.mkdir(parents=True)
    standing.state_file().write_text(json.dumps(state))
    try:
        assert main(["serve"]) == 2
        err = capsys.readouterr().err
        assert f"{state['url']}: the server's process {process.pid} is there, but it does not answer" in err
        assert "harness serve --stop ends it" in err
        assert main(["serve", "--stop"]) == 0
        assert process.wait(timeout=10) is not None
    finally:
        process.kill()
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
