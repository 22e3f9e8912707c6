"""An append-only file of a store: one JSON object a line, added to by several at once and never rewritten.

In a folder of this machine it is one file, `NAME.jsonl`, appended to under a lock. Object stores cannot append, and
what is read, lengthened and written back loses what somebody else wrote meanwhile; there each entry is a file of its
own, `NAME/TIME-RANDOM.jsonl`. Both are read, so that a store may be copied from one to the other.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from harness.errors import InputError
from harness.runs.files import RunStore


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as it was written.

    Attributes:
        where: file and number, for messages.
    """

    where: str
    data: bytes


class Journal:
    """The journal `name` (a path in the store, without its ending)."""

    def __init__(self, store: RunStore, name: str) -> None:
        self._store = store
        self._name = name
        self._path = store.path(f"{name}.jsonl")
        self._folder = store.path(name)

    def append(self, text: str) -> None:
        """Add an entry; when this returns it is on disk.

        Args:
            text: one JSON object without a line feed.

        Raises:
            InputError: nothing can be written there; then nothing was.
        """
        data = text.encode() + b"\n"
        try:
            if self._store.local:
                _append(self._path, data)
            else:
                stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
                fs = self._store.filesystem
                fs.makedirs(self._folder, exist_ok=True)
                fs.pipe_file(f"{self._folder}/{stamp}-{uuid.uuid4().hex[:8]}.jsonl", data)
        except (OSError, NotImplementedError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(
                f"the store cannot be written ({reason})",
                where=self._path,
                remedy="Use a store that you may write to (--store), or ask who owns it.",
            ) from None

    def lines(self) -> list[Line]:
        """Every entry, in the order in which they were added.

        Raises:
            InputError: it is there and cannot be read.
        """
        fs = self._store.filesystem
        paths = [self._path] if fs.exists(self._path) else []
        if not self._store.local:
            fs.invalidate_cache(self._folder)
        if fs.isdir(self._folder):
            paths += sorted(path for path in fs.ls(self._folder, detail=False) if str(path).endswith(".jsonl"))
        found = []
        for path in paths:
            try:
                with fs.open(path, "rb") as file:
                    data = bytes(file.read())
            except OSError as error:
                raise InputError(f"cannot be read ({error.strerror or error})", where=str(path)) from None
            lines = enumerate(data.split(b"\n"), 1)
            found += [Line(f"{path} line {number}", line) for number, line in lines if line.strip()]
        return found


def journals(store: RunStore, folder: str) -> list[Journal]:
    """Every journal in a folder of the store, by name."""
    fs, place = store.filesystem, store.path(folder)
    if not store.local:
        fs.invalidate_cache(place)
    if not fs.isdir(place):
        return []
    names = {str(path).rstrip("/").rpartition("/")[2].removesuffix(".jsonl") for path in fs.ls(place, detail=False)}
    return [Journal(store, f"{folder}/{name}") for name in sorted(names)]


def _append(path: str, data: bytes) -> None:
    import fcntl

    os.makedirs(os.path.dirname(path), exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":  # somebody died while writing
            data = b"\n" + data
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(descriptor, left) :]
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)  # half an entry is none
            raise
    finally:
        os.close(descriptor)
