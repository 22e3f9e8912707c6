"""The screenshots of the dashboard: `python docs/figures/dashboard_figures.py`.

Compares the demo's candidates into a store of its own, opens the dashboard over it in Chromium, and writes
`dashboard-overview.png` and `dashboard-compare.png` in English, and in Chinese with `.zh` in their names.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CHROMIUM = "/usr/bin/chromium"
HARNESS = [sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())"]
ASKED = ["compare", "base", "lora_model_medical", "lora_model_medical_mix", "--suite", "medical"]
WIDTH = 1440


def main() -> None:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        # A name to look at: the page shows where the store lies.
        store = Path(folder) / "runs"
        engine = ["--engine", "transformers", "--store", str(store)]
        subprocess.run([*HARNESS, *ASKED, *engine], cwd=ROOT, check=True, capture_output=True)
        with serving(Path(folder)) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            for language, suffix in (("en", ""), ("zh", ".zh")):
                page = browser.new_context(viewport={"width": WIDTH, "height": 900}).new_page()
                page.goto(f"{address}/?lang={language}")
                page.wait_for_selector(".hx-ability")
                page.wait_for_timeout(1500)
                page.screenshot(path=str(HERE / f"dashboard-overview{suffix}.png"))
                page.set_viewport_size({"width": WIDTH, "height": 1560})
                page.goto(f"{address}/compare?lang={language}")
                page.wait_for_selector(".hx-item")
                page.wait_for_timeout(3000)
                page.screenshot(path=str(HERE / f"dashboard-compare{suffix}.png"))
            browser.close()


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The dashboard of `folder/runs`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*HARNESS, "dashboard", "--store", "runs", "--port", str(port), "--no-browser"]
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, "HARNESS_CACHE": str(folder / "cache")})
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
