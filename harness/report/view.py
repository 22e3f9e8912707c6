"""What every report shows, gathered once: a comparison and the texts of the items that say most.

All text in a view has been through `harness.report.untrusted.visible`; a renderer only escapes it for its own syntax.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.comparison.gate import judge, worst
from harness.comparison.results import CandidateComparison, Comparison, SliceResult, TaskResult
from harness.doctor.finding import Finding
from harness.gold.item import Item
from harness.report.numbers import share, size
from harness.report.untrusted import cleaned, excerpt
from harness.report.words import Words
from harness.runs.samples import Sample
from harness.scorers.likelihoods import readable

#: Lost and gained items kept with their texts, for each task; the rest is counted.
_SHOWN = 20
#: Lost items shown where there is room for few.
TELLING = 3


@dataclass(frozen=True, slots=True)
class Flip:
    """One item that one side got right and the other did not.

    Attributes:
        question: "" when neither the gold set nor the prompt could be found.
        gold: the accepted answers; empty when the gold set is not at hand, or has changed since.
    """

    task: str
    item_id: str
    question: str
    gold: tuple[str, ...]
    base: str
    candidate: str


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task's primary metric with its verdict, its other metrics and what flipped.

    Attributes:
        code: what this task alone would make the gate's exit code.
        slices: where it changed: the slices that moved, largest loss first, then those that can show nothing.
    """

    result: TaskResult
    others: tuple[TaskResult, ...]
    code: int
    slices: tuple[SliceResult, ...]
    lost: tuple[Flip, ...]
    gained: tuple[Flip, ...]


@dataclass(frozen=True, slots=True)
class CandidateView:
    """One candidate against the base.

    Attributes:
        code: the gate's exit code.
        telling: the few lost items that say most.
    """

    name: str
    tasks: tuple[TaskView, ...]
    findings: tuple[Finding, ...]
    code: int
    prompts_differ: bool
    warnings: tuple[str, ...]
    telling: tuple[Flip, ...]

    @property
    def troubles(self) -> tuple[Finding, ...]:
        """What the doctor found, worst first."""
        rank = {"fail": 0, "warn": 1}
        return tuple(sorted((f for f in self.findings if f.status in rank), key=lambda f: rank[f.status]))


@dataclass(frozen=True, slots=True)
class View:
    """A whole comparison, ready to be rendered."""

    comparison: Comparison
    candidates: tuple[CandidateView, ...]
    store: str = ""

    @property
    def code(self) -> int:
        """The gate's exit code over all candidates."""
        return worst([candidate.code for candidate in self.candidates])


@dataclass(frozen=True, slots=True)
class Evidence:
    """The texts behind a comparison, as far as they can be found.

    Attributes:
        samples: by run id.
        items: items of the gold sets, by task and id.
    """

    samples: Mapping[str, Sequence[Sample]]
    items: Mapping[str, Mapping[str, Item]]


def build_view(comparison: Comparison, evidence: Evidence, store: str = "") -> View:
    """Gather what the reports show."""
    clean = cleaned(comparison)
    candidates = []
    for raw, shown in zip(comparison.comparisons, clean.comparisons, strict=True):
        texts = _Texts(raw, evidence)
        tasks = tuple(
            _task_view(result, clean_result, shown, texts)
            for result, clean_result in zip(raw.results, shown.results, strict=True)
            if result.primary
        )
        candidates.append(
            CandidateView(
                name=shown.candidate,
                tasks=tasks,
                findings=shown.doctor,
                code=judge(shown.results, shown.doctor).exit_code,
                prompts_differ=shown.prompts_differ,
                warnings=_not_said_by(shown.doctor, shown.warnings),
                telling=_telling(tasks),
            )
        )
    return View(clean, tuple(candidates), store)


def _not_said_by(findings: Sequence[Finding], warnings: Sequence[str]) -> tuple[str, ...]:
    """Warnings from resolving the candidate, without those that the doctor repeats."""
    said = [finding.detail for finding in findings if finding.status in ("warn", "fail")]
    return tuple(w for w in warnings if not any(w.startswith(detail) or w in detail for detail in said))


