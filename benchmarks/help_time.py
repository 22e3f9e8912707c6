"""How long does `harness --help` take, beside a bare `import typer`?

The bar: at most twice as long. The two are run in turn, so that a busy machine slows both.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

BAR = 2.0
RUNS = 15


def seconds(arguments: list[str], pycache: str) -> float:
    """Wall time of one process, its modules compiled as those of an installed package are."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": pycache}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.perf_counter()
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - began


def main() -> int:
    """Print medians and their ratio; 0 when the bar is met."""
    bare, help_ = [], []
    with tempfile.TemporaryDirectory() as pycache:
        for _ in range(RUNS + 1):
            bare.append(seconds([sys.executable, "-c", "import typer"], pycache))
            help_.append(seconds([sys.executable, "-m", "harness", "--help"], pycache))
    del bare[0], help_[0]  # the first of each compiled
    ratio = statistics.median(help_) / statistics.median(bare)
    print(f"import typer:   {statistics.median(bare) * 1000:.0f} ms (median of {RUNS}, least {min(bare) * 1000:.0f})")
    print(f"harness --help: {statistics.median(help_) * 1000:.0f} ms (least {min(help_) * 1000:.0f})")
    print(f"ratio: {ratio:.2f} of {BAR:.0f} allowed")
    return 0 if ratio <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
