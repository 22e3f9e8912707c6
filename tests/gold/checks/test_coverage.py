"""Topics by difficulty, labels and languages."""

from __future__ import annotations

from harness.gold.checks.coverage import coverage, labelling
from harness.gold.checks.languages import languages
from tests.gold.checks.made import ask, checked, found, many


def cells(**counts: int) -> list[dict[str, object]]:
    """`cells(内科_easy=6)`: so many items of a topic and a difficulty."""
    labels = [key.split("_") for key, count in counts.items() for _ in range(count)]
    return [
        {**row, "metadata": {"topic": topic, "difficulty": tier}}
        for row, (topic, tier) in zip(many(len(labels)), labels, strict=True)
    ]


def test_empty_and_thin_cells_are_named() -> None:
    result = found(coverage, *cells(内科_easy=8, 内科_hard=3, 外科_easy=7))
    assert [piece.quotes[0].where for piece in result["empty-cell"].evidence] == ["外科 × hard"]
    assert [piece.quotes[0].where for piece in result["thin-cell"].evidence] == ["内科 × hard"]
    assert result["thin-tier"].values["tiers"] == "hard"


def test_full_cells_are_silent() -> None:
    assert found(coverage, *cells(内科_easy=6, 内科_hard=6, 外科_easy=6, 外科_hard=6)) == {}


def test_items_of_one_cluster_fill_a_cell_once() -> None:
    rows = [{**row, "cluster": "a"} for row in cells(内科_easy=8)]
    assert "thin-tier" in found(coverage, *rows)


def test_labels_of_only_one_kind_make_no_table() -> None:
    assert found(coverage, *({**row, "metadata": {"topic": f"t{i}"}} for i, row in enumerate(many(20)))) == {}


def test_missing_labels_and_two_spellings_are_found() -> None:
    rows = cells(内科_easy=6, 内科_Easy=6)
    result = found(labelling, *rows, ask("没有标签的题？"))
    assert result["unlabelled"].items == ("i12",)
    assert "'Easy' = 'easy'" in str(result["label-spelling"].values["spellings"])


def test_a_set_without_labels_is_silent() -> None:
    assert found(labelling, *many(20)) == {}
    assert found(labelling, *cells(内科_easy=6, 外科_hard=6)) == {}


def test_a_mixture_of_languages_is_told_and_counted() -> None:
    english = [ask(f"What is number {i}?", str(i)) for i in range(5)]
    assert found(languages, *many(10), *english)["language-mix"].values["mix"] == "zh 10, en 5"
    assert checked(*many(10), *english).languages == {"zh": 10, "en": 5}
    assert found(languages, *many(10)) == {}


def test_a_language_that_is_declared_wrong_is_found() -> None:
    rows = (
        ask("What is the capital of France?", "Paris", metadata={"language": "zh"}),
        ask("法国的首都在哪里？", "巴黎", metadata={"language": "en"}),
        ask("Translate into English: 头痛", "headache", metadata={"language": "en"}),
        ask("2+2=?", "4", metadata={"language": "zh"}),
        ask("BMI", "体重指数", metadata={"language": "zh"}),
    )
    assert found(languages, *rows)["wrong-language"].items == ("i0", "i1")
