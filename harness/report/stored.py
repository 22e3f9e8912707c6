"""The view of a comparison that was made earlier."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.comparison.results import SCHEMA, Comparison
from harness.errors import InputError
from harness.report.view import Evidence, View, build_view
from harness.runs.files import RunManifest, RunStore
from harness.runs.items import items_of
from harness.runs.samples import Sample
from harness.validation import stored_model


def read_comparison(reference: str, store: str) -> Comparison:
    """A comparison by its id in the store, or from a JSON file.

    Raises:
        InputError: there is none, or it is not a comparison.
    """
    path = Path(reference)
    if path.is_file():
        data, place = path.read_bytes(), str(path)
    elif path.suffix == ".json" or "/" in reference:
        raise InputError("comparison file does not exist", where=reference, remedy="Give a file or an id of the store.")
    else:
        data, place = RunStore(store).read_document("comparison", reference), reference
    return parse_comparison(data, place)


def parse_comparison(data: bytes, place: str) -> Comparison:
    """A comparison of a file's content.

    Raises:
        InputError: it is none, or a newer version wrote it.
    """
    return stored_model(
        data,
        Comparison,
        what="a comparison",
        where=place,
        remedy="It is what `harness compare … --json FILE` writes.",
        known=SCHEMA,
    )


def stored_view(comparison: Comparison, store: str, overrides: Mapping[str, str], folder: Path | None = None) -> View:
    """The comparison with the texts of its items, as far as runs and gold sets are still there.

    Args:
        overrides: gold set name -> local copy.
        folder: where gold sets are looked up.
    """
    runs = RunStore(store)
    samples: dict[str, list[Sample]] = {}
    manifests: list[RunManifest] = []
    for run_id in dict.fromkeys(i for c in comparison.comparisons for i in (c.run_ids.base, c.run_ids.candidate)):
        try:
            manifest, samples[run_id] = runs.read_run(run_id)
        except InputError:
            continue  # pruned, or made elsewhere: the numbers stand without their texts
        manifests.append(manifest)
    return build_view(comparison, Evidence(samples, items_of(manifests, overrides, folder)), store)
