"""Which files a recording is."""

from __future__ import annotations

from pathlib import Path

from harness.digest import digest_file, digest_json

#: Of the formats that are read (`harness.engines.recorded`).
SUFFIXES = frozenset({".jsonl", ".json", ".eval"})


def recording_files(path: Path) -> list[Path]:
    """The file itself, or all files of a folder that may hold recorded outputs, at any depth and in order of names."""
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())


def recording_digest(path: Path) -> str:
    """SHA-256 of a recording: of the file, or of the names (inside the folder) and digests of its files."""
    if path.is_file():
        return digest_file(path)
    return digest_json({file.relative_to(path).as_posix(): digest_file(file) for file in recording_files(path)})
