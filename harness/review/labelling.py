"""What the page Label shows: a draw's rows without a name on them, who has labelled how many, how far they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from harness.errors import HarnessError, InputError
from harness.gold.item import Item
from harness.judge.labels.book import LabelBook
from harness.judge.labels.drawing import Draw, draw
from harness.judge.labels.people import PeopleAgreement, people_agreement
from harness.judge.labels.sheet import NOTE, ROW
from harness.judge.labels.shown import open_draw, shown_rows
from harness.judge.pairs import pairs_of
from harness.judge.rubrics import load_rubric
from harness.judge.scales import ByReference, ByRubric, Scale
from harness.report.untrusted import excerpt, visible
from harness.report.words import Language
from harness.review.gold import pictures_of
from harness.review.settings import Settings
from harness.review.store import ReviewStore

Mode = Literal["pairwise", "rubric", "reference"]
MODES: tuple[Mode, ...] = ("pairwise", "rubric", "reference")

#: Characters of one text; a person who is to judge an answer has to see all of it.
LONGEST = 20_000
#: Answers of a run above which drawing, for which all of them are read, is left to the command line.
MOST_ANSWERS = 100_000


@dataclass(frozen=True, slots=True)
class LabelRow:
    """What is shown of one row; every text visible.

    Attributes:
        look_for: what matters in this question, by the gold set; "" where it does not say.
        reference: the gold answer; "" where people are not shown one.
        answers: one, or A and B.
        item: for its pictures.
    """

    question: str
    look_for: str
    reference: str
    answers: tuple[str, ...]
    item: Item

    @property
    def pictures(self) -> tuple[str, ...]:
        """Small copies of the question's pictures, made when they are looked at."""
        return pictures_of(self.item)


@dataclass(frozen=True, slots=True)
class Labelling:
    """A draw, ready to be labelled.

    Attributes:
        criteria: the rubric's, line by line.
    """

    draw: Draw
    rows: tuple[LabelRow, ...]
    criteria: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Annotator:
    """How far somebody is."""

    name: str
    labelled: int
    of: int

    @property
    def done(self) -> bool:
        return self.labelled == self.of


@dataclass(frozen=True, slots=True)
class People:
    """Everybody who labels a draw."""

    annotators: tuple[Annotator, ...]
    agreement: tuple[PeopleAgreement, ...]


def draws_of(store: ReviewStore) -> tuple[Draw, ...]:
    """The draws of a store whose comparison is there and that have a row to label; broken ones are left out."""
    known = {one.id for one in store.catalog().comparisons}
    found = []
    for name in store.runs.list_documents("draw"):
        try:
            one = _draw(store, name)
        except HarnessError:
            continue
        if one.comparison in known and one.rows:
            found.append(one)
    return tuple(found)


def open_labelling(store: ReviewStore, settings: Settings, draw_id: str, language: Language) -> Labelling:
    """A draw with its texts.

    Raises:
        InputError: the draw, its comparison, a run or a question is gone.
    """
    return _opened(store, settings.model_dump_json(), draw_id, language)


def make_draw(
    store: ReviewStore, settings: Settings, comparison_id: str, candidate: str, mode: Mode, *, items: int, rubric: str
) -> Draw:
    """Draw items of each task at random and keep the draw; the same question gives the same draw.

    Raises:
        InputError: as `pairs_of` and `draw`, too many answers for a page, or a store that cannot be written.
    """
    catalog = store.catalog()
    stored = catalog.comparison(comparison_id)
    if stored is None:
        raise InputError(f"{comparison_id!r} is not in the store")
    compared = next(one for one in stored.comparison.comparisons if one.candidate == candidate)
    manifest = catalog.runs.get(compared.run_ids.candidate)
    if manifest is not None and sum(task.n for task in manifest.tasks) * manifest.repeats > MOST_ANSWERS:
        raise InputError(
            f"the run has more than {MOST_ANSWERS:,} answers",
            remedy=f"Draw them on the command line: harness judge label {comparison_id} --mode {mode}.",
        )
    pairs = pairs_of(
        stored.comparison, store.runs, candidate=candidate, overrides=settings.goldsets, folder=settings.folder
    )
    scale: Scale | None = None
    if mode == "rubric":
        scale = ByRubric(load_rubric(rubric, folder=settings.folder))
    elif mode == "reference":
        scale = ByReference()
    drawn = draw(pairs, scale, items=items, seed=0, reference=True)
    if not drawn.rows:
        raise InputError("all answers that were drawn are the same on both sides: there is nothing to label")
    store.runs.write_document("draw", drawn.id, drawn.to_json().encode())
    return drawn


def people_of(book: LabelBook) -> People:
    """Who has labelled how many rows, and how far they agree on those that several have."""
    sheets = book.sheets()
    total = len(book.draw.rows)
    return People(
        tuple(Annotator(visible(sheet.annotator), len(sheet.said), total) for sheet in sheets),
        people_agreement(book.draw, sheets),
    )


def next_open(said: Mapping[int, object], total: int, after: int = -1) -> int | None:
    """The next row without a label after `after`, or else before it; None when all have one."""
    order: Sequence[int] = [*range(after + 1, total), *range(min(after + 1, total))]
    return next((position for position in order if position not in said), None)


@lru_cache(maxsize=256)
def _draw(store: ReviewStore, name: str) -> Draw:
    return open_draw(store.runs, name)


@lru_cache(maxsize=8)
def _opened(store: ReviewStore, settings: str, draw_id: str, language: Language) -> Labelling:
    given = Settings.model_validate_json(settings)
    drawn = _draw(store, draw_id)
    stored = store.catalog().comparison(drawn.comparison)
    if stored is None:
        raise InputError(f"the comparison {drawn.comparison!r} is no longer in the store", where=draw_id)
    found = shown_rows(
        drawn, stored.comparison, store.runs, overrides=given.goldsets, folder=given.folder, language=language
    )
    sheet = found.sheet
    others = {ROW, NOTE, "question", "look_for", "reference"}
    answers = [column for column in sheet.columns if column not in others]
    rows = []
    for texts, item in zip(sheet.rows, found.items, strict=True):
        shown = {column: excerpt(text, LONGEST) for column, text in zip(sheet.columns, texts, strict=True)}
        rows.append(
            LabelRow(
                question=shown["question"],
                look_for=shown.get("look_for", ""),
                reference=shown.get("reference", ""),
                answers=tuple(shown[column] for column in answers),
                item=item,
            )
        )
    return Labelling(drawn, tuple(rows), tuple(visible(line) for line in sheet.criteria))
