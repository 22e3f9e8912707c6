"""The dashboard over a store of a million samples, through a real browser.

    python benchmarks/dashboard_scale.py                 # 200 runs of 5,000 samples
    python benchmarks/dashboard_scale.py --runs 2        # one comparison of two runs of 500,000
    python benchmarks/dashboard_scale.py --keep FOLDER   # leaves the store there, and takes it up again

The store is the demo's, made large: its real runs are repeated under other item ids until there are as many samples as
asked for, and its comparison with them. Bars: first paint of Overview 2 s, any filter 1 s, memory of the server 1 GB.
Times are medians, printed as ratios to their bars; it fails when a bar is not met.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]
CANDIDATES = ("lora_model_medical", "lora_model_medical_mix")
#: Runs of one comparison: a base and four candidates.
TOGETHER = 5
SUITES = ("medical", "medical-nightly", "retention", "reasoning")
#: The count of the items that pass the filter and the items; a page of all items begins as that of the lost ones.
_SHOWN = '[data-testid="stMain"]'
_CHANGED = """([place, old]) => {
  const now = document.querySelector(place).innerText;
  return now !== old && now.includes("of ") && document.querySelector(".hx-item") !== null;
}"""
PAINT, FILTER, MEMORY = 2.0, 1.0, 1 << 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        store = given.keep or Path(temporary) / "store"
        if not (store / "comparisons").is_dir():
            make_store(store, given.samples, given.runs)
        missed = measure(store)
    if missed:
        raise SystemExit(f"bars missed: {', '.join(missed)}")


def make_store(store: Path, samples: int, runs: int) -> None:
    """A store of `runs` runs that hold `samples` samples together."""
    demo = store / ".demo"
    references = ["base", *CANDIDATES]
    command = [*harness(), "compare", *references, "--suite", "medical", "--engine", "transformers"]
    subprocess.run([*command, "--store", str(demo)], cwd=ROOT, check=True, capture_output=True)
    (comparison,) = (json.loads(path.read_text()) for path in demo.glob("comparisons/*/comparison.json"))
    ids = [comparison["comparisons"][0]["run_ids"]["base"]]
    ids += [compared["run_ids"]["candidate"] for compared in comparison["comparisons"]]
    copies = -(-samples // runs // sum(task["n"] for task in manifest(demo, ids[0])["tasks"]))
    big = {name: (large(pq.read_table(demo / name / "samples.parquet"), copies), manifest(demo, name)) for name in ids}
    began = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(max(1, runs // TOGETHER)):
        suite = SUITES[number % len(SUITES)]
        made = []
        for member in range(min(TOGETHER, runs)):
            table, found = big[ids[0] if member == 0 else ids[1 + (member + number) % len(CANDIDATES)]]
            name = "base" if member == 0 else f"lora-{number:03d}-{member}"
            run_id = f"{name}-{suite}-{number:06x}{member:06x}"
            write_run(
                store, run_id, table, enlarged(found, copies, run_id, suite, began + timedelta(hours=number), name)
            )
            made.append((run_id, name, member))
        write_comparison(store, comparison, copies, suite, number, made)
    print(f"{runs} runs of {samples // runs:,} samples in {store}", flush=True)


def large(table: pa.Table, copies: int) -> pa.Table:
    """The samples `copies` times, the items of each copy under ids of their own."""
    parts = []
    for copy in range(copies):
        part = table
        for column in ("item_id", "item_digest", "completion_key"):
            at = part.schema.get_field_index(column)
            part = part.set_column(at, column, pc.binary_join_element_wise(part[column], f"{copy:04d}", "-"))
        for column in ("prompt", "output"):  # texts that are alike would take no room on disk and no time to read
            at = part.schema.get_field_index(column)
            noise = pa.array([os.urandom(100).hex() for _ in range(len(part))])
            part = part.set_column(at, column, pc.binary_join_element_wise(part[column], noise, "\n"))
        parts.append(part)
    return pa.concat_tables(parts).combine_chunks()


def write_run(store: Path, run_id: str, table: pa.Table, manifest: dict[str, Any]) -> None:
    (store / run_id).mkdir(parents=True)
    pq.write_table(table, store / run_id / "samples.parquet", compression="zstd", row_group_size=1 << 14)
    (store / run_id / "run.json").write_text(json.dumps(manifest, ensure_ascii=False))


def enlarged(
    found: dict[str, Any], copies: int, run_id: str, suite: str, created: datetime, name: str
) -> dict[str, Any]:
    tasks = [task | {key: task[key] * copies for key in ("n", "errors", "missing")} for task in found["tasks"]]
    who = found["candidate"] | {"name": name, "digest": run_id}
    return found | {"id": run_id, "suite": suite, "created": created.isoformat(), "tasks": tasks, "candidate": who}


def write_comparison(
    store: Path, found: dict[str, Any], copies: int, suite: str, number: int, made: list[tuple[str, str, int]]
) -> None:
    comparisons = []
    for run_id, name, member in made[1:]:
        compared = found["comparisons"][(member + number) % len(CANDIDATES)]
        results = [
            result
            | {"n": result["n"] * copies, "different": result["different"] * copies}
            | {
                side: [f"{one}-{copy:04d}" for copy in range(copies) for one in result[side]]
                for side in ("lost", "gained")
            }
            for result in compared["results"]
        ]
        ids = {"base": made[0][0], "candidate": run_id}
        comparisons.append(compared | {"candidate": name, "results": results, "run_ids": ids})
    name = f"{suite}-{number:012x}"
    (store / "comparisons" / name).mkdir(parents=True)
    content = found | {"id": name, "suite": suite, "comparisons": comparisons}
    (store / "comparisons" / name / "comparison.json").write_text(json.dumps(content, ensure_ascii=False))


def measure(store: Path) -> list[str]:
    """Print what the page takes; returns the bars that were missed."""
    from playwright.sync_api import Page, sync_playwright

    missed: list[str] = []

    def told(what: str, seconds: list[float], bar: float) -> None:
        median = statistics.median(seconds)
        shown = f"median {median / bar:.2f}, worst {max(seconds) / bar:.2f} of the bar of {bar:.0f} s"
        print(f"{what:42} {shown} ({median:.2f} s)", flush=True)
        if median > bar:
            missed.append(what)

    with (
        tempfile.TemporaryDirectory() as nothing,
        serving(Path(nothing)) as (empty, _),
        serving(store) as (address, server),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)

        def opened(path: str, wait: str, address: str = address) -> tuple[Page, float]:
            page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
            page.set_default_timeout(30_000)
            began = time.perf_counter()
            page.goto(address + path)
            page.wait_for_selector(wait)
            return page, time.perf_counter() - began

        first = opened("/", ".hx-card")[1]
        told("Overview, the very first visitor", [first], PAINT)
        bare = statistics.median(opened("/", ".hx-empty", empty)[1] for _ in range(5))
        print(f"{'Overview of an empty store (no bar)':42} {bare:.2f} s: Chromium and Streamlit by themselves")
        told("Overview, first paint", [opened("/", ".hx-card")[1] for _ in range(5)], PAINT)
        page, seconds = opened("/compare", ".hx-item")
        print(f"{'Compare, opened cold (no bar)':42} {seconds:.2f} s", flush=True)
        again = statistics.median(opened("/compare", ".hx-item")[1] for _ in range(3))
        print(f"{'Compare, opened again (no bar)':42} {again:.2f} s")

        def timed(what: str, act: Callable[[], None], *, bar: float = FILTER) -> None:
            before = page.inner_text(_SHOWN)
            began = time.perf_counter()
            act()
            page.wait_for_function(_CHANGED, arg=[_SHOWN, before])
            told(what, [time.perf_counter() - began], bar)
            page.wait_for_timeout(500)

        def kind(nth: int) -> Callable[[], None]:
            return lambda: page.locator('[data-testid="stButtonGroup"] button').nth(nth).click()

        def option(box: int, nth: int) -> Callable[[], None]:
            def act() -> None:
                page.get_by_role("combobox").nth(box).click()
                page.get_by_role("option").nth(nth).click()

            return act

        buttons = page.locator('[data-testid="stButtonGroup"] button')
        places = {buttons.nth(n).inner_text().split(" ")[0]: n for n in range(buttons.count())}
        timed("filter: all items", kind(places["All"]))
        timed("filter: different only", kind(places["Different"]))
        boxes = page.get_by_role("combobox")
        labels = [boxes.nth(n).get_attribute("aria-label") or "" for n in range(boxes.count())]
        language = next(n for n, label in enumerate(labels) if "language" in label)
        timed("filter: one language", option(language, 1))
        timed("another page", lambda: page.get_by_test_id("stPaginationPage").first.click())

        def search() -> None:
            page.get_by_role("textbox", name="Search in questions and answers").fill("abc1")
            page.keyboard.press("Enter")

        timed("search in all texts", search)
        timed("another task", option(next(n for n, label in enumerate(labels) if "Task" in label), 1))
        browser.close()
        peak = memory(server)
        print(f"{'memory of the server, at most':42} {peak / MEMORY:.2f} of the bar of 1 GB", flush=True)
        if peak > MEMORY:
            missed.append("memory")
    return missed


@contextmanager
def serving(store: Path) -> Iterator[tuple[str, int]]:
    """A dashboard of the store: its address and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*harness(), "dashboard", "--store", str(store), "--port", str(port), "--no-browser", "--lang", "en"]
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as cache:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "HARNESS_CACHE": cache})
        try:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            print(f"{'start of the server (no bar)':42} {time.perf_counter() - began:.1f} s", flush=True)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            process.wait()


def memory(process: int) -> int:
    """The most memory the process has held, in bytes."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) << 10


def manifest(store: Path, run_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((store / run_id / "run.json").read_text())
    return found


def harness() -> list[str]:
    return [sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())"]


if __name__ == "__main__":
    main()
