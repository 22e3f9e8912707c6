"""Where the packaged suites, gold sets and demo lie, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def packaged(folder: str) -> Path:
    """The folder `suites`, `goldsets` or `dashboard` that came with this code.

    In a wheel these folders stand under `harness/`; in a checkout they stand beside it, where people look for them.
    """
    inside = _PACKAGE / folder
    # `harness/suites` is also a Python package, so what decides is whether the files are there.
    if any(inside.glob("*.yaml")):
        return inside
    return _PACKAGE.parent / folder


def demo_folder() -> Path:
    """The folder of the embedded demo models."""
    return _PACKAGE / "demo" / "models"
