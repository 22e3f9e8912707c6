"""The page that explains a probe: what it saw, why it matters, what to do. They lie in `docs/doctor/`."""

from __future__ import annotations

from harness.errors import InputError, did_you_mean
from harness.resources import doctor_pages

_INDEX = "README"


def explained() -> list[str]:
    """The probes that have a page."""
    names = {file.name.partition(".")[0] for file in doctor_pages().glob("*.md")}
    return sorted(names - {_INDEX})


def page(probe: str, language: str) -> str:
    """The page of a probe, in Markdown.

    Args:
        language: "zh" or "en".

    Raises:
        InputError: there is no such probe.
    """
    known = explained()
    if probe not in known:
        raise InputError(f"there is no probe {probe!r}", where="--explain", remedy=did_you_mean(probe, known))
    return (doctor_pages() / f"{probe}{'.zh' if language == 'zh' else ''}.md").read_text(encoding="utf-8")
