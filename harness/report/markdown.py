"""The report as a pull-request comment (GitHub's Markdown)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.comparison.statistics.verdict import Verdict
from harness.report.conclusion import conclusion
from harness.report.gate import gate_reasons, gate_word
from harness.report.numbers import interval, level, points, probability, share
from harness.report.repeats import repeat_notes, repeat_rows
from harness.report.untrusted import markdown, one_line
from harness.report.view import CandidateView, Flip, View, task_notes
from harness.report.words import Words

_SYMBOLS: dict[Verdict, str] = {"improved": "🟢", "held": "⚪", "regressed": "🔴", "inconclusive": "🟡"}
_CELL = 300


def render_markdown(view: View, words: Words) -> str:
    """The whole comparison; text from models and files is inert."""
    lines = [line for candidate in view.candidates for line in _candidate(view, candidate, words)]
    comparison = view.comparison
    footer = words.footer.format(id=comparison.id, version=comparison.harness_version)
    asked = words.asked.format(
        engine=f"{comparison.engine} {comparison.engine_version}".strip(), seed=comparison.seed, alpha=comparison.alpha
    )
    parts = [footer, asked]
    if comparison.temperature is not None:
        parts.append(words.temperature.format(temperature=comparison.temperature))
    return "\n".join([*lines, f"<sub>{markdown(words.join.join(parts))}</sub>", ""])


def _candidate(view: View, candidate: CandidateView, words: Words) -> Iterator[str]:
    comparison = view.comparison
    title = words.title.format(suite=comparison.suite, base=comparison.base, candidate=candidate.name)
    yield f"### {markdown(title)}"
    yield ""
    yield f"**{markdown(conclusion(candidate, comparison.alpha, words))}**"
    yield ""
    yield f"{words.gate}: **{gate_word(candidate.code, words)}**"
    yield ""
    for reason in gate_reasons(candidate, words):
        yield f"- {markdown(reason)}"
    for finding in candidate.troubles:
        if finding.status == "warn":
            yield f"- {words.doctor}: {markdown(f'{finding.probe}: {finding.text}')}"
    if candidate.prompts_differ:
        yield f"- {markdown(words.prompts_differ)}"
    for warning in candidate.warnings:
        yield f"- {markdown(warning)}"
    yield ""
    yield from _results(view, candidate, words)
    yield from _repeats(view, candidate, words)
    if candidate.telling:
        yield f"<details><summary>{words.lost}</summary>"
        yield ""
        for flip in candidate.telling:
            yield from _flip(flip, words)
        yield "</details>"
        yield ""


def _results(view: View, candidate: CandidateView, words: Words) -> Iterator[str]:
    delta = words.delta.format(level=level(view.comparison.alpha))
    heads = (words.verdict, words.task, words.role, f"{words.base} → {words.candidate}", delta, words.p_adjusted)
    yield _row([*(markdown(head) for head in heads), words.items, markdown(words.flips), words.note])
    yield "|---|---|---|--:|--:|--:|--:|--:|---|"
    for task in candidate.tasks:
        result = task.result
        verdict = f"{_SYMBOLS[result.verdict]} {words.verdicts[result.verdict]}" if result.verdict else ""
        yield _row(
            [
                verdict,
                markdown(result.task),
                words.roles[result.role],
                f"{share(result.base)} → {share(result.candidate)}",
                markdown(f"{points(result.delta)} {interval(result.ci)}".strip()),
                markdown(probability(result.p_adjusted)),
                f"{result.n:,}",
                words.flip_counts.format(gained=len(result.gained), lost=len(result.lost)),
                markdown(words.join.join(task_notes(task, words))),
            ]
        )
    yield ""


def _repeats(view: View, candidate: CandidateView, words: Words) -> Iterator[str]:
    """pass@k, the majority vote and the parts of the variance; nothing where items were answered once."""
    found = [(task.result.task, task.result.over_repeats) for task in candidate.tasks if task.result.over_repeats]
    if not found:
        return
    yield f"**{markdown(words.over_repeats.format(count=view.comparison.repeats))}**"
    yield ""
    rows = [(task, row) for task, repeats in found for row in repeat_rows(repeats, words)]
    if rows:
        delta = words.delta.format(level=level(view.comparison.alpha))
        heads = (words.task, words.metric, f"{words.base} → {words.candidate}", delta)
        yield _row([markdown(head) for head in heads])
        yield "|---|---|--:|--:|"
    for task, row in rows:
        compared = row.compared
        change = markdown(f"{points(compared.delta)} {interval(compared.ci)}".strip())
        sides = f"{share(compared.base)} → {share(compared.candidate)}"
        yield _row([markdown(task), markdown(row.label), sides, change])
    if rows:
        yield ""
    for task, repeats in found:
        if notes := repeat_notes(repeats, words):
            yield f"- {markdown(task)}: {markdown(words.join.join(notes))}"
    yield ""


def _flip(flip: Flip, words: Words) -> Iterator[str]:
    yield _row([markdown(f"{flip.task} {one_line(flip.item_id, 60)}"), _text(flip.question, words)])
    yield "|---|---|"
    yield _row([words.gold, _text(" / ".join(flip.gold), words)])
    yield _row([words.base, _code(flip.base)])
    yield _row([words.candidate, _code(flip.candidate)])
    yield ""


def _text(text: str, words: Words) -> str:
    return markdown(one_line(text, _CELL)) if text else words.no_text


def _code(text: str) -> str:
    return f"<code>{markdown(one_line(text, _CELL))}</code>" if text.strip() else NOTHING


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


#: An empty answer.
NOTHING = "∅"
