"""What the page Label shows, without a browser: draws, rows, people."""

from __future__ import annotations

import dataclasses
import shutil
import string
from pathlib import Path

import pytest

from dashboard import label as page
from harness.errors import InputError
from harness.judge.labels.book import LabelBook
from harness.review import labelling
from harness.review.label_words import EN, ZH, LabelWords
from harness.review.labelling import draws_of, make_draw, next_open, open_labelling, people_of
from harness.review.settings import Settings
from harness.review.store import ReviewStore
from tests.dashboard.conftest import Workspace


@pytest.fixture
def settings(workspace: Workspace, tmp_path: Path) -> Settings:
    shutil.copytree(workspace.store, tmp_path / "store")
    return workspace.settings.model_copy(update={"store": str(tmp_path / "store")})


@pytest.fixture
def store(settings: Settings) -> ReviewStore:
    return ReviewStore(settings.store, settings.folder, {})


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(LabelWords)])
def test_both_languages_have_the_same_texts_with_the_same_names(field: str) -> None:
    en, zh = getattr(EN, field), getattr(ZH, field)
    texts = [(en, zh)] if isinstance(en, str) else [(en[key], zh[key]) for key in en.keys() | zh.keys()]
    assert all(one and other and _fields(one) == _fields(other) for one, other in texts)


def test_the_next_row_is_the_first_without_a_label_after_this_one_then_before_it() -> None:
    said = {0: "", 1: "", 4: ""}
    assert next_open(said, 6) == 2
    assert next_open(said, 6, after=3) == 5
    assert next_open({**said, 5: ""}, 6, after=4) == 2
    assert next_open(dict.fromkeys(range(6), ""), 6, after=5) is None


def test_a_draw_is_blind_whole_and_the_same_for_the_second_annotator(
    store: ReviewStore, settings: Settings, workspace: Workspace
) -> None:
    asked = (store, settings, workspace.comparisons["medical"], "lora_model_medical", "pairwise")
    assert draws_of(store) == ()
    one = make_draw(*asked, items=5, rubric="")
    assert make_draw(*asked, items=5, rubric="").id == one.id
    assert [draw.id for draw in draws_of(store)] == [one.id]
    opened = open_labelling(store, settings, one.id, "zh")
    assert len(opened.rows) == len(one.rows) > 5
    assert all(len(row.answers) == 2 and row.question and row.reference for row in opened.rows)
    book = LabelBook(store.runs, one)
    book.add("li", 0, {"preference": "A"})
    people = people_of(book)
    assert [(who.name, who.labelled, who.done) for who in people.annotators] == [("li", 1, False)]
    assert people.agreement[0].rows == 0


def test_a_rubric_shows_its_criteria_in_the_language_of_the_page(
    store: ReviewStore, settings: Settings, workspace: Workspace
) -> None:
    made = make_draw(
        store, settings, workspace.comparisons["five"], "lora_model_medical_mix", "rubric", items=3, rubric="medical"
    )
    zh, en = (open_labelling(store, settings, made.id, language).criteria for language in ("zh", "en"))  # type: ignore[arg-type]
    assert len(zh) == len(en) > 5
    assert any("\u4e00" <= char <= "\u9fff" for char in "".join(zh))
    assert "Does" in "".join(en) or "answer" in "".join(en)


def test_answers_that_are_all_the_same_are_nothing_to_label(
    store: ReviewStore, settings: Settings, workspace: Workspace
) -> None:
    same = workspace.comparisons["same"]
    with pytest.raises(InputError, match="nothing to label"):
        make_draw(store, settings, same, "base", "pairwise", items=5, rubric="")
    assert draws_of(store) == ()


def test_a_large_run_is_drawn_from_on_the_command_line(
    store: ReviewStore, settings: Settings, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labelling, "MOST_ANSWERS", 10)
    with pytest.raises(InputError, match="harness judge label") as caught:
        make_draw(
            store, settings, workspace.comparisons["medical"], "lora_model_medical", "pairwise", items=5, rubric=""
        )
    assert "more than 10 answers" in str(caught.value)


def test_a_draw_whose_comparison_was_pruned_is_not_offered(
    store: ReviewStore, settings: Settings, workspace: Workspace
) -> None:
    five = workspace.comparisons["five"]
    made = make_draw(store, settings, five, "lora_model_medical_mix", "pairwise", items=5, rubric="")
    assert [draw.id for draw in draws_of(store)] == [made.id]
    shutil.rmtree(Path(settings.store) / "comparisons" / five)
    store.catalog(now=True)
    assert draws_of(store) == ()


def test_a_key_labels_the_row_and_measure_that_are_asked_and_no_other(
    store: ReviewStore, settings: Settings, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the next row is being drawn the buttons of the last one still take keys."""
    five = workspace.comparisons["five"]
    made = make_draw(store, settings, five, "lora_model_medical_mix", "rubric", items=3, rubric="general")
    opened, book = open_labelling(store, settings, made.id, "en"), LabelBook(store.runs, made)
    first, second, third = made.measures
    state: dict[str, object] = {f"at-{made.id}-li": 1}
    monkeypatch.setattr(page.st, "session_state", state)

    def press(position: int, measure: str, label: str) -> None:
        page._say(opened, book, "li", position, measure, label)

    press(0, first, "5")  # a row that is no longer asked
    press(1, first, "1")
    press(1, first, "5")  # a measure that is no longer asked
    press(1, second, "2")
    assert book.sheet("li").said == {}, "half a row is none"
    press(1, third, "3")
    press(1, third, "5")
    assert book.sheet("li").said == {1: {first: "1", second: "2", third: "3"}}
    assert state[f"at-{made.id}-li"] == 2
