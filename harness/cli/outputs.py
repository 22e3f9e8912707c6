"""Where results go: files that appear whole or not at all, and a stdout that holds nothing else."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError

STDOUT = "-"


@dataclass(frozen=True)
class Outputs:
    """The files a command was asked to write, by option, checked before anything starts.

    Raises:
        InputError: a path that cannot be written, two options for one path, or two for stdout.
    """

    files: Mapping[str, str]

    @classmethod
    def of(cls, **options: str | None) -> Outputs:
        """`Outputs.of(json="-", html="report.html")`; options that were not given are None."""
        outputs = cls({f"--{name}": path for name, path in options.items() if path is not None})
        outputs._check()
        return outputs

    @property
    def stdout(self) -> bool:
        """True when one of them is stdout, so that everything else must go to stderr."""
        return STDOUT in self.files.values()

    def write(self, option: str, data: bytes | str) -> None:
        """Write what `option` asked for; nothing when it was not given."""
        path = self.files.get(option)
        if path is None:
            return
        raw = data.encode("utf-8", "replace") if isinstance(data, str) else data
        if path == STDOUT:
            _to_stdout(raw)
            return
        try:
            _write(Path(path), raw)
        except OSError as error:
            raise InputError(
                f"cannot be written ({error.strerror or error})",
                where=f"{option} {path}",
                remedy="Free some space or choose another place; the comparison itself is in the store.",
            ) from None

    def _check(self) -> None:
        taken: dict[str, str] = {}
        for option, path in self.files.items():
            key = path if path == STDOUT else str(Path(path).absolute())
            if key in taken:
                raise InputError(f"{path!r} is asked for by {taken[key]} too", where=option)
            taken[key] = option
            if path != STDOUT:
                _check(option, Path(path))


@contextmanager
def quiet_stdout(wanted: bool) -> Iterator[None]:
    """Send what anybody prints to stdout to stderr instead, native libraries included, while results wait for it."""
    if not wanted:
        yield
        return
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):  # not a real stream (a test's, a notebook's)
        yield
        return
    sys.stdout.flush()
    saved = os.dup(descriptor)
    os.dup2(2, descriptor)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(saved, descriptor)
        os.close(saved)


def _to_stdout(raw: bytes) -> None:
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        sys.stdout.write(raw.decode("utf-8"))
        return
    sys.stdout.flush()
    buffer.write(raw)
    buffer.flush()


def _check(option: str, path: Path) -> None:
    place = f"{option} {path}"
    if path.is_dir():
        raise InputError("is a folder", where=place, remedy="Name a file.")
    if _is_special(path):
        return
    folder = path.parent
    if not folder.is_dir():
        raise InputError(f"the folder {str(folder)!r} does not exist", where=place, remedy="Make it first.")
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{path.name[:100]}."):
            pass
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror or error})", where=place, remedy="Choose another place."
        ) from None


def _is_special(path: Path) -> bool:
    """A pipe or a device (`/dev/null`, `/dev/fd/3`) is written to; a file is replaced."""
    return path.exists() and not path.is_file()


def _write(path: Path, raw: bytes) -> None:
    if _is_special(path):
        path.write_bytes(raw)
        return
    target = path.resolve()  # a symbolic link stays one
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
