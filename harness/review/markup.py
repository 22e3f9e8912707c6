"""The one way from a view to HTML: templates that escape everything put into them.

Whatever a model, a gold set or a file name wrote is escaped and made visible (`harness.report.untrusted.visible`) as it
is put in, so a template cannot forget to. Nothing that is put in can be markup: only a template's own text is.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from harness.report.conclusion import conclusion
from harness.report.gate import gate_reasons, gate_word
from harness.report.numbers import NONE, duration, interval, level, points, probability, share, size
from harness.report.untrusted import visible
from harness.report.view import task_notes
from harness.report.words import Language, words
from harness.review.words import page_words

_TEMPLATES = Path(__file__).resolve().parent / "templates"


def render(template: str, language: Language, **values: Any) -> str:
    """HTML of `template` (a file name without `.html.j2`), in which `values` and the texts of a language stand.

    A template sees `words` (of the reports), `say` (of the pages) and what it is given.
    """
    return (
        _environment()
        .get_template(f"{template}.html.j2")
        .render(words=words(language), say=page_words(language), language=language, **values)
    )


def style() -> str:
    """The pages' style sheet, in the element that holds it."""
    return f"<style>{(_TEMPLATES / 'style.css').read_text(encoding='utf-8')}</style>"


def inert(value: object) -> object:
    """What stands for a value in a page: text is made visible and escaped, whatever it was marked as."""
    if isinstance(value, str):
        return escape(visible(str.__str__(value)))
    return value


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_put_in,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        share=share,
        points=points,
        interval=interval,
        size=size,
        level=level,
        probability=probability,
        score=_score,
        duration=duration,
        plain=_plain,
    )
    environment.globals.update(
        conclude=conclusion,
        notes=task_notes,
        gate_word=gate_word,
        reasons=gate_reasons,
        none=NONE,
        place=_place,
        points=points,
    )
    return environment


def _put_in(value: object) -> object:
    # Macros of a template give Markup, which is that template's own text with everything in it escaped already.
    return value if isinstance(value, Markup) else inert(value)


def _place(value: float, span: float) -> str:
    """Where a difference stands on a scale from -span to +span, in per cent from its left end."""
    return f"{50 + 50 * max(-1.0, min(1.0, value / span)):.2f}%"


def _score(value: float | None) -> str:
    """One answer's score: `1`, `0.43`."""
    return NONE if value is None else f"{value:.2f}".rstrip("0").rstrip(".")


def _plain(value: float | None) -> str:
    """A grade in its scale's own units."""
    return NONE if value is None else f"{value:g}"
