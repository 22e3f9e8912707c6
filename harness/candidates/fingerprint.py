"""Who a candidate is: digests of the content that decides its answers."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from harness.candidates.adapter import CONFIG, WEIGHTS, AdapterFolder
from harness.candidates.candidate import Candidate, EndpointCandidate, ModelCandidate
from harness.candidates.gguf import gguf_file
from harness.candidates.recording import recording_digest
from harness.candidates.vision import PROCESSOR_FILES
from harness.digest import digest_file, digest_json

# The processor's files decide what a vision model sees of a picture (scale, normalisation).
_MODEL_FILES = ("config.json", "generation_config.json", *PROCESSOR_FILES)


@dataclass(frozen=True)
class Fingerprint:
    """Digests of a candidate's parts; `digest` over all of them is the candidate's identity."""

    model: str
    adapter: str | None = None
    tokenizer: str | None = None
    quantization: str | None = None

    @property
    def digest(self) -> str:
        return digest_json([self.model, self.adapter, self.tokenizer, self.quantization])


class DigestCache:
    """Digests of large files, remembered by size, mtime_ns, ctime_ns and inode.

    Reading 15 GB takes a minute; a second comparison must not. A file that was rewritten in place has another ctime,
    which no ordinary tool can set back.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or cache_folder() / "digests.sqlite"

    def digest(self, file: Path) -> str:
        """SHA-256 of the file's content."""
        stat = file.stat()
        state = f"{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ctime_ns}:{stat.st_ino}"
        key = str(file.resolve())
        try:
            with closing(self._open()) as db, db:
                row = db.execute("SELECT digest FROM files WHERE path = ? AND state = ?", (key, state)).fetchone()
                if row:
                    return str(row[0])
                found = digest_file(file)
                db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", (key, state, found))
                return found
        except (sqlite3.Error, OSError):  # a cache that cannot be kept costs time, never an answer
            return digest_file(file)

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, timeout=10)
        db.execute("CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, state TEXT, digest TEXT)")
        return db


def cache_folder() -> Path:
    """Where this user's caches are kept (`HARNESS_CACHE` overrides)."""
    return Path(os.environ.get("HARNESS_CACHE") or platformdirs.user_cache_dir("finetune-harness"))


def fingerprint(candidate: Candidate, cache: DigestCache | None = None) -> Fingerprint:
    """Digest what decides the candidate's answers; adapters in full each time, base weights through the cache."""
    if isinstance(candidate, EndpointCandidate):
        return Fingerprint(model=candidate.endpoint.digest)
    if not isinstance(candidate, ModelCandidate):
        return Fingerprint(model=recording_digest(candidate.path))
    return Fingerprint(
        model=model_digest(candidate.model, cache or DigestCache()),
        adapter=adapter_digest(candidate.adapter) if candidate.adapter else None,
        tokenizer=candidate.tokenizer.digest,
        quantization=candidate.quantization,
    )


def model_digest(folder: Path, cache: DigestCache) -> str:
    """Digest of weights and the configuration that shapes them."""
    files = [folder / name for name in _MODEL_FILES if (folder / name).is_file()]
    parts = {file.name: digest_file(file) for file in files}
    weights = sorted(folder.glob("*.safetensors")) or [file for file in (gguf_file(folder),) if file]
    parts.update({file.name: cache.digest(file) for file in weights})
    return digest_json(parts)


def adapter_digest(adapter: AdapterFolder) -> str:
    """Digest of an adapter's weights and config, read in full: retraining keeps size and often the path."""
    return digest_json({name: digest_file(adapter.path / name) for name in (CONFIG, WEIGHTS)})
