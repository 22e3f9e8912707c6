"""The release review as one HTML file: what was signed and the checklist, above the whole report.

It is the report's template with something on top, so it loads and runs nothing either (`harness.report.html`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader, Template
from markupsafe import Markup, escape

from harness.release.release import CandidateReview, Release
from harness.release.signoffs import Signed
from harness.release.words import Kind, ReleaseWords, Status, release_words
from harness.report.html import environment, render_page
from harness.report.untrusted import visible
from harness.report.words import Language

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_LANGUAGES: tuple[Language, Language] = ("en", "zh")

SYMBOLS: dict[Status, str] = {"pass": "✓", "fail": "✗", "unsure": "?", "look": "!"}


def render_release(release: Release, language: Language) -> str:
    """The whole page, opened in `language`."""
    return render_page(
        _template(),
        release.view,
        language,
        release=release,
        told=_told,
        both=_both,
        state=_state,
        decision=_decision,
        mark=_mark,
        against=lambda code: _both({language: against(code, release_words(language)) for language in _LANGUAGES}),
        kind=_kind,
        status_word=_status,
        symbol=SYMBOLS,
    )


def headline(one: CandidateReview, say: ReleaseWords) -> str:
    """The state of a candidate's review in a few words."""
    return against(one.gate, say) if one.against_gate else say.states[one.state]


def against(code: int, say: ReleaseWords) -> str:
    """What an approval of a candidate that the gate did not pass is called."""
    return say.against.get(code, say.against[1])


def decision_word(signed: Signed, say: ReleaseWords) -> str:
    """`approved`, `rejected`, or `note`."""
    return say.note_alone if signed.entry.decision is None else say.decisions[signed.entry.decision]


@lru_cache(maxsize=1)
def _template() -> Template:
    reports = environment()
    assert reports.loader is not None
    own = reports.overlay(loader=ChoiceLoader([FileSystemLoader(_TEMPLATES), reports.loader]))
    own.filters = {**reports.filters, "visible": visible}
    return own.get_template("release.html.j2")


def _both(texts: Mapping[Language, str]) -> Markup:
    return Markup("").join(
        Markup('<span lang="{}">{}</span>').format(language, escape(texts[language])) for language in _LANGUAGES
    )


def _told(name: str, only: Language | None = None, **values: Any) -> Markup | str:
    """The message `name` of `ReleaseWords`, filled in."""
    texts = {language: str(getattr(release_words(language), name)).format(**values) for language in _LANGUAGES}
    return texts[only] if only else _both(texts)


def _state(one: CandidateReview) -> Markup:
    return _both({language: headline(one, release_words(language)) for language in _LANGUAGES})


def _decision(signed: Signed) -> Markup:
    return _both({language: decision_word(signed, release_words(language)) for language in _LANGUAGES})


def _mark(signed: Signed) -> str:
    if not signed.counts:
        return "open"
    return "pass" if signed.entry.decision == "approve" and not signed.against_gate else "fail"


def _kind(kind: Kind) -> Markup:
    return _both({language: release_words(language).kinds[kind] for language in _LANGUAGES})


def _status(status: Status) -> Markup:
    return _both({language: release_words(language).statuses[status] for language in _LANGUAGES})
