"""What judges said of the items of a page: the outcome, and each judge's reasons in both orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from harness.errors import InputError
from harness.judge.calibration.results import calibrations_of
from harness.judge.results import JudgedPairs, Judging, read_judging
from harness.judge.said import FILE_NAME
from harness.judge.statistics.judgements import Outcome
from harness.report.untrusted import LONGEST
from harness.review.catalog import Catalog
from harness.review.query import Query, literal
from harness.runs.files import RunStore


@dataclass(frozen=True, slots=True)
class Reason:
    """What a judge wrote.

    Attributes:
        side: of a pair, whose answer was shown first; of a grade, whose answer was graded.
    """

    side: str
    text: str


@dataclass(frozen=True, slots=True)
class JudgeView:
    """One judge on one item.

    Attributes:
        outcome: of a pair; None of grades.
        grades: measure, the base's grade, the candidate's; None where one could not be read.
        reasons: None where the version that judged did not keep them, or they are damaged.
        calibrated: people have labelled some of its answers.
    """

    judge: str
    calibrated: bool
    outcome: Outcome | None
    grades: tuple[tuple[str, float | None, float | None], ...]
    reasons: tuple[Reason, ...] | None


#: By item id.
JudgedItems = dict[str, tuple[JudgeView, ...]]


class Judged:
    """The judgings of a store."""

    def __init__(self, runs: RunStore, query: Query) -> None:
        self._runs = runs
        self._query = query
        self._read = lru_cache(maxsize=32)(self._reading)

    def of(self, catalog: Catalog, comparison: str, candidate: str, task: str, items: Sequence[str]) -> JudgedItems:
        """What was said of the items of a task of one candidate of a comparison; empty where nobody judged them."""
        found: dict[str, list[JudgeView]] = {}
        for name in catalog.judgings:
            judging = self._read(name)
            if judging is None or (judging.comparison, judging.candidate) != (comparison, candidate):
                continue
            reasons = self._reasons(name, task, items) if name in catalog.said else None
            for item, views in _views(judging, task, set(items), reasons, calibrated=self._calibrated(name)).items():
                found.setdefault(item, []).extend(views)
        return {item: tuple(views) for item, views in found.items()}

    def _reading(self, name: str) -> Judging | None:
        try:
            return read_judging(self._runs.read_document("judging", name), name)
        except InputError:
            return None

    def _calibrated(self, name: str) -> bool:
        """Whether people's labels stand beside it; where that cannot be read, the warning stands."""
        try:
            return bool(calibrations_of(name, self._runs))
        except InputError:
            return False

    def _reasons(self, name: str, task: str, items: Sequence[str]) -> dict[tuple[str, int], list[Reason]] | None:
        """By item and judge, the order in which the questions were asked; None where the file is damaged."""
        path = self._query.path(self._runs.document_path("judging", name, FILE_NAME))
        try:
            rows = self._query.rows(
                f"SELECT item_id, judge, side, left(text, {LONGEST}) FROM read_parquet({literal(path)}) "
                "WHERE task = ? AND item_id IN (SELECT unnest(?)) ORDER BY item_id, judge, side, repeat",
                [task, list(items)],
                about=f"judging {name}",
            )
        except InputError:
            return None
        found: dict[tuple[str, int], list[Reason]] = {}
        for item, judge, side, text in rows:
            found.setdefault((str(item), int(judge)), []).append(Reason(str(side), str(text)))
        return found


def _views(
    judging: Judging,
    task: str,
    wanted: set[str],
    reasons: dict[tuple[str, int], list[Reason]] | None,
    *,
    calibrated: bool,
) -> dict[str, list[JudgeView]]:
    found: dict[str, list[JudgeView]] = {}

    def said(item: str, judge: int) -> tuple[Reason, ...] | None:
        return None if reasons is None else tuple(reasons.get((item, judge), ()))

    names = [record.name for record in judging.judges]
    if isinstance(judging, JudgedPairs):
        for judged in judging.tasks:
            for one in judged.items if judged.task == task else ():
                if one.item_id in wanted:
                    found[one.item_id] = [
                        JudgeView(name, calibrated, outcome, (), said(one.item_id, number))
                        for number, (name, outcome) in enumerate(zip(names, one.judges, strict=True))
                    ]
        return found
    for graded in judging.tasks:
        for item in graded.items if graded.task == task else ():
            if item.item_id in wanted:
                sides = zip(names, item.base_judges, item.candidate_judges, strict=True)
                found[item.item_id] = [
                    JudgeView(name, calibrated, None, _grades(base, candidate), said(item.item_id, number))
                    for number, (name, base, candidate) in enumerate(sides)
                ]
    return found


def _grades(
    base: dict[str, float] | None, candidate: dict[str, float] | None
) -> tuple[tuple[str, float | None, float | None], ...]:
    names = list(dict.fromkeys([*(base or {}), *(candidate or {})]))
    return tuple((name, (base or {}).get(name), (candidate or {}).get(name)) for name in names)