def task_notes(task: TaskView, words: Words) -> list[str]:
    """What a reader of a verdict should know besides its numbers, worst first."""
    result = task.result
    notes = [note] if (note := words.note_of(result)) else []
    for what, sides in (
        (words.errors, result.errors),
        (words.missing, result.missing),
        (words.unscored, result.unscored),
        (words.unextracted, result.unextracted),
    ):
        if sides.base or sides.candidate:
            notes.append(words.counts_note.format(what=what, base=sides.base, candidate=sides.candidate))
    if result.unpaired:
        notes.append(words.unpaired_note.format(count=result.unpaired))
    if result.verdict in ("held", "inconclusive") and result.mde is not None and not result.identical:
        notes.append(words.mde_note.format(n=result.n, mde=size(result.mde)))
    if result.noise is not None:
        notes.append(words.noise_note.format(noise=share(result.noise)))
    return notes


def _task_view(raw: TaskResult, result: TaskResult, shown: CandidateComparison, texts: _Texts) -> TaskView:
    return TaskView(
        result=result,
        others=tuple(r for r in shown.results if r.task == result.task and not r.primary),
        code=judge((result,), ()).exit_code,
        slices=tuple(sorted(result.slices, key=_slice_order)),
        lost=tuple(texts.flips(raw, raw.lost, lost=True)),
        gained=tuple(texts.flips(raw, raw.gained, lost=False)),
    )


def _slice_order(part: SliceResult) -> tuple[bool, float, str, str]:
    return part.uninformative, part.delta, part.key, part.value


def _telling(tasks: Sequence[TaskView]) -> tuple[Flip, ...]:
    """A few lost items, of regressed tasks where there are any: guards before targets, one task after the other."""
    regressed = [task for task in tasks if task.lost and task.result.verdict == "regressed"]
    ordered = sorted(regressed or tasks, key=lambda task: (task.result.role != "guard", -len(task.result.lost)))
    queues = [sorted(task.lost, key=_readability) for task in ordered if task.lost]
    found: list[Flip] = []
    while len(found) < TELLING and any(queues):
        for queue in queues:
            if queue and len(found) < TELLING:
                found.append(queue.pop(0))
    return tuple(found)


def _readability(flip: Flip) -> tuple[bool, int]:
    """Items with an answer before those without, then the ones that are read fastest."""
    return not flip.candidate.strip(), len(flip.question) + min(len(flip.base), 400) + min(len(flip.candidate), 400)


class _Texts:
    """Finds the texts of items in two runs and the gold sets."""

    def __init__(self, comparison: CandidateComparison, evidence: Evidence) -> None:
        wanted = {(result.task, item) for result in comparison.results for item in (*result.lost, *result.gained)}
        self._items = evidence.items
        self._base = _answers(evidence.samples.get(comparison.run_ids.base, ()), wanted)
        self._candidate = _answers(evidence.samples.get(comparison.run_ids.candidate, ()), wanted)

    def flips(self, result: TaskResult, ids: Sequence[str], *, lost: bool) -> Iterator[Flip]:
        """Texts of items; of several answers, one that shows what was lost or gained."""
        task = result.task
        for item_id in ids[:_SHOWN]:
            base = _telling_answer(self._base.get((task, item_id), ()), result.metric, best=lost)
            candidate = _telling_answer(self._candidate.get((task, item_id), ()), result.metric, best=not lost)
            item = self._items.get(task, {}).get(item_id)
            if item is not None and base is not None and item.digest != base.item_digest:
                item = None  # edited since: its question and answer are not those that were asked
            question = item.text if item is not None else base.prompt if base is not None else ""
            yield Flip(
                task=excerpt(task),
                item_id=excerpt(item_id),
                question=excerpt(question),
                gold=tuple(excerpt(text) for text in item.answer) if item is not None else (),
                base=excerpt(readable(base.output)) if base is not None else "",
                candidate=excerpt(readable(candidate.output)) if candidate is not None else "",
            )


def _answers(samples: Sequence[Sample], wanted: set[tuple[str, str]]) -> dict[tuple[str, str], list[Sample]]:
    found: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        key = (sample.task, sample.item_id)
        if key in wanted:
            found.setdefault(key, []).append(sample)
    return found


def _telling_answer(samples: Sequence[Sample], metric: str, *, best: bool) -> Sample | None:
    """The first of the repeats with the best score, or the worst: one at random may be right on both sides."""

    def score(sample: Sample) -> float:
        given = sample.scores[metric].value if metric in sample.scores else None
        return given or 0.0

    return (max if best else min)(samples, key=score, default=None)
