"""What Training shows: how each candidate that was trained here came to be, and what a sweep found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.candidates.lineage import FILE_NAME, Evaluation, Lineage
from harness.candidates.workspace import Workspace
from harness.comparison.results import Comparison
from harness.errors import InputError
from harness.report.sweep import Sweep, build_sweep
from harness.report.untrusted import visible
from harness.review.catalog import Catalog, StoredComparison
from harness.review.faults import Fault, read_model

#: Bytes of a lineage at most: a log of a hundred thousand steps has less.
_LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Trained:
    """A candidate with its lineage.

    Attributes:
        name: visible name.
        folder: where its weights lie.
    """

    name: str
    folder: Path
    lineage: Lineage

    @property
    def measured(self) -> tuple[Evaluation, ...]:
        """Evaluations while it was trained; empty where the training was not measured."""
        return self.lineage.selection.during if self.lineage.selection else ()

    @property
    def varied(self) -> dict[str, object]:
        """The settings of its config but for its name, each by its key."""
        return {key: value for key, value in self.lineage.config.items() if key != "name"}


@dataclass(frozen=True, slots=True)
class StoredSweep:
    """A comparison of several trainings that differ in a few settings only."""

    stored: StoredComparison
    sweep: Sweep


@dataclass(frozen=True, slots=True)
class Trainings:
    """The whole page.

    Attributes:
        trained: those finished last first.
        unknown: visible names of candidates with weights of their own that carry no lineage.
        sweeps: newest first.
    """

    trained: tuple[Trained, ...]
    unknown: tuple[str, ...]
    sweeps: tuple[StoredSweep, ...]
    faults: tuple[Fault, ...]


def build_trainings(workspace: Workspace, catalog: Catalog) -> Trainings:
    """Candidates of `harness.yaml`, and those that answered in the store and whose folders are here."""
    trained: dict[Path, Trained] = {}
    unknown: list[str] = []
    faults: list[Fault] = []
    for name, folder in _folders(workspace, catalog).items():
        if folder in trained:
            continue
        found = _lineage(name, folder)
        if isinstance(found, Trained):
            trained[folder] = found
        elif isinstance(found, Fault):
            faults.append(found)
        else:
            unknown.append(visible(name))
    ordered = sorted(trained.values(), key=lambda one: one.lineage.finished, reverse=True)
    return Trainings(tuple(ordered), tuple(unknown), tuple(_sweeps(catalog, trained)), tuple(faults))


def sources_of(lineage: Lineage) -> str:
    """Mix and rank, as a sweep writes them: `medical:general 4:1 · r 16`."""
    mix = lineage.config.get("mix")
    parts = []
    if isinstance(mix, Mapping) and mix:
        parts.append(f"{':'.join(mix)} {':'.join(f'{share:g}' for share in mix.values())}")
    elif lineage.data:
        parts.append(" + ".join(record.name for record in lineage.data))
    if (rank := lineage.config.get("r")) is not None:
        parts.append(f"r {rank}")
    return visible(" · ".join(parts))


def _folders(workspace: Workspace, catalog: Catalog) -> dict[str, Path]:
    """Folders of adapters and exported weights, by name; an entry of the workspace goes before a run's record."""
    found: dict[str, Path] = {}
    for name, entry in workspace.content.candidates.items():
        place = entry.adapter or entry.model
        if place and ":" not in place and (entry.adapter or (workspace.folder / place / FILE_NAME).is_file()):
            found[name] = (workspace.folder / place).resolve()
    known = set(found.values())
    for run in catalog.runs.values():
        record = run.candidate
        if record.adapter_path and Path(record.adapter_path).is_dir():
            folder = Path(record.adapter_path).resolve()
            if folder not in known and record.name not in found:
                found[record.name] = folder
                known.add(folder)
    return found


def _lineage(name: str, folder: Path) -> Trained | Fault | None:
    path = folder / FILE_NAME
    try:
        if not path.is_file():
            return None
        if path.stat().st_size > _LARGEST:
            return Fault(str(path), "damaged", f"{path.stat().st_size:,} bytes")
        read = read_model(str(path), path.read_bytes(), Lineage, 1)
    except OSError as error:
        return Fault(str(path), "damaged", error.strerror or str(error))
    return read if isinstance(read, Fault) else Trained(visible(name), folder, read)


def _sweeps(catalog: Catalog, trained: Mapping[Path, Trained]) -> Iterable[StoredSweep]:
    """Comparisons all of whose candidates were trained alike but for a few settings; of the same points the newest."""
    seen: set[frozenset[str]] = set()
    for stored in catalog.comparisons:
        lineages = _of_candidates(stored.comparison, catalog, trained)
        names = frozenset(lineages)
        if len(lineages) < 2 or len(lineages) < len(stored.comparison.comparisons) or names in seen:
            continue
        settings = _settings(lineages)
        if settings is None:
            continue
        try:
            sweep = build_sweep(stored.comparison, settings)
        except InputError:  # no guard, or nothing could be scored: Compare says so
            continue
        seen.add(names)
        yield StoredSweep(stored, sweep)


def _of_candidates(comparison: Comparison, catalog: Catalog, trained: Mapping[Path, Trained]) -> dict[str, Trained]:
    found: dict[str, Trained] = {}
    for one in comparison.comparisons:
        run = catalog.runs.get(one.run_ids.candidate)
        if run is not None and run.candidate.adapter_path:
            known = trained.get(Path(run.candidate.adapter_path).resolve())
            if known is not None:
                found[one.candidate] = known
    return found


#: What a sweep varies; `lora_alpha` follows the rank.
_AXES = {"mix": "mix", "r": "r", "learning_rate": "lr"}
_FOLLOWS = {"name", "lora_alpha", "alpha"}


def _settings(lineages: Mapping[str, Trained]) -> dict[str, dict[str, str]] | None:
    """What differs, by candidate; None where nothing does or something else than a sweep varies."""
    configs = {name: one.lineage.config for name, one in lineages.items()}
    keys = {key for config in configs.values() for key in config} - _FOLLOWS
    differing = [key for key in sorted(keys) if _differ([config.get(key) for config in configs.values()])]
    parents = {one.lineage.parent_digest for one in lineages.values()}
    if not differing or len(parents) > 1 or not set(differing) <= set(_AXES):
        return None
    return {
        name: {_AXES[key]: _short(config.get(key)) for key in _AXES if key in differing}
        for name, config in configs.items()
    }


def _differ(values: Sequence[object]) -> bool:
    return any(value != values[0] for value in values)


def _short(value: object) -> str:
    if isinstance(value, Mapping):
        return ":".join(f"{share:g}" if isinstance(share, int | float) else str(share) for share in value.values())
    return f"{value:g}" if isinstance(value, float) else str(value)
