"""Gold sets that are not stored here: read from Hugging Face or ModelScope once, then from their caches."""

from __future__ import annotations

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
    from harness.gold.hub import fetch_dataset

    failures: list[str] = []
    for hub, repository, revision in (
        ("hf", source.huggingface, source.revision),
        ("ms", source.modelscope, source.modelscope_revision),
    ):
        if repository is None:
            continue
        try:
            return (
                fetch_dataset(f"{hub}:{repository}{f'@{revision}' if revision else ''}", source.file).root / source.file
            )
        except InputError as error:
            failures.append(error.what)
    raise NotHere(
        f"gold set {name!r} is not on this machine and could not be downloaded ({'; '.join(failures)})",
        remedy=f"Give a local copy: --goldset {name}=PATH.jsonl, or 'goldsets: {{{name}: PATH}}' in harness.yaml.",
    )
