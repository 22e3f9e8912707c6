"""Finding what the store holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cli.options import goldset_copies

if TYPE_CHECKING:
    from harness.comparison.results import Comparison
    from harness.report.view import View


def store_of(store: str | None, *, demo: bool = False) -> str:
    """The store asked for, else the workspace's."""
    if store is not None:
        return store
    from harness.candidates.workspace import load_workspace

    return load_workspace(demo=demo).store


def open_stored(
    reference: str, store: str | None, *, demo: bool = False, goldset: list[str] | None = None
) -> tuple[Comparison, View]:
    """A comparison by id or file, and its view with the texts that are still in the store."""
    from harness.candidates.workspace import load_workspace
    from harness.report.stored import read_comparison, stored_view

    workspace = load_workspace(demo=demo)
    place = store or workspace.store
    copies = workspace.goldsets
    comparison = read_comparison(reference, place)
    return comparison, stored_view(comparison, place, {**copies, **goldset_copies(goldset)}, workspace.here)
