"""llama.cpp itself on the demo: what do its tools make of an adapter, and does its server answer as transformers does?

    python benchmarks/llama_cpp.py LLAMA_CPP [--forms q8_0 q4_k_m] [--port 8799]

LLAMA_CPP is a checkout with `llama-quantize` and `llama-server` in `build/bin`. Its converter knows tokenizers by a
hash of what they make of one text, and does not know the demo's, which splits text as Qwen2's does and has other
tokens. So a copy of the converter is used to which that one hash is added, as `convert_hf_to_gguf_update.py` does.

For each number format: `harness export lora_model_medical --to gguf:FORM`, then llama-server with the file it made, and
`harness compare` of the adapter on transformers with that server, asked over HTTP. Exit code 1 when an export or a
comparison fails; an export that is refused because the answers drifted is a finding, not a failure.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from harness.candidates.exported import read_export_record  # noqa: E402

MODELS = ROOT / "harness" / "demo" / "models"
ADAPTER = "lora_model_medical"
SUITE = "medical"


def tools_that_know_the_demo(llama: Path, folder: Path) -> Path:
    """A copy of the converter to which the hash of the demo's tokenizer is added, beside a link to what is built."""
    for name in ("convert_hf_to_gguf.py", "conversion", "gguf-py"):
        copy = shutil.copytree if (llama / name).is_dir() else shutil.copy
        copy(llama / name, folder / name)
    (folder / "build").symlink_to((llama / "build").resolve())
    module = folder / "conversion" / "base.py"
    source = module.read_text(encoding="utf-8")
    found = re.search(r"^ +chktxt = (.+)$", source, re.MULTILINE)
    if found is None or source.count("\n        res = None\n") != 1:
        raise SystemExit(f"{module} does not look up tokenizers as expected: this is another version of llama.cpp")

    from transformers import AutoTokenizer

    tokens = AutoTokenizer.from_pretrained(MODELS / "base").encode(ast.literal_eval(found[1]))
    digest = hashlib.sha256(str(tokens).encode()).hexdigest()
    known = f'\n        res = None\n        if chkhsh == "{digest}":\n            res = "qwen2"\n'
    module.write_text(source.replace("\n        res = None\n", known), encoding="utf-8")
    return folder


def harness(folder: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    done = subprocess.run(
        [sys.executable, "-m", "harness", *arguments],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | variables,
    )  # fmt: skip
    return done.returncode, done.stdout


@contextmanager
def server(llama: Path, file: Path, port: int) -> Iterator[str]:
    """The address of llama-server with one file; it is stopped at the end."""
    log = file.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(llama / "build" / "bin" / "llama-server"), "-m", str(file), "--host", "127.0.0.1", "--port", str(port),
             "--alias", "demo", "--jinja", "-c", "2048", "-np", "4", "-t", "2"],
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            address = f"http://127.0.0.1:{port}"
            for _ in range(120):
                if process.poll() is not None:
                    words = log.read_text(errors="replace")[-2000:]
                    raise SystemExit(f"llama-server ended with {process.returncode}: {words}")
                try:
                    with urllib.request.urlopen(f"{address}/health", timeout=2):
                        break
                except (urllib.error.URLError, OSError):
                    time.sleep(0.5)
            yield f"{address}/v1"
        finally:
            process.terminate()
            process.wait(30)


def check(llama: Path, folder: Path, form: str, port: int) -> bool:
    """Export, serve and compare in one number format; whether all of it ran."""
    since = time.perf_counter()
    code, output = harness(folder, "export", ADAPTER, "--to", f"gguf:{form}", LLAMA_CPP=str(folder / "tools"))
    print(f"{form}: harness export ended with exit code {code} after {time.perf_counter() - since:.0f} s")
    files = sorted((folder / "exports").glob(f"*{form}*/*.gguf"))
    if code not in (0, 1) or len(files) != 1:
        print(output[-3000:])
        return False
    record = read_export_record(files[0].parent)
    assert record is not None
    print(f"  {record.method}; {files[0].stat().st_size / 1e6:.2f} MB")
    for name, parity in (("16-bit merge", record.merged), ("GGUF", record.parity)):
        assert parity is not None
        print(f"  {name}: {parity.verdict}. {parity.likelihoods} {' '.join(parity.reasons)}")
        for task in parity.tasks:
            print(
                f"    {task.task}: {task.adapter:.3f} to {task.export:.3f}; {task.same} of {task.asked} answers alike, "
                f"{len(task.gained)} gained, {len(task.lost)} lost"
            )
    with server(llama, files[0], port) as address:
        answers = folder / f"{form}.json"
        code, output = harness(
            folder, "compare", ADAPTER, f"openai:demo@{address}", "--suite", SUITE,
            "--engine", "transformers", "--json", str(answers), OPENAI_API_KEY="none",
        )  # fmt: skip
        if code != 0 or not answers.is_file():
            print(output[-3000:])
            return False
    for result in json.loads(answers.read_text(encoding="utf-8"))["comparisons"][0]["results"]:
        if result["verdict"] is not None:
            flips = f"{result['verdict']}, {len(result['gained'])} gained, {len(result['lost'])} lost"
            print(f"    over HTTP, {result['task']}: {result['base']:.3f} to {result['candidate']:.3f}; {flips}")
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("llama", type=Path)
    parser.add_argument("--forms", nargs="+", choices=["q8_0", "q4_k_m"], default=["q8_0", "q4_k_m"])
    parser.add_argument("--port", type=int, default=8799)
    options = parser.parse_args()
    llama = options.llama.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "tools").mkdir()
        tools_that_know_the_demo(llama, folder / "tools")
        entries = {"base": {"model": str(MODELS / "base")}, ADAPTER: {"base": "base", "adapter": str(MODELS / ADAPTER)}}
        (folder / "harness.yaml").write_text(yaml.safe_dump({"candidates": entries}))
        ran = [check(llama, folder, form, options.port) for form in options.forms]
    return 0 if all(ran) else 1


if __name__ == "__main__":
    sys.exit(main())
