"""Progress of commands that ask models questions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.cli.console import open_console
from harness.cli.progress import ConsoleProgress
from harness.report.words import Language, words


@contextmanager
def progress(language: Language) -> Iterator[ConsoleProgress]:
    """Progress on stderr; whatever happens, the terminal is left in order."""
    shown = ConsoleProgress(open_console(stderr=True), words(language))
    try:
        yield shown
    finally:
        shown.finished()
