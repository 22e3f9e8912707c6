"""Live, on a real comparison in another process: watched, frozen, killed, and gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.review.live import Live, build_live
from harness.review.settings import Settings
from harness.runs.running import running_folder
from harness.runs.store import FILE_NAME, CompletionStore
from tests.dashboard.conftest import dashboard
from tests.dashboard.test_pages import Open, text, visit

__all__ = ["visit"]

COMMAND = (
    "compare", "base", "lora_model_medical", "--demo", "--engine", "transformers", "--suite", "medical",
    "--limit", "45", "--store", "store",
)  # fmt: skip
CODE = "import sys; from harness.cli import main; sys.exit(main())"


@dataclass(frozen=True)
class Frozen:
    """A comparison stopped in the middle: alive, and not moving."""

    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def completions(self) -> Path:
        return self.folder / "store" / FILE_NAME

    @property
    def settings(self) -> Settings:
        return Settings(store=str(self.folder / "store"), folder=self.folder, language="en")

    def look(self) -> Live:
        return build_live(self.completions)


def start(folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "HARNESS_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", CODE, *COMMAND], cwd=folder, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Frozen]:
    folder = tmp_path_factory.mktemp("live")
    found = Frozen(folder, start(folder))
    deadline = time.monotonic() + 120
    while not (seen := found.look().runs) or not any(one.n for one in seen[0].tasks):
        assert found.process.poll() is None, "it ended before anybody saw it"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(found.process.pid, signal.SIGSTOP)
    yield found
    found.process.kill()
    found.process.wait()


def test_a_running_comparison_is_counted_and_its_numbers_are_no_verdict(frozen: Frozen) -> None:
    (run,) = frozen.look().runs
    assert run.state == "answering"
    assert [one.name for one in run.candidates] == ["base", "lora_model_medical"]
    assert 0 < run.done < run.total == 2 * 3 * 45
    assert run.process == frozen.process.pid
    assert {one.role for one in run.tasks} == {"target", "guard"}
    task = next(one for one in run.tasks if one.n)
    assert task.n <= task.total
    assert task.ci is not None
    assert task.base is not None
    assert task.score is not None
    assert task.delta == pytest.approx(task.score - task.base)
    assert task.ci[0] <= task.delta <= task.ci[1]


def test_looking_writes_nothing(frozen: Frozen) -> None:
    store = frozen.folder / "store"
    before = {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in store.iterdir()}
    frozen.look()
    after = {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in store.iterdir()}
    shared = f"{FILE_NAME}-shm"  # where SQLite's readers say that they read
    assert {name: at for name, at in after.items() if name != shared} == {
        name: at for name, at in before.items() if name != shared
    }
    assert set(after) == set(before)


def test_the_page_says_provisional_and_shows_no_colour_of_a_verdict(visit: Open, frozen: Frozen) -> None:
    app = visit(frozen.settings, "live")
    shown = text(app)
    assert "provisional" in shown
    assert "No verdict" in shown
    assert "Answering" in shown
    bodies = "".join(str(one.proto.body) for one in app.main.get("html") if "hx-run" in str(one.proto.body))
    body = bodies.split('<section class="hx-run', 1)[1]
    assert "hx-tone-red" not in body
    assert "hx-tone-green" not in body


def test_a_broken_announcement_is_said_and_the_others_are_shown(frozen: Frozen) -> None:
    broken = running_folder(frozen.completions) / "broken.json"
    broken.write_text('{"schema": 1', encoding="utf-8")
    newer = broken.with_name("newer.json")
    newer.write_text('{"schema": 9}', encoding="utf-8")
    try:
        live = frozen.look()
        assert len(live.runs) == 1
        assert {fault.kind for fault in live.faults} == {"damaged", "newer"}
    finally:
        broken.unlink()
        newer.unlink()


def test_the_page_follows_it_in_a_browser_until_it_is_killed_and_the_same_command_goes_on(
    page: Any, frozen: Frozen
) -> None:
    with dashboard(frozen.folder, "--store", str(frozen.folder / "store")) as served:
        page.goto(f"{served.url}/live?lang=en")
        page.wait_for_selector('.hx-run[data-state="answering"]', timeout=60_000)
        kept = frozen.look().runs[0].done
        frozen.process.kill()
        frozen.process.wait()
        page.wait_for_selector('.hx-run[data-state="interrupted"]', timeout=60_000)  # nobody reloaded
        page.get_by_text("run the same command to go on").wait_for()
        again = start(frozen.folder)
        states: set[str] = set()
        stored = 0
        while again.poll() is None:
            for run in frozen.look().runs:
                states.add(run.state)
                stored = max(stored, sum(one.stored for one in run.candidates))
            time.sleep(0.1)
        assert again.returncode == 0
        assert "answering" in states
        assert stored >= kept, "what had come was not asked again"
        page.wait_for_selector("text=Nothing is running", timeout=60_000)
    assert frozen.look() == Live((), ())
    assert list(running_folder(frozen.completions).iterdir()) == []


def test_a_store_without_anything_says_what_to_do(visit: Open, tmp_path: Path) -> None:
    settings = Settings(store=str(tmp_path / "none"), folder=tmp_path, language="en")
    assert "harness compare BASE CANDIDATE" in text(visit(settings, "live"))
    assert not (tmp_path / "none").exists()
    CompletionStore(tmp_path / "old" / FILE_NAME).close()
    assert build_live(tmp_path / "old" / FILE_NAME) == Live((), ())
