"""base + 2 adapters on 200 demo items: this harness against lm-eval run three times.

lm-eval has no comparison, so a base and two LoRAs are three runs: three imports, three loads, three rounds of batches.
Both sides ask the same questions with the same chat template, greedy, with the same token limit, on transformers.

    python -m venv /tmp/lm-eval && /tmp/lm-eval/bin/pip install 'lm-eval[hf]==0.4.13' torch transformers peft
    python benchmarks/against_lm_eval.py --lm-eval /tmp/lm-eval/bin/python

Bar: at most 0.5 of lm-eval's wall time. Runs are interleaved; the median of each side is compared.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "harness" / "demo" / "models"
ADAPTERS = ("lora_model_medical", "lora_model_medical_mix")
ITEMS = 200
MAX_TOKENS = 64
PROMPT = "{question}\n请只写出答案，不要解释。"

SUITE = """
name: bench
tasks:
  - {{name: qa, role: target, goldset: {gold}, scorers: [exact], primary: exact, margin: 0.05,
     prompt: {prompt}, generation: {{max_tokens: {tokens}}}}}
"""

TASK = """
task: bench
dataset_path: json
dataset_kwargs:
  data_files: {{test: {gold}}}
test_split: test
output_type: generate_until
doc_to_text: {prompt}
doc_to_target: "{{{{answer[0]}}}}"
generation_kwargs: {{until: ["<|im_end|>"], max_gen_toks: {tokens}, do_sample: false}}
metric_list: [{{metric: exact_match, aggregation: mean, higher_is_better: true}}]
"""


def prepare(folder: Path) -> None:
    lines = (ROOT / "goldsets" / "medical-qa.jsonl").read_text(encoding="utf-8").splitlines()[:ITEMS]
    gold = folder / "gold.jsonl"
    gold.write_text("\n".join(lines) + "\n", encoding="utf-8")
    values = {"gold": json.dumps(str(gold)), "tokens": MAX_TOKENS}
    (folder / "suite.yaml").write_text(SUITE.format(prompt=json.dumps(PROMPT), **values), encoding="utf-8")
    lm_prompt = json.dumps(PROMPT.replace("{question}", "{{question}}"))
    (folder / "bench.yaml").write_text(TASK.format(prompt=lm_prompt, **values), encoding="utf-8")


def timed(command: list[str], folder: Path) -> float:
    environment = {
        **os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(folder / "hf"),
        "TOKENIZERS_PARALLELISM": "false",
    }  # fmt: skip
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return time.perf_counter() - began


def harness(folder: Path, number: int) -> float:
    store = str(folder / f"store{number}")
    command = [sys.executable, "-m", "harness", "compare", "base", *ADAPTERS, "--suite", str(folder / "suite.yaml")]
    return timed([*command, "--engine", "transformers", "--store", store], folder)


def lm_eval(python: str, folder: Path) -> float:
    total = 0.0
    for adapter in (None, *ADAPTERS):
        arguments = f"pretrained={MODELS / 'base'},dtype=float32" + (f",peft={MODELS / adapter}" if adapter else "")
        total += timed(
            [
                python, "-m", "lm_eval", "run", "--model", "hf", "--model_args", arguments, "--tasks", "bench",
                "--include_path", str(folder), "--apply_chat_template", "--batch_size", "64", "--device", "cpu",
                "--output_path", str(folder / "lm_eval"), "--log_samples",
            ],
            folder,
        )  # fmt: skip
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lm-eval", required=True, help="python of an environment that has lm-eval")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        for number in range(arguments.rounds):
            ours.append(harness(folder, number))
            theirs.append(lm_eval(arguments.lm_eval, folder))
            print(f"round {number + 1}: harness {ours[-1]:.1f} s, lm-eval {theirs[-1]:.1f} s", flush=True)
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(
        f"harness {statistics.median(ours):.1f} s / lm-eval {statistics.median(theirs):.1f} s = {ratio:.2f} (bar: 0.5)"
    )


if __name__ == "__main__":
    main()
