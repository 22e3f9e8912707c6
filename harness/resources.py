"""Where the packaged suites, gold sets, rubrics, pages and demo lie, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def packaged(folder: str) -> Path:
    """The folder `suites`, `goldsets`, `rubrics` or `dashboard` that came with this code.

    In a wheel these folders stand under `harness/`; in a checkout they stand beside it, where people look for them.
    """
    inside = _PACKAGE / folder
    # `harness/suites` is also a Python package, so what decides is whether the files are there.
    if any(inside.glob("*.yaml")) or (inside / "app.py").is_file():
        return inside
    return _PACKAGE.parent / folder


def doctor_pages() -> Path:
    """The folder with one page on each probe of the doctor; it stands where `packaged` says of the others."""
    inside = _PACKAGE / "docs" / "doctor"
    return inside if inside.is_dir() else _PACKAGE.parent / "docs" / "doctor"


def demo_workspace() -> tuple[Path, Path]:
    """The demo's `harness.yaml` and the folder that its paths are relative to.

    A checkout has it at its root; a wheel carries a copy under `harness/demo/`. Both name paths from the folder that
    holds the package.
    """
    inside = _PACKAGE / "demo" / "harness.yaml"
    return (inside if inside.is_file() else _PACKAGE.parent / "harness.yaml"), _PACKAGE.parent
