"""The command line: `harness`.

One small module a command. Nothing heavy is imported at the top of any of them, so that `harness --help` is as quick
as importing typer; what a command needs, it imports when it runs.
"""

from harness.cli.entry import main

__all__ = ["main"]
