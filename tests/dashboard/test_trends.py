"""Trends: what is joined, what is news, what breaks the line."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.review.releases import Releases
from harness.review.store import ReviewStore
from harness.review.trends import Asked, Change, TaskTrend, build_trends, candidates, histories, summary
from tests.dashboard.conftest import Workspace, dashboard
from tests.dashboard.history import History, history
from tests.dashboard.test_pages import Open, text, visit

__all__ = ["history", "visit"]


def trends_of(store: ReviewStore, suite: str = "history") -> dict[str, TaskTrend]:
    catalog = store.catalog(now=True)
    asked = histories(catalog, suite)[0]
    names = candidates(catalog, suite, asked)
    found = build_trends(catalog, store.releases, store.changes, suite, asked, names)
    return {trend.task: trend for trend in found}


def test_a_step_is_news_only_outside_the_noise_and_an_edited_suite_breaks_the_line(history: History) -> None:
    trends = trends_of(history.open())
    assert [point.step for point in trends["skills"].points] == ["first", "noise", "better", "noise", "apart"]
    assert [point.step for point in trends["general"].points] == ["first", "noise", "noise", "worse", "apart"]
    assert [point.joined for point in trends["skills"].points] == [None, 0, 1, 2, None]
    assert trends["skills"].last.why == "suite"
    assert [point.released for point in trends["skills"].points] == [False, False, True, False, False]
    assert set(summary(list(trends.values()))) == {"apart"}


def test_runs_of_one_second_keep_the_order_in_which_they_were_made(history: History) -> None:
    for trend in trends_of(history.open()).values():
        times = [point.at for point in trend.points]
        assert len(set(times)) == len(times) == 5
        assert [point.candidate for point in trend.points] == [f"replay:v{n}.jsonl" for n in (1, 2, 3, 4, 3)]


def test_the_change_is_paired_item_by_item_and_its_wedge_holds_what_is_no_news(history: History) -> None:
    for trend in trends_of(history.open()).values():
        for point in trend.points:
            if point.change is None or point.joined is None:
                continue
            before = trend.points[point.joined].result.candidate
            assert before is not None
            assert point.result.candidate == pytest.approx(before + point.change.delta)
            assert point.change.paired
            low, high = point.change.band
            assert (low <= point.change.delta <= high) is (point.step == "noise")


def test_pruned_answers_leave_no_line_across_what_nobody_can_tell(history: History, tmp_path: Path) -> None:
    shutil.copytree(history.store, tmp_path / "store")
    for run in (tmp_path / "store").glob("replay_v2*"):
        shutil.rmtree(run)
    trends = trends_of(ReviewStore(str(tmp_path / "store"), history.folder, {}))
    points = {point.candidate: point for point in trends["skills"].points if point.why != "suite"}
    assert points["replay:v2.jsonl"].why == "unknown"
    assert points["replay:v3.jsonl"].step == "better", "it is joined to the first, which is still here"


def test_what_batching_moves_is_no_news_however_narrow_the_interval() -> None:
    assert Change(0.02, (0.01, 0.03), 0.001, rebatched=0.0, paired=True).news
    assert not Change(0.02, (0.01, 0.03), 0.001, rebatched=0.04, paired=True).news
    assert Change(0.02, (0.01, 0.03), 0.001, rebatched=0.04, paired=True).band == (-0.04, 0.04)
    assert not Change(0.02, None, None, rebatched=0.0, paired=False).news


def test_halves_and_draws_have_histories_of_their_own(workspace: Workspace) -> None:
    catalog = workspace.open().catalog()
    assert histories(catalog, "medical") == [Asked(part=None, limit=120)]
    assert histories(catalog, "hostile") == [Asked(part=None, limit=None)]


def test_a_rejection_takes_the_mark_away(history: History, tmp_path: Path) -> None:
    shutil.copytree(history.store, tmp_path / "store")
    store = ReviewStore(str(tmp_path / "store"), history.folder, {})
    stored = store.catalog().comparison(history.released)
    assert stored is not None
    assert Releases(store.runs).approved(stored.comparison) == {"replay:v3.jsonl"}
    file = tmp_path / "store" / "comparisons" / history.released / "signoffs.jsonl"
    file.write_text("no sign-off\n", encoding="utf-8")
    assert Releases(store.runs).approved(stored.comparison) == frozenset()


def test_the_page_says_what_is_news_and_what_to_do_without_any(visit: Open, history: History, tmp_path: Path) -> None:
    shown = text(visit(history.settings, "trends"))
    assert "not comparable" in shown
    assert "line breaks: suite edited" in shown
    assert "within noise" in shown
    assert "released" in shown
    empty = history.settings.model_copy(update={"store": str(tmp_path)})
    assert "harness compare BASE CANDIDATE" in text(visit(empty, "trends"))


def test_charts_are_drawn_in_a_browser_in_both_languages(page: Any, history: History) -> None:
    with dashboard(history.folder, "--store", str(history.store)) as served:
        page.goto(f"{served.url}/trends?lang=en")
        page.wait_for_selector('[data-testid="stVegaLiteChart"] svg', timeout=60_000)
        page.wait_for_selector('tr[data-step="worse"]')
        drawn = page.locator('[data-testid="stVegaLiteChart"]').first
        drawn.get_by_text("suite edited").wait_for()
        drawn.get_by_text("released").wait_for()
        page.goto(f"{served.url}/trends?lang=zh")
        page.wait_for_selector("text=波动之内")
