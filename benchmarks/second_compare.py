"""A second identical `compare` on the demo: starts no engine, imports neither torch nor transformers.

    python benchmarks/second_compare.py

Bar: at most 3 s for the whole process. Prints the median of five and its ratio to the bar, and fails when a heavy
package was imported.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BAR = 3.0
COMPARE = ["compare", "base", "lora_model_medical", "lora_model_medical_mix", "--suite", "medical"]
WITNESS = """
import sys
from harness.cli import main
try:
    main()
finally:
    print("HEAVY", sorted({"torch", "transformers", "peft", "vllm", "pandas"} & set(sys.modules)), file=sys.stderr)
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as store:
        command = [sys.executable, "-c", WITNESS, *COMPARE, "--store", f"{store}/runs"]
        # Compiled once, as an installed package is; kept out of the source tree.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": f"{store}/pycache"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env=environment)
        times = []
        for _ in range(5):
            began = time.perf_counter()
            done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, env=environment)
            times.append(time.perf_counter() - began)
            heavy = next(line for line in done.stderr.splitlines() if line.startswith("HEAVY"))
            if heavy != "HEAVY []":
                raise SystemExit(f"a second compare imported {heavy}")
    median = statistics.median(times)
    print(f"second compare: {median:.2f} s, {median / BAR:.2f} of the bar of {BAR:.0f} s; no heavy import")


if __name__ == "__main__":
    main()
