"""Commands in a process of their own: with the environment that they read when they start, and with their memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_REPOSITORY = Path(__file__).parents[3]
# VmHWM and not ru_maxrss: that one starts at what the process held that started this one.
_PROCESS = """
import contextlib, io, json, re, sys, time
from harness.cli import main

done = []
for command in json.load(sys.stdin):
    out, err, began = io.StringIO(), io.StringIO(), time.monotonic()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(command)
    peak = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
    done.append((code, out.getvalue(), err.getvalue(), time.monotonic() - began, peak))
json.dump(done, sys.stdout)
"""


@dataclass(frozen=True)
class Done:
    """What a command did.

    Attributes:
        peak: the most memory, in MiB, that the process has held until the command's end.
    """

    code: int
    out: str
    err: str
    seconds: float
    peak: float


def run(commands: Sequence[Sequence[str]], folder: Path, environment: Mapping[str, str] | None = None) -> list[Done]:
    """Each `harness` command, one after the other in one process that works in `folder`."""
    given = dict(os.environ if environment is None else environment)
    given["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_REPOSITORY), given.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-c", _PROCESS],
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        env=given,
        cwd=folder,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Done(*parts) for parts in json.loads(done.stdout)]
