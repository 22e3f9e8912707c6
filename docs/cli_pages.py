"""Write `docs/cli.md` from what the commands say of themselves: `python docs/cli_pages.py`.

A test runs it and compares, so the page cannot drift from `--help`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("cli.md")


def commands() -> list[str]:
    """Every command, in the order of the help."""
    from typer.main import get_command

    from harness.cli.app import app

    def below(command: Any, name: str) -> Iterator[str]:
        yield name
        for child, inner in getattr(command, "commands", {}).items():
            yield from below(inner, f"{name} {child}".strip())

    return list(below(get_command(app), ""))


def help_text(command: str) -> str:
    """What `harness COMMAND --help` prints on a terminal of 100 columns."""
    code = "import sys; from harness.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, *command.split(), "--help"],
        env={**os.environ, "COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1", "LANG": "C.UTF-8", "LC_ALL": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


def page() -> str:
    """The whole page."""
    parts = ["# Command line\n\nGenerated from `--help` by `python docs/cli_pages.py`.\n"]
    for command in commands():
        name = f"harness {command}".strip()
        parts.append(f"## {name}\n\n```\n{help_text(command)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
