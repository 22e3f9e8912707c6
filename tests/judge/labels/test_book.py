"""Labels that are given one by one: kept as they are given, resumed, several annotators beside one another."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.judge.labels.book import LabelBook, annotator_name
from harness.judge.labels.drawing import PAIR_LABELS, PREFERENCE, Draw, DrawnItem, DrawnRow
from harness.judge.labels.people import people_agreement
from harness.runs.files import RunStore

ROWS = 10


def draw(
    mode: str = "pairwise", measures: tuple[str, ...] = (PREFERENCE,), labels: tuple[str, ...] = PAIR_LABELS
) -> Draw:
    """Half of the rows show the candidate first."""
    shown = ("candidate", "base")
    return Draw(
        mode=mode,  # type: ignore[arg-type]
        comparison="c",
        suite="open",
        candidate="tuned",
        asked=ROWS,
        seed=0,
        reference=True,
        rubric=None,
        rubric_digest=None,
        measures=measures,
        labels=labels,
        items=tuple(DrawnItem(task="qa", item_id=f"q{n}", identical=False, slices={}) for n in range(ROWS)),
        rows=tuple(DrawnRow(task="qa", item_id=f"q{n}", shown=shown[n % 2]) for n in range(ROWS)),  # type: ignore[arg-type]
    ).named()


def say(book: LabelBook, name: str, position: int, label: str) -> None:
    book.add(name, position, {PREFERENCE: label})


@pytest.mark.parametrize("url", ["local", "memory://labels"])
def test_who_stops_goes_on_where_they_were_and_a_later_label_holds(url: str, tmp_path: Path) -> None:
    place = str(tmp_path) if url == "local" else url
    book = LabelBook(RunStore(place), draw())
    assert book.sheet("王芳").said == {}
    for position in (0, 1, 2):
        say(book, "王芳", position, "A")
    say(book, "王芳", 1, "tie")
    again = LabelBook(RunStore(place), draw()).sheet(" 王芳 ")
    assert {position: said[PREFERENCE] for position, said in again.said.items()} == {0: "A", 1: "tie", 2: "A"}


def test_a_file_for_each_annotator_beside_the_draw_that_is_only_added_to(tmp_path: Path) -> None:
    book = LabelBook(RunStore(str(tmp_path)), draw())
    say(book, "li/../../x", 0, "A")
    (file,) = (tmp_path / "draws" / book.draw.id / "labels").iterdir()
    first = file.read_bytes()
    say(book, "li/../../x", 0, "B")
    assert file.read_bytes().startswith(first)
    say(book, "li_x", 0, "tie")
    assert [sheet.annotator for sheet in book.sheets()] == ["li/../../x", "li_x"], "names that look alike stay apart"


def _label_all(url: str, who: str) -> None:
    book = LabelBook(RunStore(url), draw())
    for position in range(ROWS):
        say(book, who, position, "A")


def test_annotators_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    people = [context.Process(target=_label_all, args=(str(tmp_path), who)) for who in ("wang", "li", "li")]
    for one in people:
        one.start()
    for one in people:
        one.join()
    book = LabelBook(RunStore(str(tmp_path)), draw())
    assert [(sheet.annotator, book.complete(sheet)) for sheet in book.sheets()] == [("li", True), ("wang", True)]


@pytest.mark.parametrize("labels", [{}, {PREFERENCE: "C"}, {PREFERENCE: "A", "more": "A"}, {"grade": "A"}])
def test_only_labels_of_the_draw_are_kept(tmp_path: Path, labels: dict[str, str]) -> None:
    book = LabelBook(RunStore(str(tmp_path)), draw())
    with pytest.raises(InputError, match="does not label preference"):
        book.add("li", 0, labels)
    assert book.sheets() == []


def test_lines_that_are_no_labels_are_told_and_hide_no_other(tmp_path: Path) -> None:
    book = LabelBook(RunStore(str(tmp_path)), draw())
    say(book, "li", 0, "A")
    (file,) = (tmp_path / "draws" / book.draw.id / "labels").iterdir()
    other = file.read_text().replace(book.draw.id, "another-draw")
    file.write_text(file.read_text() + other + '{"half')
    say(book, "li", 1, "B")
    sheet = book.sheet("li")
    assert sorted(sheet.said) == [0, 1]
    assert [where.rpartition(" ")[2] for where in sheet.broken] == ["2", "3"]


def test_only_whole_sheets_are_labels(tmp_path: Path) -> None:
    book = LabelBook(RunStore(str(tmp_path)), draw())
    with pytest.raises(InputError, match="nobody has begun"):
        book.labels()
    for position in range(ROWS - 1):
        say(book, "li", position, "A")
    with pytest.raises(InputError, match=r"nobody has labelled all 10 rows \(li 9\)"):
        book.labels()
    _label_all(str(tmp_path), "wang")
    labels = book.labels()
    assert labels.annotators == ("wang",)
    assert [said[PREFERENCE] for said in labels.said[0]] == ["A"] * ROWS


@pytest.mark.parametrize("name", ["", " \t", "x" * 61])
def test_a_name_is_needed(name: str) -> None:
    with pytest.raises(InputError, match="between 1 and 60"):
        annotator_name(name)


def test_agreement_is_of_what_labels_mean_over_the_rows_that_both_have(tmp_path: Path) -> None:
    book = LabelBook(RunStore(str(tmp_path)), draw())
    (none,) = people_agreement(book.draw, book.sheets())
    assert (none.rows, none.accuracy, none.kappa, none.alpha) == (0, None, None, None)
    for position, (one, two) in enumerate([("A", "A"), ("B", "B"), ("A", "A"), ("tie", "tie"), ("A", "B"), ("A", "A")]):
        say(book, "wang", position, one)
        say(book, "li", position, two)
    say(book, "wang", 6, "A")
    (found,) = people_agreement(book.draw, book.sheets())
    assert found.rows == 6
    assert found.accuracy == pytest.approx(5 / 6)
    # In what they mean: base, tie, candidate. wang: c c c t c b, li: c c c t b b.
    observed, expected = 5 / 6, (4 * 3 + 1 * 1 + 1 * 2) / 36
    assert found.kappa == pytest.approx((observed - expected) / (1 - expected))
    assert found.alpha is not None


def test_grades_are_compared_by_how_far_they_are_apart(tmp_path: Path) -> None:
    book = LabelBook(RunStore(str(tmp_path)), draw("rubric", ("clarity", "truth"), tuple("12345")))
    for position in range(ROWS):
        book.add("wang", position, {"clarity": str(1 + position % 5), "truth": "3"})
        book.add("li", position, {"clarity": str(min(5, 2 + position % 5)), "truth": "3"})
    clarity, truth = people_agreement(book.draw, book.sheets())
    assert clarity.measure == "clarity"
    assert clarity.accuracy == pytest.approx(0.2)
    assert clarity.kappa is not None
    assert clarity.kappa > 0.7, "nearly the same grade is no disagreement"
    assert (truth.accuracy, truth.kappa) == (1.0, None)
