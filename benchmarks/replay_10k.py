"""How long does it take to compare two recordings of 10,000 items, and how much memory?

The bars: 5 seconds and 400 MB for the whole process, scored by exact match. Run it with `python
benchmarks/replay_10k.py`; it writes only into a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

SECONDS = 5.0
MEGABYTES = 400.0

SUITE = """\
name: bench
tasks:
  - name: qa
    role: guard
    goldset: gold.jsonl
    scorers: [exact]
    primary: exact
    margin: 0.02
    slices: [topic]
"""


def write_data(folder: Path, items: int) -> None:
    """A gold set, a suite and two recordings that differ in a tenth of the answers."""
    draw = random.Random(0)
    with (
        (folder / "gold.jsonl").open("w", encoding="utf-8") as gold,
        (folder / "base.jsonl").open("w", encoding="utf-8") as base,
        (folder / "candidate.jsonl").open("w", encoding="utf-8") as candidate,
    ):
        for number in range(items):
            answer = f"答案 {draw.randrange(10**6)}"
            item = {"id": f"q{number}", "question": f"第 {number} 题：下列哪一项是正确的？", "answer": answer}
            gold.write(json.dumps({**item, "metadata": {"topic": f"t{number % 7}"}}, ensure_ascii=False) + "\n")
            for file, right in ((base, 0.7), (candidate, 0.75)):
                output = answer if draw.random() < right else "不知道"
                file.write(json.dumps({"item_id": f"q{number}", "output": output}, ensure_ascii=False) + "\n")
    (folder / "suite.yaml").write_text(SUITE, encoding="utf-8")


def measure(folder: Path, run: int) -> tuple[float, float, float]:
    """Seconds, CPU seconds and peak megabytes of one `harness compare` with a store of its own."""
    arguments = [sys.executable, "-m", "harness", "compare", "replay:base.jsonl", "replay:candidate.jsonl"]
    arguments += ["--suite", "suite.yaml", "--store", f"store{run}", "--lang", "en"]
    began = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        os.chdir(folder)
        log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        # Compiled once, as an installed package is; kept out of the source tree.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "pycache")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        os.execve(sys.executable, arguments, environment)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - began
    if status:
        raise SystemExit((folder / "log").read_text(encoding="utf-8"))
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> int:
    """Print the measurements; 0 when both bars are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_data(folder, given.items)
        measure(folder, 0)
        measured = [measure(folder, run) for run in range(1, given.runs + 1)]
    seconds, megabytes = min(m[0] for m in measured), max(m[2] for m in measured)
    print("runs:", ", ".join(f"{s:.2f} s ({cpu:.2f} s of CPU), {m:.0f} MB" for s, cpu, m in measured))
    print(f"time:   {seconds:.2f} s of {SECONDS:.0f} s allowed ({seconds / SECONDS:.2f} of the bar)")
    print(f"memory: {megabytes:.0f} MB of {MEGABYTES:.0f} MB allowed ({megabytes / MEGABYTES:.2f} of the bar)")
    return 0 if seconds <= SECONDS and megabytes <= MEGABYTES else 1


if __name__ == "__main__":
    sys.exit(main())
