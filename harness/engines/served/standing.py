"""Starting a warm server, knowing that it stands, and stopping it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.candidates.fingerprint import cache_folder
from harness.engines.base import EngineSpec
from harness.engines.gpu import require_free_memory, visible_gpus
from harness.engines.served.names import Served, adapter_name, arguments_digest, base_name, discover
from harness.engines.vllm_start import ServerEnded, engine_arguments, memory_wanted, position_limit, start_failure
from harness.errors import HarnessError, InputError

PORT = 8765
#: LoRAs that a server started without any is ready for.
_ROOM = {"enable_lora": True, "max_lora_rank": 64, "max_loras": 4, "max_cpu_loras": 16}


class Standing(BaseModel):
    """A server that `harness serve` started: one on this machine at a time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    url: str
    pid: int
    model: str
    place: str
    log: str


def state_file() -> Path:
    return cache_folder() / "served.json"


def standing() -> Standing | None:
    """The server that was started and whose process is still there."""
    try:
        found = Standing.model_validate_json(state_file().read_bytes())
    except (OSError, ValidationError):
        return None
    return found if _alive(found.pid) else None


def standing_for(model: str) -> Served | None:
    """A server that stands and holds the weights of this digest; None where there is none."""
    found = standing()
    if found is None or found.model != model:
        return None
    try:
        return discover(found.url)
    except InputError:
        return None


def start(
    spec: EngineSpec, digest: str, *, port: int = PORT, wait: Callable[[float], None] = lambda seconds: None
) -> Served:
    """Start a server on loopback and wait until it answers.

    Args:
        digest: of the base's weights.
        wait: told every second how long it has been.

    Raises:
        InputError: a server stands already, or the port is taken.
        HarnessError: it does not start, or the GPU is full: by whom, and what to lower.
    """
    if (found := standing()) is not None:
        raise InputError(
            f"a server stands already at {found.url} (process {found.pid}, {found.place})",
            remedy="harness serve --stop stops it.",
        )
    _require_port(port)
    if spec.device == "cuda":
        share, count = memory_wanted(spec.settings)
        for gpu in visible_gpus()[:count]:
            require_free_memory(int(share * gpu.total), gpu=gpu, purpose="vLLM")
    url = f"http://127.0.0.1:{port}/v1"
    log = cache_folder() / f"served-{port}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    name = base_name(digest, spec.dtype, spec.quantization, arguments_digest(spec.settings.arguments("vllm")))
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *_flags(spec, name, port)],
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            env=_environment(spec.device),
        )  # fmt: skip
    try:
        served = _up(process, url, name, spec, log, wait)
    except BaseException:
        _end(process.pid)
        raise
    state = Standing(url=url, pid=process.pid, model=digest, place=str(spec.model), log=str(log))
    state_file().write_text(state.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return served


def _require_port(port: int) -> None:
    """Raises InputError where nobody can listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise InputError(
                f"port {port} may not be used by this user", where="--port", remedy="Give one above 1023."
            ) from None
        except OSError as error:
            raise InputError(
                f"port {port} is taken ({error.strerror})",
                where="--port",
                remedy="Another program listens there: stop it, or give another port.",
            ) from None


def stop() -> Standing | None:
    """Stop the server; None where none stands."""
    found = standing()
    if found is not None:
        _end(found.pid)
    state_file().unlink(missing_ok=True)
    return found


def _up(
    process: subprocess.Popen[bytes], url: str, name: str, spec: EngineSpec, log: Path, wait: Callable[[float], None]
) -> Served:
    """Wait until the server of this name answers.

    Raises:
        HarnessError: its process ended before.
    """
    began = time.monotonic()
    while process.poll() is None:
        with contextlib.suppress(InputError):
            # Somebody else's server may have taken the port in between: ours then ends.
            if (found := discover(url, timeout=2.0)).name == name:
                return found
        time.sleep(1.0)
        wait(time.monotonic() - began)
    failure = start_failure(spec, log, ServerEnded(_ended(process.returncode)), otherwise="")
    failure.remedy = f"{failure.remedy or ''} The server's own output is in {log}.".strip()
    raise failure


def _ended(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"the server ended with exit code {code} while loading"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    why = ", as a machine does that is out of memory" if -code == signal.SIGKILL else ""
    return f"the server was ended from outside while loading ({name}{why})"


def _flags(spec: EngineSpec, name: str, port: int) -> list[str]:
    """The server's command line."""
    arguments: dict[str, Any] = engine_arguments(spec, max_position=position_limit(spec.model))
    passed = spec.settings.arguments("vllm")
    if not spec.adapters:
        arguments = _ROOM | arguments
    flags = ["--host", "127.0.0.1", "--port", str(port), "--served-model-name", name]
    if spec.vision is not None:  # see `pictures.py`; it listens on loopback only
        flags.append("--trust-request-chat-template")
    for key, value in arguments.items():
        flag = "--" + key.replace("_", "-")
        if value is False and key in passed:
            flags.append("--no-" + flag.removeprefix("--"))  # it may be on by default
        if value is None or value is False:
            continue
        if value is True:
            flags.append(flag)
        elif isinstance(value, list | tuple):
            flags += [flag, *map(str, value)]
        else:
            flags += [flag, json.dumps(value) if isinstance(value, dict) else str(value)]
    if spec.adapters:
        flags += ["--lora-modules", *(f"{adapter_name(one.digest)}={one.path}" for one in spec.adapters)]
    return flags


def _environment(device: str) -> dict[str, str]:
    """Of the server's process: offline, silent towards others, and adapters may come later."""
    given = {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1",
        **({"VLLM_CPU_KVCACHE_SPACE": "1"} if device == "cpu" else {}),
    }
    return {**given, **os.environ, "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1"}


def _alive(pid: int) -> bool:
    """Whether the process is there and is a server of vLLM: numbers are given again."""
    command = Path(f"/proc/{pid}/cmdline")
    if command.parent.parent.joinpath("self").exists():
        try:
            return b"vllm.entrypoints.openai.api_server" in command.read_bytes()
        except OSError:
            return False
    with contextlib.suppress(OSError):
        os.kill(pid, 0)
        return True
    return False


def _end(pid: int) -> None:
    """End the server and everything it started; first politely."""
    for signal_number, seconds in ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal_number)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            try:
                os.killpg(pid, 0)
            except (ProcessLookupError, PermissionError):
                return
            time.sleep(0.2)
    raise HarnessError(f"process {pid} does not end", remedy=f"kill -9 -{pid}")
