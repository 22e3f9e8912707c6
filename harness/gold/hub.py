"""Data sets on Hugging Face and ModelScope: the files asked for, at a revision that can be named again.

Both through their own clients: `HF_ENDPOINT` and `MODELSCOPE_ENDPOINT` (mirrors), `HF_TOKEN`, `HF_HUB_OFFLINE` and the
caches of both work as everywhere else. Without a connection the cache is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from harness.errors import InputError, did_you_mean
from harness.gold.importers.files import NOTES
from harness.gold.importers.reading import SUFFIXES

_SHARD = re.compile(r"-\d+-of-\d+(?=\.)")
_TIMEOUT = 10


@dataclass(frozen=True, slots=True)
class HubFiles:
    """Files of a data set in the hub client's cache.

    Attributes:
        reference: `hf:ORG/NAME@COMMIT`; on ModelScope, which names no commits, the revision asked for.
        licence: as the hub states it.
    """

    files: tuple[Path, ...]
    root: Path
    reference: str
    licence: str | None


def fetch_dataset(reference: str, pattern: str | None = None) -> HubFiles:
    """The files of `hf:ORG/NAME[@REV]` or `ms:ORG/NAME[@REV]`.

    Args:
        pattern: file or pattern inside the repository; without it the repository must hold one file of rows, or the
            shards of one.

    Raises:
        InputError: the client is not installed, the data set cannot be had, or a file has to be chosen.
    """
    hub, _, rest = reference.partition(":")
    name, at, revision = rest.partition("@")
    if name.count("/") != 1 or (at and not revision):
        raise InputError(f"{reference!r} is not a data set", remedy=f"Write {hub}:ORG/NAME[@REV].")
    try:
        return (_huggingface if hub == "hf" else _modelscope)(name, revision or None, pattern)
    except ImportError as error:
        raise InputError(f"{reference!r} needs {error.name}", remedy="pip install 'finetune-harness[hub]'.") from None


def _huggingface(name: str, revision: str | None, pattern: str | None) -> HubFiles:
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        info = HfApi().dataset_info(name, revision=revision, timeout=_TIMEOUT)
    except GatedRepoError:
        raise InputError(
            f"hf:{name} is gated", remedy="Accept its terms on its page, then set HF_TOKEN to a token of yours."
        ) from None
    except RevisionNotFoundError:
        raise InputError(f"hf:{name} has no revision {revision!r}") from None
    except RepositoryNotFoundError:
        raise InputError(
            f"hf:{name} does not exist, or is private", remedy="Check the name; for a private one set HF_TOKEN."
        ) from None
    except Exception as error:  # no connection, a mirror's fault, offline mode: the client raises many kinds
        return _huggingface_cache(name, revision, pattern, error)
    names = [sibling.rfilename for sibling in info.siblings or ()]
    chosen = _chosen(names, pattern, f"hf:{name}")
    try:
        paths = [Path(hf_hub_download(name, n, repo_type="dataset", revision=info.sha)) for n in chosen]
        if "README.md" in names:  # so that the licence is known when the cache is read without a connection
            hf_hub_download(name, "README.md", repo_type="dataset", revision=info.sha)
    except Exception as error:
        raise _failed(f"hf:{name}", error) from None
    root = paths[0].parents[len(PurePosixPath(chosen[0]).parts) - 1]
    return HubFiles(tuple(paths), root, f"hf:{name}@{info.sha}", _licence(info.card_data))


def _huggingface_cache(name: str, revision: str | None, pattern: str | None, reason: Exception) -> HubFiles:
    from huggingface_hub import DatasetCard, snapshot_download

    try:
        root = Path(snapshot_download(name, repo_type="dataset", revision=revision, local_files_only=True))
    except Exception:
        raise _failed(f"hf:{name}", reason) from None
    chosen = _chosen(_below(root), pattern, f"hf:{name}")
    card = root / "README.md"
    licence = _licence(DatasetCard.load(card).data) if card.is_file() else None
    return HubFiles(tuple(root / n for n in chosen), root, f"hf:{name}@{root.name}", licence)


def _modelscope(name: str, revision: str | None, pattern: str | None) -> HubFiles:
    from modelscope.hub.file_download import dataset_file_download
    from modelscope_hub import HubApi

    asked = revision or "master"
    try:
        listed = [info.path for info in HubApi().list_repo_files(name, "dataset", revision=asked)]
    except Exception as error:
        return _modelscope_cache(name, asked, pattern, error)
    chosen = _chosen(listed, pattern, f"ms:{name}")
    try:
        paths = [Path(dataset_file_download(name, n, revision=asked)) for n in chosen]
    except Exception as error:
        raise _failed(f"ms:{name}", error) from None
    root = paths[0].parents[len(PurePosixPath(chosen[0]).parts) - 1]
    return HubFiles(tuple(paths), root, f"ms:{name}@{asked}", None)


def _modelscope_cache(name: str, revision: str, pattern: str | None, reason: Exception) -> HubFiles:
    from modelscope_hub.compat.snapshot_download import dataset_snapshot_download

    try:
        root = Path(dataset_snapshot_download(name, revision=revision, local_files_only=True))
    except Exception:
        raise _failed(f"ms:{name}", reason) from None
    chosen = _chosen(_below(root), pattern, f"ms:{name}")
    return HubFiles(tuple(root / n for n in chosen), root, f"ms:{name}@{revision}", None)


def _below(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in sorted(root.rglob("*")) if path.is_file()]


def _chosen(names: Iterable[str], pattern: str | None, reference: str) -> Sequence[str]:
    """The files of rows that are meant; never several that may be different splits."""
    rows = sorted(
        name
        for name in names
        if PurePosixPath(name).suffix.lower() in SUFFIXES
        and PurePosixPath(name).name not in NOTES
        and not any(part.startswith(".") for part in PurePosixPath(name).parts)
    )
    if pattern is not None:
        found = [name for name in rows if name == pattern or fnmatchcase(name, pattern)]
        if not found:
            raise InputError(f"{reference} has no file {pattern!r}", where="--file", remedy=did_you_mean(pattern, rows))
        return found
    if not rows:
        raise InputError(f"{reference} holds no CSV, TSV, Excel, JSON or Parquet file")
    if len({_SHARD.sub("", name) for name in rows}) > 1:
        shown = ", ".join(rows[:8]) + (", …" if len(rows) > 8 else "")
        raise InputError(
            f"{reference} holds {len(rows)} files of rows", remedy=f"Choose with --file NAME or a pattern: {shown}."
        )
    return rows


def _licence(card: Any) -> str | None:
    """What the front matter of a repository's README states."""
    stated = getattr(card, "license", None)
    if isinstance(stated, list):
        return ", ".join(map(str, stated)) or None
    return str(stated) if stated and stated != "unknown" else None


def _failed(reference: str, error: Exception) -> InputError:
    return InputError(
        f"{reference} cannot be downloaded, and is not in the cache "
        f"({type(error).__name__}: {' '.join(str(error).split())[:160]})",
        remedy="Check the network, set HF_ENDPOINT (or MODELSCOPE_ENDPOINT) to a mirror, or import a local copy.",
    )
