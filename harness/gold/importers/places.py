"""Where rows come from: files on this machine, or a data set that a hub's client has fetched to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError
from harness.gold.importers.files import find_files

_HUBS = ("hf:", "ms:")


@dataclass(frozen=True, slots=True)
class Place:
    """Files on this machine and what they are called.

    Attributes:
        root: the folder that names in messages and in the digest start from.
        source: what the card says they are: a path, or `hf:ORG/NAME@COMMIT`.
        licence: what the hub says.
    """

    files: tuple[Path, ...]
    root: Path
    source: str
    licence: str | None = None

    def shown(self, file: Path) -> str:
        """What a file is called in the report and on the card."""
        if file == self.root or not file.is_relative_to(self.root):
            return file.name
        return file.relative_to(self.root).as_posix()


def find_place(source: str, file: str | None = None, *, folder: Path | None = None) -> Place:
    """The files that `source` names.

    Args:
        source: a file, a folder, a pattern (`test/*.csv`), `hf:ORG/NAME[@REV]` or `ms:ORG/NAME[@REV]`.
        file: the file or pattern inside a hub's repository.
        folder: where relative paths start; default: the working directory.

    Raises:
        InputError: nothing is there, it cannot be had, or one of several has to be chosen.
    """
    if source.startswith(_HUBS):
        from harness.gold.hub import fetch_dataset

        found = fetch_dataset(source, file)
        return Place(found.files, found.root, found.reference, found.licence)
    if file is not None:
        raise InputError("means something for hf: and ms: only", where="--file", remedy=f"Write {source}/{file}.")
    path = Path(source) if folder is None else folder / source
    files = tuple(find_files(path))
    return Place(files, path if path.is_dir() else files[0].parent, source)
