"""What holds on a real GPU: answers, not speed (for speed: `vllm_overhead.py --shape 7b`).

    python benchmarks/on_gpu.py            # every check, on the embedded demo models
    python benchmarks/on_gpu.py mixed awq  # some of them

Each check prints its figures and `ok` or `FAIL`; the exit code is 1 when one fails. On a machine without a GPU only the
checks that need none run (`engines`, `mixed`, `doctor`), which is how this script is rehearsed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from harness import api  # noqa: E402
from harness.errors import HarnessError  # noqa: E402
from harness.runs.samples import Sample  # noqa: E402
from tests.engines.packed import write_packed  # noqa: E402

DEMO = ROOT / "harness" / "demo" / "models"
NAMES = ("base", "lora_model_medical", "lora_model_medical_mix")


@dataclass(frozen=True)
class Check:
    """What a check found: one line for people, and whether it is as it should be."""

    ok: bool
    text: str


def _compare(store: Path, engine: str, **options: Any) -> tuple[api.Outcome, float]:
    since = time.perf_counter()
    request = api.Request(references=NAMES, suite="medical", engine=engine, store=str(store), folder=ROOT, **options)
    return api.compare(request), time.perf_counter() - since


def _verdicts(outcome: api.Outcome) -> list[str]:
    return [
        f"{compared.candidate}/{result.task}: {result.verdict} {result.base:.3f} -> {result.candidate:.3f}"
        for compared in outcome.comparison.comparisons
        for result in compared.results
        if result.primary
    ]


def _texts(samples: list[Sample]) -> dict[tuple[str, str], str]:
    return {(sample.task, sample.item_id): sample.output for sample in samples}


def _same(left: dict[tuple[str, str], str], right: dict[tuple[str, str], str]) -> tuple[int, int]:
    return sum(left[key] == right[key] for key in left), len(left)


def _runs(outcome: api.Outcome) -> list[dict[tuple[str, str], str]]:
    """Answers of base and candidates, in the order asked."""
    first = outcome.comparison.comparisons[0].run_ids
    ids = [first.base, *(compared.run_ids.candidate for compared in outcome.comparison.comparisons)]
    return [_texts(outcome.samples[run]) for run in ids]


def engines(scratch: Path) -> Check:
    """vLLM and transformers: the same verdicts, nearly the same answers."""
    vllm, vllm_seconds = _compare(scratch / "v", "vllm")
    plain, plain_seconds = _compare(scratch / "t", "transformers")
    for outcome, seconds in ((vllm, vllm_seconds), (plain, plain_seconds)):
        print(f"  {outcome.comparison.engine} {outcome.comparison.engine_version}: {seconds:.1f} s")
        print("   ", "\n    ".join(_verdicts(outcome)))
    ours, theirs = ([r.verdict for c in o.comparison.comparisons for r in c.results] for o in (vllm, plain))
    shares = [_same(a, b) for a, b in zip(_runs(vllm), _runs(plain), strict=True)]
    alike = all(same >= 0.95 * count for same, count in shares)
    text = ", ".join(f"{name} {same}/{count}" for name, (same, count) in zip(NAMES, shares, strict=True))
    return Check(ours == theirs and alike, f"verdicts equal: {ours == theirs}; identical answers: {text}")


def mixed(scratch: Path) -> Check:
    """The base's answers are its own when LoRAs share its batches."""
    together, _ = _compare(scratch / "together", "vllm")
    alone = api.run(
        api.Request(references=("base",), suite="medical", engine="vllm", store=str(scratch / "alone"), folder=ROOT)
    )
    own = _texts(next(iter(alone[1].values())))
    base, *tuned = _runs(together)
    same, count = _same(own, base)
    taken = [_same(own, answers)[0] for answers in tuned]
    # Half precision moves a few greedy answers from batch to batch; taking a LoRA's answers would move most.
    return Check(same >= 0.97 * count, f"{same}/{count} as alone (the LoRAs give {taken} of them)")


