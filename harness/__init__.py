"""Compare a fine-tuned model with its base, with evidence you can defend.

In a notebook:

    import harness

    outcome = harness.compare("base", "lora_model_medical", suite="medical")
    outcome.comparison.comparisons[0].results

Nothing heavy is imported until a function is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from harness.api import Outcome
    from harness.candidates.candidate import Candidate, ModelCandidate, ReplayCandidate
    from harness.gold.goldset import GoldSet
    from harness.gold.importers.report import ImportReport
    from harness.gold.item import Item
    from harness.runs.files import RunManifest
    from harness.runs.samples import Sample
    from harness.suites.spec import Suite

__all__ = [
    "Candidate",
    "GoldSet",
    "ImportReport",
    "Item",
    "ModelCandidate",
    "Outcome",
    "ReplayCandidate",
    "Suite",
    "__version__",
    "compare",
    "import_goldset",
    "load_goldset",
    "load_suite",
    "run",
]

_TYPES = {
    "Candidate": "harness.candidates.candidate",
    "ModelCandidate": "harness.candidates.candidate",
    "ReplayCandidate": "harness.candidates.candidate",
    "GoldSet": "harness.gold.goldset",
    "ImportReport": "harness.gold.importers.report",
    "Item": "harness.gold.item",
    "Outcome": "harness.api",
    "Suite": "harness.suites.spec",
}


def compare(base: str, *candidates: str, suite: str | Suite, **options: Any) -> Outcome:
    """Ask a base and its candidates a suite and judge the differences.

    Args:
        base, candidates: names in `harness.yaml`, directories, `hf:`, `ms:` or `replay:` references.
        suite: name, path or object.
        options: the other fields of `harness.api.Request` (`limit`, `engine`, `alpha`, `seed`, `repeats`,
            `temperature`, `fresh`, `store`, `base`, `demo`, `prompt`, `goldsets`, `folder`).

    Raises:
        harness.errors.InputError: anything wrong with names, files or the store.
    """
    from harness import api

    return api.compare(api.Request(references=(base, *candidates), suite=suite, **options))


def run(*candidates: str, suite: str | Suite, **options: Any) -> tuple[list[RunManifest], dict[str, list[Sample]]]:
    """Ask candidates a suite without comparing them; the manifests, and the samples by run id."""
    from harness import api

    return api.run(api.Request(references=candidates, suite=suite, **options))


def load_suite(reference: str | Path) -> Suite:
    """A suite by name or path."""
    from harness.suites import spec

    return spec.load_suite(reference)[0]


def load_goldset(reference: str | Path) -> GoldSet:
    """A gold set by name or path."""
    from harness.gold import goldset

    return goldset.load_goldset(reference)


def import_goldset(source: str | Path, name: str, **options: Any) -> ImportReport:
    """Make a gold set of somebody else's data: `NAME.jsonl` and its card in `folder`.

    Args:
        source: a file, a folder, a pattern, `hf:ORG/NAME[@REV]` or `ms:ORG/NAME[@REV]`.
        options: as `harness.gold.importers.importing.import_goldset` has them (`map`, `folder`, `licence`, `format`,
            `encoding`, `file`, `keep_trivial`, `replace`).

    Raises:
        harness.errors.InputError: names file, row and column; nothing has been written then.
    """
    from harness.gold.importers import importing

    return importing.import_goldset(source, name, **options)


def __getattr__(name: str) -> Any:
    """Types are imported when they are first asked for."""
    if name in _TYPES:
        from importlib import import_module

        return getattr(import_module(_TYPES[name]), name)
    raise AttributeError(f"module 'harness' has no attribute {name!r}")
