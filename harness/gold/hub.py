"""Data sets on Hugging Face and ModelScope: the files asked for, at a revision that can be named again.

Both through their own clients: `HF_ENDPOINT` and `MODELSCOPE_ENDPOINT` (mirrors), `HF_TOKEN` and `MODELSCOPE_API_TOKEN`
and the caches of both work as everywhere else. Without a connection, or with `HF_HUB_OFFLINE=1`, the caches are read.
"""

from __future__ import annotations

import glob
import logging
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

import yaml

from harness.errors import InputError, did_you_mean
from harness.gold.importers.files import NOTES
from harness.gold.importers.reading import SUFFIXES

_SHARD = re.compile(r"-\d+-of-(\d+)(?=\.)")
_FRONT_MATTER = re.compile(r"\ufeff?---\s*\n(.*?)\n---\s*(?:\n|$)", re.DOTALL)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_README = "README.md"
_TIMEOUT = 10


@dataclass(frozen=True, slots=True)
class HubFiles:
    """Files of a data set in the hub client's cache.

    Attributes:
        reference: `hf:ORG/NAME@COMMIT`; on ModelScope, which names no commits, the revision asked for.
        licence: as the README states it.
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
    from huggingface_hub import HfApi, snapshot_download, try_to_load_from_cache

    shown = f"hf:{name}"
    try:
        if pattern is not None and revision is not None and _COMMIT.fullmatch(revision):  # a commit never changes
            wanted = [pattern, _README]
            cached = [try_to_load_from_cache(name, n, repo_type="dataset", revision=revision) for n in wanted]
            if all(isinstance(path, str) for path in cached):
                return _found(_root(cached[0], pattern), [pattern], f"{shown}@{revision}")
        info = HfApi().dataset_info(name, revision=revision, timeout=_TIMEOUT)
    except Exception as error:  # no connection, a mirror's fault, offline mode: the client raises many kinds
        if refusal := _refused_by_huggingface(error, shown, revision):
            raise refusal from None
        return _huggingface_cache(name, revision, pattern, error)
    chosen = _chosen([sibling.rfilename for sibling in info.siblings or ()], pattern, shown)
    wanted = [*map(glob.escape, chosen), _README]
    try:
        # By the revision asked for, not by its commit: so the client knows a branch's commit without a connection too.
        root = Path(snapshot_download(name, repo_type="dataset", revision=revision, allow_patterns=wanted))
    except Exception as error:  # a gated data set says so only here: what it holds is no secret
        raise _refused_by_huggingface(error, shown, revision) or _failed(shown, error) from None
    if root.name != info.sha:
        raise InputError(f"{shown} got a new commit at this moment", remedy="Try again.")
    return _found(root, chosen, f"{shown}@{root.name}")


def _refused_by_huggingface(error: Exception, shown: str, revision: str | None) -> InputError | None:
    """What the hub said no to; None when it said nothing."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    if isinstance(error, GatedRepoError):
        return InputError(
            f"{shown} is gated", remedy="Accept its terms on its page, then set HF_TOKEN to a token of yours."
        )
    if isinstance(error, RevisionNotFoundError):
        return InputError(f"{shown} has no revision {revision!r}", remedy="Leave @REV out for its main branch.")
    if isinstance(error, RepositoryNotFoundError):
        return InputError(
            f"{shown} does not exist, or is private", remedy="Check the name; for a private one set HF_TOKEN."
        )
    return None


def _huggingface_cache(name: str, revision: str | None, pattern: str | None, reason: Exception) -> HubFiles:
    from huggingface_hub import snapshot_download

    # Newer clients know what a commit holds, and refuse where some of what is asked for is missing.
    wanted = [pattern] if pattern is not None else []
    try:
        root = Path(
            snapshot_download(
                name, repo_type="dataset", revision=revision, allow_patterns=wanted, local_files_only=True
            )
        )
    except Exception:
        raise _failed(f"hf:{name}", reason) from None
    return _found(root, _cached(root, pattern, f"hf:{name}"), f"hf:{name}@{root.name}")


