"""The items that a stored run was asked, as far as their gold sets are still there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import InputError
from harness.gold.goldset import load_goldset
from harness.gold.item import Item
from harness.runs.files import RunManifest, TaskRecord


def items_of(
    manifests: Sequence[RunManifest], overrides: Mapping[str, str], folder: Path | None
) -> dict[str, dict[str, Item]]:
    """Items by task and id; nothing for a gold set that is gone.

    Args:
        overrides: gold set name -> local copy.
        folder: where gold sets are looked up.
    """
    found: dict[str, dict[str, Item]] = {}
    for manifest in manifests:
        for task in manifest.tasks:
            if task.name not in found:
                found[task.name] = _goldset(task, overrides, folder)
    return found


def _goldset(task: TaskRecord, overrides: Mapping[str, str], folder: Path | None) -> dict[str, Item]:
    """By the name it goes by here, else where it lay when it was asked; edited items are left out later, by digest."""
    for reference in (task.goldset, task.goldset_path):
        try:
            return dict(load_goldset(reference, folder=folder, overrides=overrides).by_id)
        except InputError:
            continue
    return {}
