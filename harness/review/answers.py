"""The texts of a few items: what each run was asked, what it answered, and what the answer scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.report.untrusted import LONGEST
from harness.review.query import Query, Row, literal, name
from harness.runs.files import RunManifest
from harness.scorers.likelihoods import readable


@dataclass(frozen=True, slots=True)
class Scored:
    """One metric of one answer, as in `samples.parquet`."""

    metric: str
    value: float | None
    extracted: str | None
    note: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, cut to what is shown.

    Attributes:
        characters: how many `output` has on disk.
        prompt_characters: how many `prompt` has on disk.
    """

    repeat: int
    prompt: str
    prompt_characters: int
    output: str
    characters: int
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    latency: float
    error: str
    scores: tuple[Scored, ...] = field(default=())

    @property
    def cut(self) -> bool:
        return self.characters > len(self.output)


#: Answers of the items of a page, by item id.
Answers = dict[str, tuple[Answer, ...]]


def answers_of(query: Query, run: RunManifest, task: str, items: Sequence[str], *, longest: int = LONGEST) -> Answers:
    """What a run answered to a few items, the repeats in order.

    Args:
        longest: characters read of a prompt or an answer; the rest never leaves the file.

    Raises:
        InputError: the run's files are missing or damaged.
    """
    if not items:
        return {}
    metrics = _metrics(run, task, query.columns(run.id))
    scores = "".join(f", {name(f'{part}_{metric}')}" for metric in metrics for part in ("score", "extracted", "note"))
    rows = query.rows(
        f"SELECT item_id, repeat, left(prompt, {longest}), length(prompt), left(output, {longest}), length(output), "
        f"finish_reason, prompt_tokens, completion_tokens, latency, error{scores} "
        f"FROM {query.samples(run.id)} WHERE task = {literal(task)} AND item_id IN (SELECT unnest(?)) "
        "ORDER BY item_id, repeat",
        [list(items)],
        about=f"run {run.id}",
    )
    found: dict[str, list[Answer]] = {}
    for row in rows:
        found.setdefault(str(row[0]), []).append(_answer(row, metrics))
    return {item: tuple(answers) for item, answers in found.items()}


def _answer(row: Row, metrics: Sequence[str]) -> Answer:
    scores = [
        Scored(metric, value, None if extracted is None else str(extracted)[:LONGEST], str(note or ""))
        for metric, (value, extracted, note) in zip(metrics, _threes(row[11:]), strict=True)
    ]
    output = str(row[4])
    return Answer(
        repeat=int(row[1]),
        prompt=str(row[2]),
        prompt_characters=int(row[3]),
        output=readable(output) if int(row[5]) <= len(output) else output,
        characters=int(row[5]),
        finish_reason=str(row[6]),
        prompt_tokens=int(row[7]),
        completion_tokens=int(row[8]),
        latency=float(row[9]),
        error=str(row[10] or ""),
        scores=tuple(scores),
    )


def _threes(values: Sequence[object]) -> list[tuple[float | None, object, object]]:
    return [(values[at], values[at + 1], values[at + 2]) for at in range(0, len(values), 3)]  # type: ignore[misc]


def _metrics(run: RunManifest, task: str, columns: frozenset[str]) -> list[str]:
    """The metrics of a task, its primary one first."""
    record = next((one for one in run.tasks if one.name == task), None)
    if record is None:
        return []
    ordered = sorted(record.signatures, key=lambda metric: metric != record.primary)
    return [metric for metric in ordered if f"score_{metric}" in columns]
