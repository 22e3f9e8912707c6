"""Consoles for text that may hold anything: no markup, no highlighting, no emoji codes are read from it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

#: Width where there is no terminal to ask.
_WIDTH = 120


def open_console(*, stderr: bool = False) -> Console:
    """A console on stdout or stderr."""
    return console_on(sys.stderr if stderr else sys.stdout)


def console_on(stream: TextIO) -> Console:
    """A console on any stream."""
    from rich.console import Console

    columns = os.environ.get("COLUMNS", "")
    width = None if stream.isatty() else int(columns) if columns.isdigit() and int(columns) > 0 else _WIDTH
    return Console(file=stream, markup=False, highlight=False, emoji=False, width=width)
