"""A folder that appears whole, or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.candidates.exported import FILE_NAME
from harness.errors import InputError


def check_place(target: Path, *, replace: bool) -> None:
    """Refuse a place that is taken.

    Raises:
        InputError: something stands there and `replace` is not given, or it is no export: nobody's own files are
            ever removed.
    """
    if not target.exists():
        return
    if not (target / FILE_NAME).is_file():
        raise InputError(
            f"exists already and is no export (it has no {FILE_NAME})",
            where=str(target),
            remedy="Give another place with --output.",
        )
    if not replace:
        raise InputError("exists already", where=str(target), remedy="Give --replace, or another place with --output.")


@contextmanager
def made_whole(target: Path) -> Iterator[Path]:
    """An empty folder to write into; it takes `target`'s place in one step at the end of a block without an error.

    Raises:
        InputError: it cannot be written (a full disk); nothing of it is left then.
    """
    made = target.with_name(f".{target.name}.exporting")
    old = target.with_name(f".{target.name}.replaced")
    try:
        for left in (made, old):  # of a run that was killed
            shutil.rmtree(left, ignore_errors=True)
        made.mkdir(parents=True)
        yield made
        for file in made.iterdir():
            if file.is_file():
                file.chmod(0o644)  # safetensors keeps its files to their owner
        if target.exists():
            target.rename(old)
        made.rename(target)
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror or error})",
            where=str(target),
            remedy="Free some space, or choose another place with --output.",
        ) from None
    finally:
        shutil.rmtree(made, ignore_errors=True)
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)


def write_whole(path: Path, text: str) -> None:
    """Write a small file, or leave what was there.

    Raises:
        InputError: it cannot be written.
    """
    made = path.with_name(f".{path.name}.new")
    try:
        made.write_text(text, encoding="utf-8")
        os.replace(made, path)
    except OSError as error:
        made.unlink(missing_ok=True)
        raise InputError(f"cannot be written ({error.strerror})", where=str(path), remedy="Free some space.") from None
