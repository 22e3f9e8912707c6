"""The report as a pull-request comment or a step's summary (GitHub's and GitLab's Markdown).

A comment has a longest length. What does not fit goes from the end: first the texts of lost items, then what repeats
say, then the tables; the verdict of each candidate stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from harness.comparison.statistics.verdict import Verdict
from harness.errors import EXIT_OK
from harness.report.conclusion import conclusion
from harness.report.gate import gate_reasons, gate_word
from harness.report.numbers import interval, level, points, probability, share
from harness.report.repeats import repeat_notes, repeat_rows
from harness.report.untrusted import markdown, one_line
from harness.report.view import CandidateView, Flip, View, task_notes
from harness.report.words import Words

_SYMBOLS: dict[Verdict, str] = {"improved": "🟢", "held": "⚪", "regressed": "🔴", "inconclusive": "🟡"}
_CELL, _SENTENCE = 300, 2_000

#: Characters of a comment, by GitHub's limit; GitLab's is larger, and so is that of a step's summary.
LONGEST = 65_536


def render_markdown(view: View, words: Words, longest: int = LONGEST) -> str:
    """The whole comparison, as far as `longest` characters hold it; text from models and files is inert."""
    for rich in ((_head, _results, _repeats, _lost), (_head, _results, _repeats), (_head, _results), (_head,)):
        sections = [section(view, candidate, words) for candidate in view.candidates for section in rich]
        whole = _Page(view, words, longest, shortened=_lost not in rich)
        if whole.holds(list(chain.from_iterable(sections))):
            return whole.text
    return _in_a_line_each(view, words, longest)


class _Page:
    """Lines with the footer under them."""

    def __init__(self, view: View, words: Words, longest: int, *, shortened: bool) -> None:
        cut = [f"*{markdown(words.shortened)}*", ""] if shortened else []
        self._end = [*cut, f"<sub>{markdown(one_line(_footer(view, words), _SENTENCE))}</sub>", ""]
        self._longest = longest
        self.text = "\n".join(self._end)

    def holds(self, lines: Iterable[str]) -> bool:
        """True where these lines fit; then they are the text."""
        text = "\n".join([*lines, *self._end])
        if fits := len(text) <= self._longest:
            self.text = text
        return fits


def _in_a_line_each(view: View, words: Words, longest: int) -> str:
    """Verdict and conclusion, of as many candidates as fit: those that pass come last."""
    page = _Page(view, words, longest, shortened=True)
    lines: list[str] = []
    for position, candidate in enumerate(sorted(view.candidates, key=lambda one: one.code == EXIT_OK)):
        title = one_line(_title(view, candidate, words), _CELL)
        sentence = one_line(conclusion(candidate, view.comparison.alpha, words), _CELL)
        lines.append(f"- **{gate_word(candidate.code, words)}** {markdown(title)}: {markdown(sentence)}")
        left = len(view.candidates) - position - 1
        more = [f"- {markdown(words.more_candidates.format(count=left))}"] if left else []
        if not page.holds([*lines, *more, ""]):
            break
    return page.text


def _footer(view: View, words: Words) -> str:
    comparison = view.comparison
    engine = f"{comparison.engine} {comparison.engine_version}".strip()
    parts = [
        words.footer.format(id=comparison.id, version=comparison.harness_version),
        words.asked.format(engine=engine, seed=comparison.seed, alpha=comparison.alpha),
    ]
    if comparison.temperature is not None:
        parts.append(words.temperature.format(temperature=comparison.temperature))
    if comparison.limit:
        parts.append(words.limited.format(limit=comparison.limit))
    return words.join.join(parts)


def _title(view: View, candidate: CandidateView, words: Words) -> str:
    return words.title.format(suite=view.comparison.suite, base=view.comparison.base, candidate=candidate.name)


def _head(view: View, candidate: CandidateView, words: Words) -> Iterator[str]:
    """Title, conclusion, gate and whatever casts doubt on them."""
    sentence = conclusion(candidate, view.comparison.alpha, words)
    yield f"### {markdown(one_line(_title(view, candidate, words), _CELL))}"
    yield ""
    yield f"**{markdown(one_line(sentence, _SENTENCE))}**"
    yield ""
    yield f"{words.gate}: **{gate_word(candidate.code, words)}**"
    yield ""
    said = [*gate_reasons(candidate, words)]
    said += [f"{words.doctor}: {f.probe}: {f.text}" for f in candidate.troubles if f.status == "warn"]
    said += [words.prompts_differ] if candidate.prompts_differ else []
    for sentence in (*said, *candidate.warnings):
        yield f"- {markdown(one_line(sentence, _SENTENCE))}"
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
                markdown(one_line(result.task, _CELL)),
                words.roles[result.role],
                f"{share(result.base)} → {share(result.candidate)}",
                markdown(f"{points(result.delta)} {interval(result.ci)}".strip()),
                markdown(probability(result.p_adjusted)),
                f"{result.n:,}",
                words.flip_counts.format(gained=len(result.gained), lost=len(result.lost)),
                markdown(one_line(words.join.join(task_notes(task, words)), _SENTENCE)),
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
        yield _row([markdown(one_line(task, _CELL)), markdown(row.label), sides, change])
    if rows:
        yield ""
    for task, repeats in found:
        if notes := repeat_notes(repeats, words):
            yield f"- {markdown(one_line(task, _CELL))}: {markdown(words.join.join(notes))}"
    yield ""


def _lost(view: View, candidate: CandidateView, words: Words) -> Iterator[str]:
    """The few lost items that say most, folded away."""
    if not candidate.telling:
        return
    yield f"<details><summary>{words.lost}</summary>"
    yield ""
    for flip in candidate.telling:
        yield from _flip(flip, words)
    yield "</details>"
    yield ""


def _flip(flip: Flip, words: Words) -> Iterator[str]:
    yield _row([markdown(f"{one_line(flip.task, 60)} {one_line(flip.item_id, 60)}"), _text(flip.question, words)])
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
