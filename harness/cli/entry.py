"""From the shell's arguments to an exit code; the one place where errors become text.

Exit codes: those of `harness.errors`, and outside their range 70 for a fault of this program (EX_SOFTWARE of
sysexits.h), 130 for Ctrl-C and 141 for a reader that went away (what the shell reports for SIGINT and SIGPIPE).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import typer

from harness.errors import EXIT_OK, EXIT_USAGE, HarnessError

EXIT_FAULT = 70
EXIT_INTERRUPTED = 130
EXIT_READER_GONE = 141

_DEBUG = "--debug"
# typer carries its own copy of click from 0.20 on: the base of its usage errors is found from one of them.
_ClickException: type[Exception] = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code.

    Args:
        arguments: without the program's name; default: those of this process.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    cut = given.index("--") if "--" in given else len(given)
    debug = _DEBUG in given[:cut] or os.environ.get("HARNESS_DEBUG", "0") not in ("", "0")
    given = [argument for argument in given[:cut] if argument != _DEBUG] + given[cut:]
    _replace_what_cannot_be_printed()
    try:
        return _run(given)
    except Exception as error:
        return _failed(error, debug=debug)
    except KeyboardInterrupt as error:
        return _failed(error, debug=debug)


def _failed(error: BaseException, *, debug: bool) -> int:
    """One line that says what happened; the exit code."""
    if isinstance(error, BrokenPipeError):
        _drop_stdout()
        return EXIT_READER_GONE
    if isinstance(error, _ClickException):
        _complain(f"error: {_usage(error)}")
        return EXIT_USAGE
    if debug:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, KeyboardInterrupt):
        _complain("interrupted: what finished is stored, and the same command goes on from there.")
        return EXIT_INTERRUPTED
    if isinstance(error, HarnessError):
        _complain(f"error: {error}")
        return error.exit_code
    if isinstance(error, typer.Abort | EOFError):
        _complain("error: aborted.")
        return EXIT_USAGE
    if isinstance(error, OSError) and error.filename is not None:  # a file that cannot be read, a full disk
        _complain(f"error: {error.filename}: {error.strerror or type(error).__name__}.")
        return EXIT_USAGE
    text = " ".join(str(error).split())[:500]
    remedy = "" if debug else f" ({_DEBUG} shows the traceback)"
    _complain(f"error: {type(error).__name__}{f': {text}' if text else ''}{remedy}")
    return EXIT_FAULT


def _run(arguments: list[str]) -> int:
    from harness.cli.app import Escaped, app

    try:
        result = app(args=arguments, prog_name="harness", standalone_mode=False)
    except Escaped as escaped:
        raise escaped.error from None
    except SystemExit:  # typer's own answer to a closed pipe while it prints help
        raise BrokenPipeError from None
    sys.stdout.flush()
    return result if isinstance(result, int) else EXIT_OK


def _usage(error: Exception) -> str:
    """A usage error in one line, with where to find help."""
    message = getattr(error, "format_message", error.__str__)()
    context = getattr(error, "ctx", None)
    help_ = f" Try '{context.command_path} --help'." if context is not None else ""
    text = " ".join(str(message).split())
    return f"{text}{'' if text.endswith(('.', '?', '!', ')')) else '.'}{help_}"


def _complain(line: str) -> None:
    with suppress(OSError):  # where nobody is listening, the exit code still says it
        print(_visible(line), file=sys.stderr, flush=True)


def _visible(line: str) -> str:
    """Names and texts of files stand in error messages: what is no printable character is shown escaped."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)


def _replace_what_cannot_be_printed() -> None:
    """A terminal that cannot show a character gets a question mark, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _drop_stdout() -> None:
    """Let the interpreter's last flush go nowhere instead of failing."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
