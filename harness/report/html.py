"""The report as one HTML file: for a release review, for a printer, for a machine without a network.

It loads nothing and runs nothing: no script, and a content security policy that would stop one. Both languages are in
the page; two radio buttons and a style rule switch between them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from harness.comparison.repeats import Compared, OverRepeats
from harness.comparison.statistics.verdict import Role
from harness.doctor.finding import Status
from harness.report.conclusion import conclusion
from harness.report.gate import gate_reasons, gate_word
from harness.report.numbers import interval, level, points, probability, share, size
from harness.report.repeats import repeat_notes, repeat_rows
from harness.report.view import CandidateView, TaskView, View, task_notes
from harness.report.words import EN, ZH, Language, Words

_TEMPLATES = Path(__file__).resolve().parent / "templates"


def render_html(view: View, language: Language) -> str:
    """The whole page, opened in `language`."""
    return render_page(environment().get_template("report.html.j2"), view, language)


def render_page(template: Template, view: View, language: Language, **more: object) -> str:
    """A page that is, or extends, the report; `more` is what an extension shows besides."""
    return template.render(
        view=view,
        comparison=view.comparison,
        language=language,
        plot=_Plot(view),
        level=level(view.comparison.alpha),
        **more,
    )


@lru_cache(maxsize=1)
def environment() -> Environment:
    """What the report's template, and those that extend it, are rendered in: everything put in is escaped."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(share=share, points=points, interval=interval, probability=probability, size=size)
    environment.globals.update(
        say=_say,
        verdict=_verdict,
        role=_role,
        status=_status,
        notes=_notes,
        has_notes=lambda task: bool(task_notes(task, EN)),
        repeat_rows=_repeat_rows,
        repeat_notes=_repeat_notes,
        other_repeats=lambda candidate: [one for task in candidate.tasks for one in task.others if one.over_repeats],
        conclude=_conclude,
        gate=_gate,
        reasons=_reasons,
    )
    return environment


def _both(text: Callable[[Words], str]) -> Markup:
    """A text in both languages, one of which the page shows."""
    return Markup("").join(
        Markup('<span lang="{}">{}</span>').format(words.language, escape(text(words))) for words in (EN, ZH)
    )


def _say(name: str, **values: object) -> Markup:
    """The message `name` of `Words`, filled in."""
    return _both(lambda words: str(getattr(words, name)).format(**values))


def _verdict(task: TaskView) -> Markup:
    verdict = task.result.verdict
    return _both(lambda words: words.verdicts[verdict]) if verdict else Markup("")


def _role(role: Role) -> Markup:
    return _both(lambda words: words.roles[role])


def _status(status: Status) -> Markup:
    return _both(lambda words: words.statuses[status])


def _notes(task: TaskView) -> Markup:
    return _both(lambda words: words.join.join(task_notes(task, words)))


def _repeat_rows(found: OverRepeats) -> list[tuple[Markup, Compared]]:
    pairs = zip(repeat_rows(found, EN), repeat_rows(found, ZH), strict=True)
    return [(_label(en.label, zh.label), en.compared) for en, zh in pairs]


def _label(en: str, zh: str) -> Markup:
    return _both(lambda words: en if words is EN else zh)


def _repeat_notes(found: OverRepeats) -> Markup:
    return _both(lambda words: words.join.join(repeat_notes(found, words)))


def _conclude(candidate: CandidateView, alpha: float) -> Markup:
    return _both(lambda words: conclusion(candidate, alpha, words))


def _gate(code: int) -> Markup:
    return _both(lambda words: gate_word(code, words))


def _reasons(candidate: CandidateView) -> list[Markup]:
    pairs = zip(gate_reasons(candidate, EN), gate_reasons(candidate, ZH), strict=True)
    return [_both(lambda words, en=en, zh=zh: en if words is EN else zh) for en, zh in pairs]  # type: ignore[misc]


class _Plot:
    """Intervals of all tasks on one scale, in a drawing 200 units wide."""

    def __init__(self, view: View) -> None:
        results = [task.result for candidate in view.candidates for task in candidate.tasks]
        ends = [abs(end) for result in results if result.ci for end in result.ci]
        self.span = max([*ends, *(result.margin for result in results), 0.01]) * 1.05

    def x(self, value: float) -> str:
        return f"{100 + 100 * max(-1.0, min(1.0, value / self.span)):.1f}"