def _modelscope(name: str, revision: str | None, pattern: str | None) -> HubFiles:
    from huggingface_hub import is_offline_mode
    from modelscope_hub import HubApi
    from modelscope_hub.errors import AuthenticationError, NotExistError, PermissionDeniedError

    quiet_modelscope()
    api, shown, asked = HubApi(), f"ms:{name}", revision or "master"
    if is_offline_mode():  # ModelScope's client has no such switch of its own
        return _modelscope_cache(name, asked, pattern, ConnectionError("HF_HUB_OFFLINE is set"))
    try:
        listed = {info.path: info for info in api.list_repo_files(name, "dataset", revision=asked) if not info.is_dir}
    except NotExistError:
        raise InputError(
            f"{shown} does not exist" + (f", or has no revision {revision!r}" if revision else ""),
            remedy="Check the name; for a private one set MODELSCOPE_API_TOKEN.",
        ) from None
    except (AuthenticationError, PermissionDeniedError):
        raise InputError(
            f"{shown} may not be read", remedy="Accept its terms on its page, then set MODELSCOPE_API_TOKEN."
        ) from None
    except Exception as error:
        return _modelscope_cache(name, asked, pattern, error)
    chosen = _chosen(listed, pattern, shown)
    try:
        paths = [
            # By digest and size, or a file that is cached from a branch would stay what it was when it came.
            api.download_file(
                name, "dataset", path, revision=asked,
                expected_sha256=listed[path].sha256 or None, file_size=listed[path].size or None,
            )
            for path in (*chosen, *({_README} & listed.keys()))
        ]  # fmt: skip
    except Exception as error:
        raise _failed(shown, error) from None
    return _found(_root(paths[0], chosen[0]), chosen, f"{shown}@{asked}")


def quiet_modelscope() -> None:
    """Have ModelScope's clients tell of troubles only, and not of every listing.

    Not by `MODELSCOPE_LOG_LEVEL`: one of the two clients wants a name there and the other one a number.
    """
    if "MODELSCOPE_LOG_LEVEL" not in os.environ:
        for client in ("modelscope", "modelscope_hub"):
            logging.getLogger(client).setLevel(logging.WARNING)


def _modelscope_cache(name: str, revision: str, pattern: str | None, reason: Exception) -> HubFiles:
    from modelscope_hub import HubApi

    try:
        root = Path(HubApi().download_repo(name, "dataset", revision=revision, local_files_only=True))
    except Exception:
        raise _failed(f"ms:{name}", reason) from None
    return _found(root, _cached(root, pattern, f"ms:{name}"), f"ms:{name}@{revision}")


def _root(path: str | Path, name: str) -> Path:
    """The folder in which a repository's file of this name stands at `path`."""
    return Path(path).parents[len(PurePosixPath(name).parts) - 1]


def _found(root: Path, chosen: Sequence[str], reference: str) -> HubFiles:
    return HubFiles(tuple(root / name for name in chosen), root, reference, _licence(root / _README))


def _cached(root: Path, pattern: str | None, reference: str) -> Sequence[str]:
    """What is meant among the files in the cache; never a part of it for the whole."""
    chosen = _chosen(
        (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()), pattern, reference
    )
    shard = _SHARD.search(chosen[0])
    if pattern is None and shard is not None and len(chosen) < int(shard[1]):
        raise InputError(
            f"{reference} is only partly in the cache ({len(chosen)} of {int(shard[1])} files)",
            remedy="Import it once with a connection.",
        )
    return chosen


def _chosen(names: Iterable[str], pattern: str | None, reference: str) -> Sequence[str]:
    """The files of rows that are meant; never several that may be different splits.

    Args:
        pattern: of files of rows, or the whole name of any file.
    """
    names = list(names)
    rows = sorted(
        name
        for name in names
        if PurePosixPath(name).suffix.lower() in SUFFIXES
        and PurePosixPath(name).name not in NOTES
        and not any(part.startswith(".") for part in PurePosixPath(name).parts)
    )
    if pattern is not None:
        found = [pattern] if pattern in names else [name for name in rows if fnmatchcase(name, pattern)]
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


def _licence(readme: Path) -> str | None:
    """What the front matter of a repository's README states."""
    if not readme.is_file():
        return None
    front = _FRONT_MATTER.match(readme.read_text(encoding="utf-8", errors="replace"))
    try:
        stated = yaml.safe_load(front[1]) if front else None
    except yaml.YAMLError:
        return None
    if not isinstance(stated, dict):
        return None
    licence = stated.get("license")
    if licence == "other":
        licence = stated.get("license_name") or licence
    named = licence if isinstance(licence, list) else [licence]
    return ", ".join(str(name) for name in named if name and name != "unknown") or None


def _failed(reference: str, error: Exception) -> InputError:
    return InputError(
        f"{reference} cannot be downloaded, and is not in the cache "
        f"({type(error).__name__}: {' '.join(str(error).split())[:160]})",
        remedy="Check the network, set HF_ENDPOINT (or MODELSCOPE_ENDPOINT) to a mirror, or import a local copy.",
    )
