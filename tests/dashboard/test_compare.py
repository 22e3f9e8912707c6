"""Items, pairs and ad-hoc comparisons say what `harness compare` said."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.report.words import EN
from harness.review.answers import answers_of
from harness.review.contests import any_contests, number_rows, stored_contests
from harness.review.diff import difference, words_of
from harness.review.export import selection_csv
from harness.review.gold import gold_of
from harness.review.items import Side, item_views
from harness.review.pairs import ItemFilter, Paired
from harness.review.store import ReviewStore
from tests.dashboard.conftest import HOSTILE, Workspace


@pytest.fixture(scope="module")
def store(workspace: Workspace) -> ReviewStore:
    return workspace.open()


def test_lost_gained_and_different_items_are_those_of_the_comparison_in_its_order(
    store: ReviewStore, workspace: Workspace
) -> None:
    stored = store.catalog().comparison(workspace.comparisons["medical"])
    assert stored is not None
    seen = 0
    for contest in stored_contests(stored):
        for result in contest.raw.results:
            paired = contest.paired(result.task, result.metric)
            found = {
                kind: [one.item_id for one in store.pairs.page(paired, ItemFilter(kind), offset=0, limit=999).items]
                for kind in ("lost", "gained", "different")
            }
            assert found["lost"] == list(result.lost)
            assert found["gained"] == list(result.gained)
            assert not set(found["different"]) & {*result.lost, *result.gained}
            assert store.pairs.counts(paired)["all"] == result.n
            seen += len(found["lost"])
    assert seen > 50


def test_pages_follow_each_other_without_a_gap(store: ReviewStore, workspace: Workspace) -> None:
    stored = store.catalog().comparison(workspace.comparisons["medical"])
    assert stored is not None
    paired = stored_contests(stored)[0].paired("general-retention", "exact")
    whole = store.pairs.page(paired, ItemFilter("lost"), offset=0, limit=999)
    parts = [
        item
        for offset in range(0, whole.total, 10)
        for item in store.pairs.page(paired, ItemFilter("lost"), offset=offset, limit=10).items
    ]
    assert tuple(parts) == whole.items


def test_filters_narrow_by_slice_and_by_text_as_it_stands(store: ReviewStore, workspace: Workspace) -> None:
    stored = store.catalog().comparison(workspace.comparisons["medical"])
    assert stored is not None
    paired = stored_contests(stored)[0].paired("general-retention", "exact")
    everything = store.pairs.counts(paired)["all"]
    chinese = store.pairs.page(paired, ItemFilter("all", (("language", "zh"),)), offset=0, limit=999)
    assert 0 < chinese.total < everything
    assert all(item.slices["language"] == "zh" for item in chinese.items)
    found = store.pairs.page(paired, ItemFilter("all", (), "首都"), offset=0, limit=999)
    answers = answers_of(store.query, store.catalog().runs[paired.base], paired.task, [i.item_id for i in found.items])
    assert found.total > 0
    assert all("首都" in answers[item.item_id][0].prompt for item in found.items)
    assert store.pairs.page(paired, ItemFilter("all", (), "100%_"), offset=0, limit=9).total == 0, "no wildcards"
    assert sum(cell.n for cell in store.pairs.cells(paired) if cell.key == "difficulty") == everything


def test_two_runs_compared_here_get_the_results_of_harness_compare(store: ReviewStore, workspace: Workspace) -> None:
    catalog = store.catalog()
    stored = catalog.comparison(workspace.comparisons["medical"])
    assert stored is not None
    compared = stored.comparison.comparisons[0]
    (found,) = any_contests(store.comparing, catalog, compared.run_ids.base, [compared.run_ids.candidate])
    assert found.stored
    made = store.comparing.make(catalog.runs[compared.run_ids.base], catalog.runs[compared.run_ids.candidate])
    for ours, theirs in zip(made.comparisons[0].results, compared.results, strict=True):
        # The base was not asked again here, so there is no measure of noise.
        assert ours == theirs.model_copy(update={"noise": None})


def test_runs_that_were_never_compared_can_be(store: ReviewStore, workspace: Workspace) -> None:
    catalog = store.catalog()
    runs = {run.candidate.name: run.id for run in catalog.runs.values() if run.suite == "medical"}
    (found,) = any_contests(store.comparing, catalog, runs["lora_model_medical"], [runs["lora_model_medical_mix"]])
    assert not found.stored
    verdicts = {row.result.task: row.result.verdict for row in number_rows([found], EN) if row.result.primary}
    assert verdicts["general-retention"] == "improved", "the mixed one kept what the other lost"


def test_runs_of_two_suites_are_refused_with_both_names(store: ReviewStore) -> None:
    catalog = store.catalog()
    by_suite = {run.suite: run.id for run in catalog.runs.values()}
    with pytest.raises(InputError, match=r"'medical'.*'hostile'"):
        any_contests(store.comparing, catalog, by_suite["medical"], [by_suite["hostile"]])


def test_words_are_cut_in_chinese_and_joined_are_the_text() -> None:
    text = "患者应首先使用青霉素治疗，dose 20.5 mg。\n第二行"
    assert "".join(words_of(text)) == text
    both = difference("患者应使用青霉素治疗，20 mg。", "患者应使用阿莫西林治疗，500 mg。")
    assert [piece.text for piece in both.left if piece.own] == ["青霉素", "20"]
    assert [piece.text for piece in both.right if piece.own] == ["阿莫西林", "500"]
    assert "".join(piece.text for piece in both.right) == "患者应使用阿莫西林治疗，500 mg。"
    assert all(not piece.own for piece in difference("同", "同").left)


def test_an_item_shows_gold_picture_scores_and_the_judges_words_in_both_orders(
    store: ReviewStore, workspace: Workspace
) -> None:
    catalog = store.catalog()
    stored = catalog.comparison(workspace.comparisons["hostile"])
    assert stored is not None
    (contest,) = stored_contests(stored)
    paired = contest.paired("hostile", "exact")
    items = store.pairs.page(paired, ItemFilter("lost"), offset=0, limit=99).items
    ids = [item.item_id for item in items]
    assert set(ids) == set(HOSTILE)
    record = catalog.runs[paired.base].tasks[0]
    views = item_views(
        items,
        "exact",
        Side("base", answers_of(store.query, catalog.runs[paired.base], "hostile", ids)),
        [Side("evil", answers_of(store.query, catalog.runs[paired.candidate], "hostile", ids))],
        kind="lost",
        gold=gold_of(record, items, store.gold),
        judged=store.judged.of(catalog, contest.comparison, contest.raw.candidate, "hostile", ids),
    )
    by_id = {view.item_id: view for view in views}
    script = by_id["script"]
    assert script.gold is not None
    assert script.gold.answer == ("plain",)
    (picture,) = script.gold.pictures
    assert picture.startswith("data:image/jpeg;base64,")
    assert [side.score for side in script.sides] == [1.0, 0.0]
    (judge,) = script.judges
    assert judge.outcome == "base"
    assert judge.reasons is not None
    assert {reason.side for reason in judge.reasons} == {"base", "candidate"}
    assert all("plain" in reason.text for reason in judge.reasons)
    long = by_id["long"].sides[1].answer
    assert long is not None
    assert (len(long.output), long.characters) == (4_000, 1_000_000), "what is not shown is not read"


def test_a_picture_outside_its_gold_set_is_not_shown(workspace: Workspace, tmp_path: Path) -> None:
    """The gold set is edited after the run, to name a file of this machine: nothing of it is shown."""
    store = workspace.open()
    catalog = store.catalog()
    run = next(run for run in catalog.runs.values() if run.suite == "hostile")
    source = tmp_path / "goldsets"
    source.mkdir()
    lines = (workspace.folder / "goldsets" / "hostile.jsonl").read_text()
    (source / "hostile.jsonl").write_text(lines.replace("pictures/one.png", "../../etc/logo.png"))
    elsewhere = ReviewStore(str(workspace.store), tmp_path, {})
    record = run.tasks[0].model_copy(update={"goldset_path": str(source / "hostile.jsonl"), "goldset": "hostile.jsonl"})
    paired = Paired(run.id, run.id, "hostile", "exact")
    items = elsewhere.pairs.page(paired, ItemFilter("all"), offset=0, limit=99).items
    assert gold_of(record, items, elsewhere.gold) == {}


def test_an_exported_selection_holds_no_formula(store: ReviewStore, workspace: Workspace) -> None:
    stored = store.catalog().comparison(workspace.comparisons["hostile"])
    assert stored is not None
    (contest,) = stored_contests(stored)
    data = selection_csv(store, contest, contest.paired("hostile", "exact"), ItemFilter("lost"))
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert {row["item_id"] for row in rows} == set(HOSTILE)
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@"))]
    assert "'=HYPERLINK" in data.decode("utf-8-sig")
    assert not [cell for cell in cells if "\x1b" in cell or "\u202e" in cell]
    assert max(map(len, cells)) < 32_767, "Excel's limit"