def doctor(scratch: Path) -> Check:
    """Every probe on the healthy LoRAs says pass."""
    found = api.examine(
        api.Request(references=NAMES[1:], suite="medical", engine="vllm", store=str(scratch / "d"), folder=ROOT)
    )
    lines = [f"{name} {f.probe}: {f.status} {f.detail}" for name, findings in found.items() for f in findings]
    print("   ", "\n    ".join(lines))
    bad = [line for line in lines if ": warn" in line or ": fail" in line]
    return Check(not bad, f"{len(lines)} findings, not pass or skip: {len(bad)}")


def bitsandbytes(scratch: Path) -> Check:
    """The base loaded in 4 bits, with its LoRAs, on both engines."""
    yaml = "\n".join(
        [
            "candidates:",
            f"  base: {{model: {DEMO / 'base'}, quantization: bitsandbytes}}",
            *(f"  {name}: {{base: base, adapter: {DEMO / name}}}" for name in NAMES[1:]),
        ]
    )
    return _quantised(scratch, yaml, ("vllm", "transformers"))


def gptq(scratch: Path) -> Check:
    """A GPTQ checkpoint of the base (rounded to nearest here), with its LoRAs, on vLLM."""
    return _packed(scratch, "gptq")


def awq(scratch: Path) -> Check:
    """An AWQ checkpoint of the base (rounded to nearest here), with its LoRAs, on vLLM."""
    return _packed(scratch, "awq")


def full(scratch: Path) -> Check:
    """A GPU that is full: the error names the process that holds it."""
    code = (
        "import torch, time; free, total = torch.cuda.mem_get_info(); "
        "held = torch.empty(int(free * 0.8), dtype=torch.uint8, device='cuda'); print('held', flush=True); "
        "time.sleep(300)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            _compare(scratch / "full", "vllm", limit=4)
            said = "nothing: the engine started"
        except HarnessError as error:
            said = str(error)
        finally:
            holder.kill()
    return Check(f"{holder.pid}" in said or "python" in said.lower(), said)


def _packed(scratch: Path, method: str) -> Check:
    model = scratch / method
    write_packed(DEMO / "base", model, method)
    yaml = "\n".join(
        [
            "candidates:",
            f"  base: {{model: {model}}}",
            *(f"  {name}: {{base: base, adapter: {DEMO / name}}}" for name in NAMES[1:]),
        ]
    )
    return _quantised(scratch, yaml, ("vllm",))


def _quantised(scratch: Path, yaml: str, names: tuple[str, ...]) -> Check:
    folder = scratch / "workspace"
    folder.mkdir()
    (folder / "harness.yaml").write_text(yaml)
    ok, texts = True, []
    for name in names:
        request = api.Request(references=NAMES, suite="medical", engine=name, store=str(scratch / name), folder=folder)
        outcome = api.compare(request)
        print("   ", "\n    ".join(_verdicts(outcome)))
        result = next(r for r in outcome.comparison.comparisons[1].results if r.primary and r.role == "target")
        # Four bits cost a tiny model much, but a model that was loaded wrongly answers nothing at all.
        ok = ok and result.verdict == "improved"
        texts.append(f"{name}: {result.task} {result.verdict} {result.delta:+.3f}")
    return Check(ok, "; ".join(texts))


ANYWHERE = {"engines": engines, "mixed": mixed, "doctor": doctor}
GPU_ONLY = {"bitsandbytes": bitsandbytes, "gptq": gptq, "awq": awq, "full": full}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checks", nargs="*", help=f"of {', '.join({**ANYWHERE, **GPU_ONLY})} (default: all)")
    asked = parser.parse_args().checks
    from harness.engines.gpu import list_gpus

    gpus = list_gpus()
    checks = ANYWHERE | (GPU_ONLY if gpus else {})
    print(f"GPU: {', '.join(gpu.name for gpu in gpus) or 'none'}", flush=True)
    failed = []
    for name, check in checks.items():
        if asked and name not in asked:
            continue
        since = time.perf_counter()
        with tempfile.TemporaryDirectory() as scratch:
            try:
                found = check(Path(scratch))
            except Exception as error:  # the other checks still tell something
                traceback.print_exc(limit=-3)
                found = Check(False, f"{type(error).__name__}: {error}")
        took = time.perf_counter() - since
        print(f"{name}: {'ok' if found.ok else 'FAIL'} ({took:.0f} s): {found.text}", flush=True)
        failed += [] if found.ok else [name]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
