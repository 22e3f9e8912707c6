"""math-verify in a process of its own, so that no expression can hang or exhaust this one.

Safe off the main thread and after a fork. The budget counts CPU seconds, not the clock, so that a busy machine changes
no score (`harness.scorers._math_worker`).
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path

from harness.scorers import _math_worker

#: CPU seconds to read an answer, and again to compare it. Nearly all need some milliseconds.
BUDGET = 5.0
# A stopped or starved process would never use up its CPU seconds. Far beyond any budget, in seconds by the clock.
_PATIENCE = 300.0


class Verdict(Enum):
    """What came of comparing an answer with a gold answer."""

    EQUAL = "equal"
    DIFFERENT = "different"
    UNREADABLE_ANSWER = "unreadable answer"
    """No expression, or one that cannot be evaluated within the budget, such as 9^{9^{9^9}}."""
    UNREADABLE_GOLD = "unreadable gold"
    UNDECIDED = "undecided"
    """Both can be read, but comparing them ran out of time or memory."""


@cache
def label() -> str:
    """The versions and limits that decide verdicts, for a signature."""
    versions = "/".join(f"{name}-{version(name)}" for name in ("math-verify", "sympy", "latex2sympy2_extended"))
    return f"{versions}|float:{_math_worker.FLOAT_DIGITS}|budget:{BUDGET:g}cpu-s"


# The same pairs come back for every candidate and repeat.
@lru_cache(maxsize=65_536)
def compare(gold: str, answer: str) -> Verdict:
    """Whether two expressions in LaTeX, without `$`, mean the same.

    Raises:
        OSError: the process cannot be started.
    """
    return _worker().compare(gold, answer)


@dataclass
class Worker:
    """One process, started when first needed and again after it died."""

    budget: float = BUDGET
    owner: int = field(default_factory=os.getpid)
    lock: threading.Lock = field(default_factory=threading.Lock)
    process: subprocess.Popen[bytes] | None = None
    unread: bytes = b""

    def compare(self, gold: str, answer: str) -> Verdict:
        with self.lock:
            words = self._ask(json.dumps([gold, answer]).encode() + b"\n")
        if not words:
            return Verdict.UNREADABLE_ANSWER
        return Verdict(words[1]) if len(words) > 1 else Verdict.UNDECIDED

    def close(self) -> None:
        """End the process; it starts again when asked."""
        with self.lock:
            self._end()

    def _ask(self, line: bytes) -> list[str]:
        """What the process says to `line`: nothing, `read`, or `read` and a verdict."""
        process = self._running()
        assert process.stdin is not None
        words: list[str] = []
        try:
            process.stdin.write(line)
            process.stdin.flush()
            while len(words) < 2 and (word := self._word(process)):
                words.append(word)
        except BaseException:  # interrupted halfway: what is still to come would be taken for the next answer
            self._end()
            raise
        if len(words) < 2:
            self._end()
        return words

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            # -P: the folder of the script holds modules called math and regex, which must not hide the real ones.
            # A fixed hash seed makes the order in which sympy walks its sets the same every time.
            command = [sys.executable, "-P", str(Path(_math_worker.__file__)), str(self.budget)]
            environment = {**os.environ, "PYTHONHASHSEED": "0"}
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
            self.process, self.unread = process, b""
            if self._word(process) != "ready":
                self._end()
                raise OSError(f"the process for math-verify did not start: {' '.join(command)}")
        return self.process

    def _word(self, process: subprocess.Popen[bytes]) -> str | None:
        """The next line; None when the process ended or says nothing for too long."""
        assert process.stdout is not None
        while b"\n" not in self.unread:
            if not select.select([process.stdout], [], [], _PATIENCE)[0]:
                return None
            if not (more := os.read(process.stdout.fileno(), 4096)):
                return None
            self.unread += more
        line, _, self.unread = self.unread.partition(b"\n")
        return line.decode()

    def _end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


_current = Worker()


def _worker() -> Worker:
    global _current
    if _current.owner != os.getpid():  # a forked process must not share its parent's pipes, nor a lock held there
        _current = Worker()
    return _current
