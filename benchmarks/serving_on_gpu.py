"""Serving on a real GPU: a warm server against an engine start, deployments under load, and a card that is full.

    python benchmarks/serving_on_gpu.py                  # every check
    python benchmarks/serving_on_gpu.py warm demo        # some of them
    python benchmarks/serving_on_gpu.py load --shape 7b --concurrency 1,8,64,256
    python benchmarks/serving_on_gpu.py --shape tiny --concurrency 1,8    # rehearsal on a CPU (`full` needs a GPU)

`load` serves a model of random weights (vLLM's dummy weights) in the shape of Qwen2.5-7B, so its speed means something
and its answers nothing: once as vLLM starts by default, once without CUDA graphs, which has to be slower. The others
use the embedded demo models. Everything goes through the command line, no network is used, and each check ends within
seven minutes. What the commands print is shown; the figures come last.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.vllm_overhead import SHAPES, write_model  # noqa: E402

MODELS = ROOT / "harness" / "demo" / "models"
NAMES = ("base", "lora_model_medical", "lora_model_medical_mix")
#: Seconds that one check may take.
LONGEST = 420.0
#: What a model without a template is asked through.
TEMPLATE = "{% for m in messages %}<{{ m.role }}> {{ m.content }}\n{% endfor %}<assistant> "


class Yard:
    """A folder with a harness.yaml, and `harness` run in it."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        from harness.engines.gpu import visible_gpus

        self.folder, self.options, self.gpus = folder, options, visible_gpus()
        self.began = time.monotonic()
        self.figures: list[str] = []
        demo = {"base": {"model": str(MODELS / "base")}}
        demo |= {name: {"base": "base", "adapter": str(MODELS / name)} for name in NAMES[1:]}
        self.write(demo)

    def write(self, candidates: dict[str, Any]) -> None:
        # A tenth of a card is plenty for the demo's models, and leaves the rest to whoever else is measured.
        engine = {"gpu_memory_utilization": 0.1}
        (self.folder / "harness.yaml").write_text(yaml.safe_dump({"candidates": candidates, "engine": engine}))

    def harness(self, *arguments: str, code: int = 0) -> tuple[str, float]:
        """What a command prints, and its seconds.

        Raises:
            RuntimeError: another exit code, or no time left.
        """
        print(f"$ harness {' '.join(arguments)}", flush=True)
        since, lines = time.monotonic(), []
        process = subprocess.Popen(
            [sys.executable, "-m", "harness", *arguments], cwd=self.folder, env=self.environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            # Time runs out for a command that says nothing, too.
            with contextlib.closing(_Alarm(max(1.0, LONGEST - (since - self.began)), process)):
                for line in process.stdout:
                    print(f"  {line}", end="", flush=True)
                    lines.append(line)
            found = process.wait()
        finally:
            if process.poll() is None:
                process.kill()
        seconds = time.monotonic() - since
        if found != code:
            raise RuntimeError(f"exit code {found}, not {code}, after {seconds:.0f} s")
        return "".join(lines), seconds

    def environment(self) -> dict[str, str]:
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        given = {"HARNESS_CACHE": str(self.folder / "cache"), "PYTHONPATH": path, "COLUMNS": "220", "LC_ALL": "C"}
        offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
        return {**os.environ, **offline, **given, **({} if self.gpus else {"VLLM_CPU_KVCACHE_SPACE": "1"})}

    def say(self, text: str) -> None:
        """A figure; shown again at the end."""
        print(f"  {text}", flush=True)
        self.figures.append(text)


class _Alarm:
    """Ends a process when its time is over."""

    def __init__(self, seconds: float, process: subprocess.Popen[str]) -> None:
        import threading

        self._timer = threading.Timer(seconds, process.kill)
        self._timer.daemon = True
        self._timer.start()

    def close(self) -> None:
        self._timer.cancel()


def warm(yard: Yard) -> bool:
    """A comparison on the demo's models: with an engine start of its own, and at a server that stands."""
    compare = ("compare", *NAMES, "--suite", "medical", "--lang", "en")
    _, cold = yard.harness(*compare, "--engine", "vllm", "--store", "cold", "--json", "cold.json")
    _, started = yard.harness("serve", *NAMES, "--port", str(_free_port()))
    try:
        text, first = yard.harness(*compare, "--store", "warm", "--json", "warm.json")
        _, again = yard.harness(*compare, "--store", "warm", "--fresh", "--json", "again.json")
    finally:
        yard.harness("serve", "--stop")
    verdicts = [_verdicts(yard.folder / f"{name}.json") for name in ("cold", "warm", "again")]
    yard.say(f"warm: in this process {cold:.1f} s; harness serve {started:.1f} s, then {first:.1f} s and {again:.1f} s")
    yard.say(f"warm: {cold / again:.1f} times as fast; verdicts {'equal' if verdicts[0] == verdicts[1] else 'DIFFER'}")
    for row in verdicts[1]:
        yard.say(f"warm: {' '.join(row)}")
    return "a warm server at" in text and verdicts[0] == verdicts[1] == verdicts[2]


def demo(yard: Yard) -> bool:
    """The demo's base and adapter under load, on a server that the bench starts and stops."""
    bench = ("bench", "serving", *NAMES[:2], "--suite", "medical", "--json", "demo.json")
    yard.harness(*bench, "--limit", "100", *_load(yard.options))
    return _report(yard, "demo", yard.folder / "demo.json")


def load(yard: Yard) -> bool:
    """A model of random weights under load: vLLM as it starts, and a second one that has to be slower."""
    model = yard.folder / "dummy"
    write_model(model, yard.options.shape)
    (model / "template.jinja").write_text(TEMPLATE)
    common = ["--load-format", "dummy", "--max-model-len", "2048", "--chat-template", str(model / "template.jinja")]
    if yard.gpus:
        sizes = sorted({1, 2, 4, *map(int, yard.options.concurrency.split(","))})
        few = json.dumps({"cudagraph_capture_sizes": sizes})
        common += ["--dtype", "bfloat16", "--gpu-memory-utilization", "0.42", "--max-num-seqs", "256"]
        flags = {"graphs": ["--compilation-config", few], "eager": ["--enforce-eager"]}
    else:
        common += ["--dtype", "float32", "--enforce-eager"]
        flags = {"many": ["--max-num-seqs", "64"], "few": ["--max-num-seqs", "2"]}
    since = time.monotonic()
    with contextlib.ExitStack() as stack:
        # One after the other: each measures the memory that is free while it starts.
        urls = {name: stack.enter_context(_server(yard, name, model, [*common, *own])) for name, own in flags.items()}
        yard.say(f"load: both servers up after {time.monotonic() - since:.0f} s")
        gpus = 1 if yard.gpus else 0
        yard.write({name: {"endpoint": {"url": url, "model": "dummy", "gpus": gpus}} for name, url in urls.items()})
        bench = ("bench", "serving", *urls, "--suite", "medical", "--json", "load.json", "--limit", "20")
        yard.harness(*bench, *_load(yard.options))
    return _report(yard, "load", yard.folder / "load.json")


def judge(yard: Yard) -> bool:
    """The demo's base as a judge that knows nothing of verdicts: held to their form by a server and by this process.

    Its window of 512 tokens leaves it no room to come to the end of every one.
    """
    yard.harness("serve", *NAMES[:2], "--port", str(_free_port()))
    try:
        compare = ("compare", *NAMES[:2], "--suite", "medical", "--limit", "40", "--lang", "en", "--json", "c.json")
        yard.harness(*compare)
        compared = json.loads((yard.folder / "c.json").read_text())["id"]
        served = _judged(yard, compared, "warm server, held to the form", "--structured", code=0)
        free = _judged(yard, compared, "warm server, in its own words", "--no-structured", code=3)
    finally:
        yard.harness("serve", "--stop")
    inside = _judged(yard, compared, "in process, held to the form", "--structured", code=0, fresh=True)
    return max(served, inside) < free / 2


def _judged(yard: Yard, compared: str, how: str, held: str, *, code: int, fresh: bool = False) -> int:
    """How many pairs got no verdict."""
    by = ("--judge", "base", "--engine", "vllm", "--task", "medical-qa", "--lang", "en", held)
    again = ("--fresh",) if fresh else ()
    _, seconds = yard.harness("judge", "pairwise", compared, *by, *again, "--json", "judged.json", code=code)
    (task,) = json.loads((yard.folder / "judged.json").read_text())["tasks"]
    asked = task["n"] + task["unscored"]
    yard.say(f"judge: {how}: {task['unscored']} of {asked} pairs without a verdict, {seconds:.1f} s")
    return int(task["unscored"])


def full(yard: Yard) -> bool:
    """What `harness serve` says when another process holds the card's memory."""
    if not yard.gpus:
        yard.say("full: left out, there is no GPU")
        return True
    taken = "import time, torch; free, total = torch.cuda.mem_get_info(); " \
            "kept = torch.empty(int(free - 0.05 * total), dtype=torch.uint8, device='cuda'); " \
            "print('taken', flush=True); time.sleep(600)"  # fmt: skip
    holder = subprocess.Popen([sys.executable, "-c", taken], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "taken\n"
        text, seconds = yard.harness("serve", "base", "--port", str(_free_port()), code=2)
    finally:
        holder.kill()
        holder.wait()
    said = " ".join(text.split())
    yard.say(f"full: refused after {seconds:.1f} s: {said[-600:]}")
    return "GiB are free" in said and "vLLM needs" in said


CHECKS: dict[str, Callable[[Yard], bool]] = {"warm": warm, "demo": demo, "load": load, "judge": judge, "full": full}


def _load(options: argparse.Namespace) -> tuple[str, ...]:
    return (
        "--concurrency", options.concurrency, "--rounds", str(options.rounds), "--max-tokens", str(options.tokens),
        "--ignore-eos", "--lang", "en",
    )  # fmt: skip


def _report(yard: Yard, check: str, file: Path) -> bool:
    """The figures of a bench; true where everything was answered."""
    found = json.loads(file.read_text())
    good = True
    for deployment in found["deployments"]:
        for level in deployment["levels"]:
            good &= level["answered"] == level["planned"]
            rate, ttft, tpot = (level[name] for name in ("output_tokens_per_second", "first_token", "per_token"))
            against = (level["against_first"] or {}).get("output_tokens_per_second")
            ratio = f", {against['value']:.2f} [{against['low']:.2f}, {against['high']:.2f}] x first" if against else ""
            yard.say(
                f"{check}: {deployment['name']}, {level['concurrency']} in flight: {rate['value']:,.0f} "
                f"[{rate['low']:,.0f}, {rate['high']:,.0f}] tokens/s{ratio}; TTFT {_times(ttft)} ms, TPOT "
                f"{_times(tpot)} ms, latency {_times(level['latency'])} ms; {level['errors']} errors, client "
                f"{level['client_busy']:.0%}"
            )
        for task in deployment["quality"]:
            delta = "" if task["delta"] is None else f", {100 * task['delta']:+.1f} points: {task['verdict']}"
            yard.say(f"{check}: {deployment['name']}, {task['task']}: {task['score']:.1%}{delta}")
    yard.say(f"{check}: load {found['load_seconds']:.0f} s; {found['client']}")
    return good


def _times(found: dict[str, Any] | None) -> str:
    return "-" if found is None else "/".join(f"{1000 * found[q]['value']:.1f}" for q in ("p50", "p95", "p99"))


def _verdicts(file: Path) -> list[tuple[str, str, str]]:
    compared = json.loads(file.read_text())["comparisons"]
    return [(c["candidate"], r["task"], r["verdict"]) for c in compared for r in c["results"] if r["primary"]]


@contextlib.contextmanager
def _server(yard: Yard, name: str, model: Path, flags: list[str]) -> Iterator[str]:
    """A vLLM server of the model under the name `dummy`; gives its address, and ends it."""
    port = _free_port()
    log = yard.folder / f"{name}.log"
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model)]
    command += ["--served-model-name", "dummy", "--host", "127.0.0.1", "--port", str(port), *flags]
    print(f"$ {' '.join(command[1:])}", flush=True)
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True, env=yard.environment()
        )
    try:
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                break
            if process.poll() is not None or time.monotonic() - yard.began > LONGEST:
                print(log.read_text(errors="replace")[-6000:])
                raise RuntimeError(f"the server {name!r} does not start")
            time.sleep(1.0)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checks", nargs="*", choices=[[], *CHECKS], default=[])
    parser.add_argument("--shape", choices=sorted(SHAPES), default="7b")
    parser.add_argument("--concurrency", default="1,8,64,256")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=32, help="of each answer under load")
    options = parser.parse_args()
    figures, failed = [], []
    for name in options.checks or CHECKS:
        print(f"{name}: {CHECKS[name].__doc__}", flush=True)
        folder = Path(tempfile.mkdtemp())
        yard = Yard(folder, options)
        try:
            good = CHECKS[name](yard)
        except Exception:
            traceback.print_exc()
            good = False
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        yard.say(f"{name}: {'ok' if good else 'FAIL'} after {time.monotonic() - yard.began:.0f} s")
        figures += yard.figures
        if not good:
            failed.append(name)
    print("\nfigures\n" + "\n".join(figures))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
