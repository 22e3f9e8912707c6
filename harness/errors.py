"""Errors meant for users: what was wrong, where, and what to do.

The command line prints them as one line and exits with `exit_code`; a traceback is shown only with `--debug`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_OK = 0
EXIT_GATE_FAILED = 1
EXIT_USAGE = 2
EXIT_INCOMPLETE = 3
EXIT_INCONCLUSIVE = 4

#: What stands in a sample's `error` when recorded outputs hold none for an item.
MISSING = "missing"


class HarnessError(Exception):
    """A failure with a place and a remedy.

    Args:
        what: what is wrong, in one clause.
        where: file, line, key or option the fault is in.
        remedy: what the user can do about it.
    """

    exit_code = EXIT_USAGE

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f" {self.remedy}" if self.remedy else ""
        end = "" if self.what.endswith((".", "?", "!")) else "."
        return " ".join(f"{place}{self.what}{end}{remedy}".split())


class InputError(HarnessError):
    """Usage or bad input: exit code 2."""


class IncompleteError(HarnessError):
    """Not finished (failures beyond `max_error_rate`, a training run that broke off): exit code 3."""

    exit_code = EXIT_INCOMPLETE


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A remedy that names the nearest known names, or lists them all when none is near."""
    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=2, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(repr(n) for n in near)}?"
    if not names:
        return "None is defined."
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"Known: {shown}."
