"""A store with real runs of the demo, a dashboard over it, and a browser: each is made once for all tests here."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from harness.review.settings import Settings
from harness.review.store import ReviewStore
from tests.engines.endpoint.server import Reply, chat, serving
from tests.judge.answers import JUDGE, sides

ROOT = Path(__file__).resolve().parents[2]
#: What a hostile model may write; each as the answer to one question.
HOSTILE = {
    "script": "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">",
    "image": "![x](https://evil.example/track.png) [click](https://evil.example) https://evil.example",
    "override": "safe \u202egnp.exe\u2066 \u200b\u2028 end",
    "ansi": "\x1b[2J\x1b[31mred\x1b]0;title\x07",
    "formula": '=HYPERLINK("https://evil.example","click")',
    "latex": "$\\href{https://evil.example}{x}$ :red[x] :material/home:",
    "long": "0123456789" * 100_000,
    "quit": "</div></article></style><style>body{display:none}</style><b>free",
}
#: Of the demo's suite, asked in its words so that its answers are stored: one candidate is the base itself, and of the
#: other so few items are asked that nothing can be told.
PARTS = {"same": "general-retention", "five": "medical-qa"}
HOSTILE_TASK = {
    "name": "hostile", "goldset": "goldsets/hostile.jsonl", "role": "target", "slices": ["topic"],
    "scorers": ["exact"], "primary": "exact", "margin": 0.05,
}  # fmt: skip


@dataclass(frozen=True)
class Workspace:
    """A folder in which the command line was used.

    Attributes:
        comparisons: id of the comparison of each suite.
    """

    folder: Path
    store: Path
    comparisons: dict[str, str]

    @property
    def settings(self) -> Settings:
        return Settings(store=str(self.store), folder=self.folder, language="en")

    def open(self) -> ReviewStore:
        return ReviewStore(str(self.store), self.folder, {})


def harness(*commands: Sequence[str], folder: Path) -> None:
    """Run command lines one after the other in one process, which loads its libraries once."""
    code = "import json, sys; from harness.cli import main; sys.exit(max(map(main, json.loads(sys.argv[1]))))"
    environment = {**os.environ, "HARNESS_CACHE": str(folder / "cache"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(commands)], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(autouse=True)
def program() -> Iterator[None]:
    """Streamlit's test of an app leaves its script in the place of the program, where processes to come look for it."""
    kept = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = kept


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The demo compared by real models, two names for one model, five items, hostile answers, and a judge's words."""
    folder = tmp_path_factory.mktemp("dashboard")
    store = folder / "store"
    demo_tasks = yaml.safe_load((ROOT / "suites" / "medical.yaml").read_text(encoding="utf-8"))["tasks"]
    tasks = {name: next(task for task in demo_tasks if task["name"] == part) for name, part in PARTS.items()}
    for name, task in {**tasks, "hostile": HOSTILE_TASK}.items():
        write(folder / "suites" / f"{name}.yaml", yaml.safe_dump({"name": name, "tasks": [task]}))
    write_hostile(folder)
    demo = ("--demo", "--engine", "transformers")
    asked = {
        "medical": ("base", "lora_model_medical", "lora_model_medical_mix", "--limit", "120", *demo),
        "same": ("base", "base", "--limit", "60", *demo),
        "five": ("base", "lora_model_medical_mix", "--limit", "5", *demo),
        "hostile": ("replay:plain.jsonl", "replay:evil.jsonl"),
    }
    into = ("--store", str(store))
    commands = [("compare", *who, "--suite", suite, *into, "--json", f"{suite}.json") for suite, who in asked.items()]
    harness(*commands, folder=folder)
    found = {suite: str(json.loads((folder / f"{suite}.json").read_text())["id"]) for suite in asked}
    with serving(opinionated, models=JUDGE) as server:
        judge = ("judge", "pairwise", found["hostile"], "--judge", f"openai:judge@{server.url}", *into)
        harness(judge, folder=folder)
    return Workspace(folder, store, found)


def opinionated(body: dict[str, Any], nth: int) -> Reply:
    """A judge that prefers the plain answer, says why, and says another thing in each order."""
    first, _ = sides(body)
    reason, verdict = ("first", "A") if first == "plain" else ("second", "B")
    return chat(f"The {reason} answer is plain. <b>bold</b>\nVerdict: {verdict}", model="judge")


def write_hostile(folder: Path) -> None:
    """A gold set with a picture, whose candidate answers with everything that could act; recorded elsewhere."""
    write(folder / "goldsets" / "pictures" / ".keep", "")
    Image.new("RGB", (640, 320), (40, 90, 140)).save(folder / "goldsets" / "pictures" / "one.png")
    rows = [
        {
            "id": name,
            "question": f"Say it plainly: {name} <b>?</b>",
            "answer": "plain",
            "metadata": {"topic": f"<i>{name}"},
        }
        for name in HOSTILE
    ]
    rows[0]["images"] = ["pictures/one.png"]
    lines = {
        "goldsets/hostile.jsonl": rows,
        "plain.jsonl": [{"item_id": name, "output": "plain"} for name in HOSTILE],
        "evil.jsonl": [{"item_id": name, "output": text} for name, text in HOSTILE.items()],
    }
    for name, content in lines.items():
        write(folder / name, "".join(json.dumps(row) + "\n" for row in content))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Served:
    """A dashboard that is up."""

    url: str
    process: int


@dataclass(frozen=True)
class Written:
    """A dashboard that is up, over a store that may be written to."""

    url: str
    store: Path
    workspace: Workspace


@contextmanager
def dashboard(folder: Path, *options: str, host: str = "127.0.0.1", **variables: str) -> Iterator[Served]:
    """`harness dashboard` in a process of its own, for as long as the block lasts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = "import sys; from harness.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "dashboard", "--port", str(port), "--host", host, "--no-browser", *options]
    environment = {**os.environ, "HARNESS_CACHE": str(folder / "cache"), "LANG": "C.UTF-8", "LC_ALL": "", **variables}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        for _ in range(600):
            if process.poll() is not None:
                assert process.stdout is not None
                pytest.fail(f"the dashboard did not start: {process.stdout.read().decode()}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield Served(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="session")
def served(workspace: Workspace) -> Iterator[Served]:
    """One dashboard over the workspace's store."""
    with dashboard(workspace.folder, "--store", str(workspace.store)) as found:
        yield found


@pytest.fixture(scope="session")
def written(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    """A dashboard over a copy of the store, for tests that label and sign: each writes what no other reads."""
    store = tmp_path_factory.mktemp("written") / "store"
    shutil.copytree(workspace.store, store)
    with dashboard(workspace.folder, "--store", str(store)) as found:
        yield Written(found.url, store, workspace)


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page of a visitor who has not been here; it fails the test when it asks anything of another host, or breaks."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    foreign: list[str] = []
    broken: list[str] = []
    opened.on("pageerror", lambda error: broken.append(str(error)))
    opened.on("request", lambda request: foreign.append(request.url) if not _ours(request.url) else None)
    yield opened
    context.close()
    assert not foreign, "the page asked another host"
    assert not broken, "a script of the page failed"


def _ours(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))
