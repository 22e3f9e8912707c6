"""Training on a real GPU: Unsloth beside TRL, and what comes out of both, asked on vLLM.

    python benchmarks/train_on_gpu.py                # every check
    python benchmarks/train_on_gpu.py speed grpo     # some of them
    python benchmarks/train_on_gpu.py --shape tiny --backends trl    # rehearsal on a CPU

`speed`, `fourbit` and `oom` train a model of random weights in the shape of Qwen2.5-7B (`--shape`), so that only time
and memory mean anything; `demo`, `grpo` and `selection` train the embedded demo base, `vision` a tiny Qwen2.5-VL that
is made for it. Everything goes through the command line, each training in a process of its own. A step's time is the
median of the times between log lines, the first third left out.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.vllm_overhead import SHAPES, write_model  # noqa: E402
from harness.candidates.lineage import Lineage, read_lineage  # noqa: E402

BASE = ROOT / "harness" / "demo" / "models" / "base"
SHAPES["1.5b"] = SHAPES["7b"] | {
    "hidden_size": 1536, "intermediate_size": 8960, "num_attention_heads": 12, "num_key_value_heads": 2,
    "vocab_size": 151936, "tie_word_embeddings": True,
}  # fmt: skip
GIB = 1 << 30


@dataclass(frozen=True)
class Trained:
    """One training: its lineage, None where it failed, the seconds of a step, of the whole, and what it printed."""

    lineage: Lineage | None
    step: float
    seconds: float
    code: int
    output: str

    @property
    def text(self) -> str:
        if self.lineage is None:
            last = self.output.strip().splitlines()[-1][:600] if self.output.strip() else ""
            step = f"{self.step:.3f} s a step, then " if self.step else ""
            return f"{step}exit code {self.code}: {last}"
        peak = "" if self.lineage.peak_memory is None else f", peak {self.lineage.peak_memory / GIB:.1f} GiB"
        first, last = self.lineage.losses[0].loss, self.lineage.losses[-1].loss
        return f"{self.step:.3f} s a step{peak}, {self.seconds:.0f} s in all, loss {first:.3f} to {last:.3f}"


class Yard:
    """A folder with models and data, and `harness` run in it."""

    def __init__(self, folder: Path, shape: str) -> None:
        from harness.engines.gpu import visible_gpus

        self.folder, self.shape, self.gpu = folder, shape, bool(visible_gpus())
        self.on_vllm = True
        self.entries: dict[str, dict[str, str]] = {"base": {"model": str(BASE)}}
        self._write()

    def big(self) -> str:
        """The name of a model of random weights in the shape asked for; made once."""
        if "big" not in self.entries:
            import torch
            from transformers import AutoConfig, AutoModelForCausalLM

            write_model(self.folder / "big", self.shape)
            device = "cuda" if torch.cuda.is_available() else "cpu"
            torch.set_default_dtype(torch.bfloat16)
            with torch.device(device):
                model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(self.folder / "big"))
            torch.set_default_dtype(torch.float32)
            model.save_pretrained(self.folder / "big")
            del model
            if device == "cuda":
                torch.cuda.empty_cache()
            draw = random.Random(0)
            letters = "abcdefghijklmnopqrstuvwxyz "
            rows = [{"question": "".join(draw.choices(letters, k=200)), "answer": "".join(draw.choices(letters, k=300))}
                    for _ in range(512)]  # fmt: skip
            (self.folder / "big.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
            self.entries["big"] = {"model": str(self.folder / "big")}
            self._write()
        return "big"

    def harness(self, *arguments: str) -> tuple[int, str, list[tuple[float, str]]]:
        """Exit code, output and the output's lines with the time of each."""
        command = [sys.executable, "-m", "harness", *arguments]
        process = subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=_environment(),
        )  # fmt: skip
        assert process.stdout is not None
        lines = [(time.perf_counter(), line) for line in process.stdout]
        return process.wait(), "".join(line for _, line in lines), lines

    def train(self, kind: str, name: str, **settings: Any) -> Trained:
        content = {"name": name, **settings}
        (self.folder / f"{name}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
        since = time.perf_counter()
        code, output, lines = self.harness("train", kind, f"{name}.yaml", "--debug")
        seconds = time.perf_counter() - since
        times = [at for at, line in lines if re.match(r"step +\d+ ", line)]
        gaps = [after - before for before, after in itertools.pairwise(times)][len(times) // 3 :]
        lineage = read_lineage(self.folder / "candidates" / name) if code == 0 else None
        if lineage is None:
            print(output[-4000:])
        return Trained(lineage, statistics.median(gaps) if gaps else 0.0, seconds, code, output)

    def transformers_only(self) -> None:
        """Leaves out of harness.yaml what only vLLM understands."""
        self.on_vllm = False
        self._write()

    def _write(self) -> None:
        # No CUDA graphs: engines are started often here, and asked little.
        engine = {"args": {"enforce_eager": True}} if self.gpu and self.on_vllm else {}
        (self.folder / "harness.yaml").write_text(yaml.safe_dump({"candidates": self.entries, "engine": engine}))


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}", "PYTHONUNBUFFERED": "1"}


#: What notebooks for one card train with.
USUAL: dict[str, Any] = {
    "max_seq_length": 2048,
    "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 2,
    "max_steps": 30,
    "r": 16,
    "alpha": 16,
    "gradient_checkpointing": True,
    "save_steps": 1000,
}


def speed(yard: Yard, backends: Sequence[str], **more: Any) -> bool:
    """The same config on each backend: seconds a step and peak memory, and their ratio."""
    settings = USUAL | {"base": yard.big(), "data": {"text": "big.jsonl"}, "prompt": "plain"} | more
    label = "4-bit" if more.get("load_in_4bit") else "16-bit"
    found = {name: yard.train("sft", f"{name}{'-4bit' if more else ''}", backend=name, **settings) for name in backends}
    for name, one in found.items():
        print(f"  {name} {label}: {one.text}")
    if len(found) == 2 and all(one.lineage and one.lineage.peak_memory for one in found.values()):
        ours, theirs = found["unsloth"], found["trl"]
        memory = ours.lineage.peak_memory / theirs.lineage.peak_memory  # type: ignore[union-attr, operator]
        print(f"  unsloth / trl, {label}: step {ours.step / theirs.step:.2f}x, memory {memory:.2f}x")
    return all(one.lineage is not None for one in found.values())


def fourbit(yard: Yard, backends: Sequence[str]) -> bool:
    """The same in 4 bits."""
    return speed(yard, backends, load_in_4bit=True)


def oom(yard: Yard, backends: Sequence[str]) -> bool:
    """A batch that fits no card: the message says what to lower."""
    huge = USUAL | {"base": yard.big(), "data": {"text": "big.jsonl"}, "prompt": "plain"}
    huge |= {"per_device_train_batch_size": 512, "gradient_checkpointing": False, "max_steps": 1}
    good = True
    for name in backends:
        one = yard.train("sft", f"{name}-oom", backend=name, **huge)
        print(f"  {name}: {one.text}")
        good &= one.code == 3 and "per_device_train_batch_size" in one.output
    return good


def demo(yard: Yard, backends: Sequence[str]) -> bool:
    """SFT of the demo base; its candidates and the merged export of the last one compared with it on one engine."""
    names = []
    for name in backends:
        one = yard.train("sft", f"demo-{name}", backend=name, **_demo(yard))
        print(f"  {name}: {one.text}", flush=True)
        if one.lineage is None:
            return False
        names.append(f"demo-{name}")
    code, output, _ = yard.harness("export", names[-1], "--to", "merged16", "--suite", "medical")
    print(output[-2500:], flush=True)
    if code:
        return False
    names.append(f"{names[-1]}-merged16")
    code, output, _ = yard.harness("compare", "base", *names, "--suite", "medical", "--json", "compared.json")
    if code:
        print(output[-3000:])
        return False
    compared = json.loads((yard.folder / "compared.json").read_text())
    verdicts = {}
    for one in compared["comparisons"]:
        shown = {
            result["task"]: (result["verdict"], round(result["delta"], 3))
            for result in one["results"]
            if result["primary"]
        }
        failed = [f"{f['probe']}: {f['detail']}" for f in one["doctor"] if f["status"] in ("warn", "fail")]
        print(f"  {one['candidate']} on {compared['engine']} {compared['engine_version']}: {shown} {failed}")
        verdicts[one["candidate"]] = shown["medical-qa"][0]
    return all(verdict == "improved" for verdict in verdicts.values())


def _demo(yard: Yard) -> dict[str, Any]:
    """The demo's training data and settings, without the name."""
    from harness.demo import trainset

    trainset.write(yard.folder / "data", 6000)
    config: dict[str, Any] = yaml.safe_load((yard.folder / "data" / "sft.yaml").read_text())
    del config["name"]
    return config | {"data": {"medical": "data/medical.jsonl", "general": "data/general.jsonl"}}


def selection(yard: Yard, backends: Sequence[str]) -> bool:
    """Training in stretches with evaluations between them: the losses are those of a training in one piece."""
    yard.transformers_only()
    good = True
    for name in backends:
        settings = _demo(yard) | {"backend": name, "max_steps": 60, "logging_steps": 5, "save_steps": 1000}
        whole = yard.train("sft", f"whole-{name}", **settings)
        measured = {"suite": "medical", "every": 30, "engine": "transformers"}
        parts = yard.train("sft", f"parts-{name}", **settings, eval=measured)
        if whole.lineage is None or parts.lineage is None or parts.lineage.selection is None:
            return False
        losses = [[point.loss for point in one.lineage.losses] for one in (whole, parts) if one.lineage]
        apart = max(abs(a - b) for a, b in zip(*losses, strict=False))
        kls = [one.kl for one in parts.lineage.selection.during]
        chosen = parts.lineage.selection
        print(
            f"  {name}: {parts.text}; losses apart by at most {apart:.4f}; KL {kls}; step {chosen.chosen}: {chosen.why}"
        )
        good &= apart < 0.02
    return good


def grpo(yard: Yard, backends: Sequence[str]) -> bool:
    """GRPO of the demo base with a reward that chance alone earns, answers from vLLM and from transformers."""
    (yard.folder / "even.py").write_text("def even(text, gold):\n    return sum(c in '02468' for c in text[:8]) / 8\n")
    rows = [{"question": f"{a} + {b} = ?", "answer": str(a + b)} for a in range(40) for b in range(8)]
    (yard.folder / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = {
        "base": "base", "data": {"sums": "sums.jsonl"}, "rewards": {"py:even.py:even": 1, "correctness": 1},
        "num_generations": 8, "per_device_train_batch_size": 64, "gradient_accumulation_steps": 1,
        "max_completion_length": 16, "max_seq_length": 128, "max_steps": 30, "learning_rate": 5e-3,
        "max_grad_norm": 1.0, "vllm_gpu_memory_utilization": 0.2, "save_steps": 1000,
    }  # fmt: skip
    good = True
    for name in backends:
        for vllm in ("auto", False):
            one = yard.train("grpo", f"grpo-{name}-{vllm}", backend=name, use_vllm=vllm, **settings)
            text = one.text
            if one.lineage is not None:
                earned = [point.reward or 0.0 for point in one.lineage.losses]
                text += f", reward {statistics.mean(earned[:5]):.3f} to {statistics.mean(earned[-5:]):.3f}"
                good &= statistics.mean(earned[-5:]) > statistics.mean(earned[:5])
            else:
                good = False
            print(f"  {name}, vllm {vllm}: {text}", flush=True)
    return good


def vision(yard: Yard, backends: Sequence[str]) -> bool:
    """Qwen2.5-VL's architecture in a tiny size, which calls red green, learns the colours of a sheet's pictures."""
    import openpyxl

    from tests.engines.vision.tiny import ONE, draw, make_base

    yard.transformers_only()
    yard.entries["sees"] = {"model": str(make_base(yard.folder / "sees"))}
    yard.transformers_only()
    sheet = openpyxl.Workbook()
    sheet.active.append(["id", "prompt", "image", "response"])
    for number, shown in enumerate(ONE):
        picture = f"pictures/{draw(yard.folder / 'pictures', *shown.pictures[0])}"
        sheet.active.append([number, shown.question, picture, shown.answer])
    sheet.save(yard.folder / "sheet.xlsx")
    task = {
        "name": "colours", "role": "target", "goldset": "goldsets/colours.jsonl", "prompt": "{question}",
        "generation": {"max_tokens": 8}, "scorers": ["exact"], "primary": "exact", "margin": 0.05,
    }  # fmt: skip
    (yard.folder / "see.yaml").write_text(yaml.safe_dump({"name": "see", "tasks": [task]}))
    good = yard.harness("goldset", "import", "sheet.xlsx", "--as", "colours")[0] == 0
    settings = {
        "base": "sees", "data": {"colours": "sheet.xlsx"}, "r": 8, "alpha": 16, "learning_rate": 5e-3,
        "per_device_train_batch_size": 8, "max_seq_length": 256, "max_steps": 80, "logging_steps": 1,
    }  # fmt: skip
    for name in backends:
        one = yard.train("vision", f"vision-{name}", backend=name, **settings)
        print(f"  {name}: {one.text}", flush=True)
        good &= one.lineage is not None
        if one.lineage is not None:
            asked = ("--suite", "see.yaml", "--engine", "transformers", "--json", "see.json")
            code, output, _ = yard.harness("compare", "sees", f"vision-{name}", *asked)
            if code != 0:
                print(output[-3000:])
                return False
            (result,) = json.loads((yard.folder / "see.json").read_text())["comparisons"][0]["results"]
            print(f"    right {result['base']} to {result['candidate']}: {result['verdict']}", flush=True)
            good &= result["verdict"] == "improved"
    return good


CHECKS = {
    "demo": demo,
    "grpo": grpo,
    "selection": selection,
    "vision": vision,
    "speed": speed,
    "fourbit": fourbit,
    "oom": oom,
}


def missing_modules() -> list[str]:
    """Modules that a check would want only after minutes of training: named before the first of those minutes."""
    wanted = [
        "jieba",
        "json_repair",
        "math_verify",
        "platformdirs",
        "rapidfuzz",
        "rensa",
        "ruamel.yaml",
        "openpyxl",
        "trl",
        "peft",
    ]
    found = []
    for name in wanted:
        try:
            importlib.import_module(name)
        except ImportError:
            found.append(name)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checks", nargs="*", choices=[[], *CHECKS], default=[])
    parser.add_argument("--shape", choices=sorted(SHAPES), default="7b")
    parser.add_argument("--backends", nargs="+", choices=["trl", "unsloth"], default=["trl", "unsloth"])
    options = parser.parse_args()
    if missing := missing_modules():
        print(f"not installed: {', '.join(missing)}")
        return 2
    failed = []
    with tempfile.TemporaryDirectory() as scratch:
        yard = Yard(Path(scratch), options.shape)
        for name in options.checks or CHECKS:
            print(f"{name}: {CHECKS[name].__doc__}", flush=True)
            since = time.perf_counter()
            try:
                good = CHECKS[name](yard, options.backends)
            except Exception:
                traceback.print_exc()
                good = False
            print(f"  {'ok' if good else 'FAIL'} ({time.perf_counter() - since:.0f} s)", flush=True)
            if not good:
                failed.append(name)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
