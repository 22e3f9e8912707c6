"""Gold sets that are not stored here: read from Hugging Face or ModelScope once, then from their caches."""

from __future__ import annotations

from glob import has_magic
from pathlib import Path

from harness.errors import InputError
from harness.gold.card import Source


class NotHere(InputError):
    """The items of a gold set are not on this machine, and no hub gave them; a task may be `optional` for that."""


def fetch(name: str, source: Source) -> Path:
    """A local path of the file that `source` names; a pattern of paths where it names several.

    Honours `HF_ENDPOINT` (a mirror), `HF_HUB_OFFLINE` and the caches of both hubs.

    Raises:
        NotHere: no client is installed, or the hub cannot be reached and nothing is cached.
    """
    failures: list[str] = []
    for read in (_huggingface, _modelscope):
        try:
            found = read(source)
        except ImportError as error:
            failures.append(f"{error.name} is not installed")
        except Exception as error:  # the hub clients raise many kinds, requests' own among them
            failures.append(f"{type(error).__name__}: {' '.join(str(error).split())[:160]}")
        else:
            if found is not None:
                return found
    raise NotHere(
        f"gold set {name!r} is not on this machine and could not be downloaded ({'; '.join(failures)})",
        remedy=f"Give a local copy: --goldset {name}=PATH.jsonl, or 'goldsets: {{{name}: PATH}}' in harness.yaml.",
    )


def _huggingface(source: Source) -> Path | None:
    if source.huggingface is None:
        return None
    from huggingface_hub import hf_hub_download, snapshot_download

    name, revision = source.huggingface, source.revision
    if has_magic(source.file):
        root = snapshot_download(name, repo_type="dataset", revision=revision, allow_patterns=[source.file])
        return Path(root) / source.file
    return Path(hf_hub_download(name, source.file, repo_type="dataset", revision=revision, etag_timeout=5))


def _modelscope(source: Source) -> Path | None:
    if source.modelscope is None:
        return None
    # Not from `modelscope`, which imports torch first.
    from modelscope_hub.compat.file_download import dataset_file_download
    from modelscope_hub.compat.snapshot_download import dataset_snapshot_download

    name, revision = source.modelscope, source.modelscope_revision
    if not has_magic(source.file):
        return Path(dataset_file_download(name, source.file, revision=revision))
    try:
        root = dataset_snapshot_download(name, revision=revision, allow_patterns=[source.file])
    except Exception:  # unlike a file, a pattern is not looked for in the cache by itself
        root = dataset_snapshot_download(name, revision=revision, local_files_only=True)
    return Path(root) / source.file
