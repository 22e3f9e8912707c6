"""The check of a gold set as one HTML file, with all its evidence side by side.

It loads nothing and runs nothing, as the report of a comparison (`harness.report.html`): every text of an item or of a
training file goes through `untrusted.visible` and is escaped. Both languages are in the page.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from harness.gold.checks.finding import Finding, Severity
from harness.report.check_terminal import topic_table, worth_table
from harness.report.check_words import CHECK_EN, CHECK_ZH, CheckWords
from harness.report.untrusted import excerpt
from harness.report.words import Language
from harness.report.worth import GoldsetCheck

_TEMPLATES = Path(__file__).resolve().parent / "templates"


def render_check(check: GoldsetCheck, language: Language) -> str:
    """The whole page, opened in `language`."""
    return _template().render(
        check=check,
        language=language,
        tally=check.tally(),
        topics=_tables(lambda words: topic_table(check.counts, words)),
        worth=_tables(lambda words: worth_table(check, words)),
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = excerpt
    environment.globals.update(say=_say, what=_what, to_do=_to_do, severity=_severity)
    return environment.get_template("goldset.html.j2")


def _both(text: Callable[[CheckWords], str]) -> Markup:
    return Markup("").join(
        Markup('<span lang="{}">{}</span>').format(words.language, escape(text(words)))
        for words in (CHECK_EN, CHECK_ZH)
    )


def _say(name: str, /, **values: object) -> Markup:
    """The message `name` of `CheckWords`, filled in."""
    return _both(lambda words: str(getattr(words, name)).format(**values))


def _what(finding: Finding) -> Markup:
    return _both(lambda words: excerpt(words.what(finding)))


def _to_do(finding: Finding) -> Markup:
    return _both(lambda words: excerpt(words.to_do(finding)))


def _severity(severity: Severity) -> Markup:
    return _both(lambda words: words.severities[severity])


def _tables(
    make: Callable[[CheckWords], tuple[list[str], list[list[str]]]],
) -> list[tuple[Language, list[str], list[list[str]]]]:
    return [(words.language, *make(words)) for words in (CHECK_EN, CHECK_ZH)]
