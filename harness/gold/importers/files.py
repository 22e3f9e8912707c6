"""Which files a path on this machine stands for."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Sequence
from pathlib import Path

from harness.digest import digest_file
from harness.errors import InputError
from harness.gold.importers.pictures import pairs
from harness.gold.importers.reading import PICTURES, SUFFIXES

#: What hubs and `datasets` put beside the rows.
NOTES = frozenset(("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"))
#: What `datasets` leaves in a folder that it has mapped: the same rows again.
_CACHE = "cache-*.arrow"
_FAMILIES = {".tsv": ".csv", ".ndjson": ".json", ".jsonl": ".json", ".xlsm": ".xlsx"}


def find_files(place: Path) -> list[Path]:
    """A file, the files of rows in a folder and below it, those that a pattern (`test/*.csv`) names, or the folder
    itself where it holds pictures with their fields beside them.

    Raises:
        InputError: nothing is there, or several kinds of files, of which one has to be chosen.
    """
    if place.is_file():
        return [place]
    if place.is_dir():
        if pairs(place):
            return [place]
        found = _rows_below(place)
        what = "holds no CSV, TSV, Excel, JSON, Parquet or Arrow file"
    else:
        found = sorted(Path(name) for name in glob.glob(str(place), recursive=True) if Path(name).is_file())
        what = "does not exist" if not glob.has_magic(str(place)) else "names no file"
    if not found:
        raise InputError(what, where=str(place))
    kinds = sorted({_FAMILIES.get(path.suffix.lower(), path.suffix.lower()) for path in found})
    if len(kinds) > 1:
        raise InputError(
            f"holds files of several kinds ({', '.join(kinds)})",
            where=str(place),
            remedy=f"Choose with a pattern, such as '{place}/**/*{kinds[0]}'.",
        )
    return found


def _rows_below(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and path.name not in NOTES
        and not path.match(_CACHE)
        and not any(part.startswith((".", "~$")) for part in path.relative_to(folder).parts)
        and path.is_file()
    )


def digest_files(files: Sequence[Path], root: Path) -> str:
    """SHA-256 over the names (from `root`) and bytes of files; of a folder of pictures, over all in it that is read."""
    sha = hashlib.sha256()
    for file in files:
        inside = (
            sorted(p for p in file.iterdir() if p.suffix.lower() in {*PICTURES, ".json"}) if file.is_dir() else [file]
        )
        for path in inside:
            name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
            sha.update(f"{name}\0{digest_file(path)}\n".encode())
    return sha.hexdigest()
