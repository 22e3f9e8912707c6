"""What Streamlit runs: loads its own folder as the package `dashboard`, wherever that lies, and draws a page."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def _load_package() -> None:
    """In a checkout this folder stands beside `harness`, in a wheel inside it; here it is always `dashboard`."""
    if "dashboard" in sys.modules:
        return
    folder = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        "dashboard", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["dashboard"] = package
    spec.loader.exec_module(package)


_load_package()

from dashboard.frame import draw  # noqa: E402

draw()
