"""The pages through `streamlit.testing`: what they say of a store that is whole, empty, broken or protected."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from harness.review.preferences import remembered
from harness.review.settings import VARIABLE, Settings
from tests.dashboard.conftest import ROOT, Workspace

APP = str(ROOT / "dashboard" / "app.py")
ALONE = """
from dashboard import {page}
from dashboard.frame import Page
from harness.review.settings import Settings
from harness.review.store import open_store
from harness.review.words import page_words
found = Settings.found()
page = Page(found, open_store(found), "en", page_words("en"))
page.attempt(lambda: {page}.draw(page))
"""
Open = Callable[..., AppTest]


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open the app as a visitor with an address of these parameters."""

    def open_(settings: Settings, page: str = "overview", **query: str) -> AppTest:
        monkeypatch.setenv(VARIABLE, settings.model_dump_json())
        # Streamlit's tests know no pages that are functions, so the others are drawn by themselves.
        app = AppTest.from_file(APP) if page == "overview" else AppTest.from_string(ALONE.format(page=page))
        app.default_timeout = 60
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        return app

    return open_


def html(app: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in app.main.get("html"))


def text(app: AppTest) -> str:
    bare = re.sub(r"<style>.*?</style>|<[^>]+>", " ", html(app), flags=re.S)
    return " ".join(bare.split())


def cards(app: AppTest) -> dict[str, str]:
    """Outlooks by candidate and suite, in the order of the page."""
    return {
        f"{suite}/{name}": outlook
        for part in re.split(r'(?=<div class="hx-head">\s*<h2)', html(app))
        for suite in re.findall(r'<h2 class="hx-name">(.*?)</h2>', part)[:1]
        for outlook, name in re.findall(r'data-outlook="(\w+)".*?<h3 class="hx-name">(.*?)</h3>', part, re.S)
    }


def test_a_candidate_that_lost_a_guard_is_alarming_however_good_its_target(visit: Open, workspace: Workspace) -> None:
    app = visit(workspace.settings)
    assert cards(app)["medical/lora_model_medical"] == "lost_ability"
    assert cards(app)["medical/lora_model_medical_mix"] == "better"
    card = re.search(r'<article class="hx-card hx-tone-red" data-outlook="lost_ability">.*?</article>', html(app), re.S)
    assert card is not None
    head = card[0].split("</header>")[0]
    assert "Lost general ability" in head
    assert "general-retention" in head, "the lost guards stand in the head of the card"


def test_identical_answers_are_called_identical_everywhere(visit: Open, workspace: Workspace) -> None:
    app = visit(workspace.settings)
    assert cards(app)["same/base"] == "identical"
    assert "identical answers on all 1 guards" in text(app)
    (card,) = re.findall(r'<article[^>]*data-outlook="identical">.*?</article>', html(app), re.S)
    assert re.findall(r'hx-chip hx-tone-\w+">\s*(\w+)\s*</span>', card.split("</header>")[1]) == ["identical"]


def test_five_items_cannot_decide_and_say_how_many_would(visit: Open, workspace: Workspace) -> None:
    app = visit(workspace.settings)
    (card,) = re.findall(r'<article[^>]*data-outlook="unsure">.*?</article>', html(app), re.S)
    assert "Cannot tell yet" in card
    assert re.search(r"about \d+ more items would decide it", card)
    assert "n 5" in card


def test_what_the_doctor_failed_stands_on_top(visit: Open, workspace: Workspace, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(workspace.store, store, ignore=shutil.ignore_patterns("completions.sqlite*"))
    (file,) = store.glob("comparisons/medical-*/comparison.json")
    content = json.loads(file.read_text())
    finding = {"probe": "adapter-has-effect", "status": "fail", "detail": "all <b>zero</b>", "remedy": "Train it."}
    content["comparisons"][1]["doctor"] = [finding]
    file.write_text(json.dumps(content))
    app = visit(workspace.settings.model_copy(update={"store": str(store)}))
    assert cards(app)["medical/lora_model_medical_mix"] == "doctor", "whatever the scores are"
    alarm = html(app).index('class="hx-alarm"')
    assert alarm < html(app).index("hx-card")
    assert "all &lt;b&gt;zero&lt;/b&gt;. Train it." in html(app)


def test_an_empty_store_says_how_to_make_a_first_comparison(visit: Open, tmp_path: Path) -> None:
    app = visit(Settings(store=str(tmp_path), folder=tmp_path))
    assert "The store is empty" in text(app)
    assert f"harness compare BASE CANDIDATE --suite medical --store {tmp_path}" in text(app)


def test_what_cannot_be_read_is_listed_with_what_to_do(visit: Open, workspace: Workspace, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(workspace.store, store, ignore=shutil.ignore_patterns("completions.sqlite*"))
    (file,) = store.glob("comparisons/five-*/comparison.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | {"schema": 7, "harness_version": "8.0"}))
    next(store.glob("base-same-*/samples.parquet")).unlink()
    app = visit(workspace.settings.model_copy(update={"store": str(store)}))
    assert "2 entries of the store cannot be shown" in text(app)
    assert "pip install -U 'finetune-harness>=8.0'" in text(app).replace("&#39;", "'").replace("&gt;", ">")
    assert "the file samples.parquet is missing" in text(app)
    assert "medical/lora_model_medical" in cards(app)


def test_a_comparison_whose_runs_were_pruned_keeps_its_numbers(
    visit: Open, workspace: Workspace, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    shutil.copytree(
        workspace.store, store, ignore=shutil.ignore_patterns("completions.sqlite*", "lora_model_medical-*")
    )
    settings = workspace.settings.model_copy(update={"store": str(store)})
    assert "Some of its runs were pruned" in text(visit(settings))
    app = visit(settings, "compare", comparison=workspace.comparisons["medical"])
    assert "lost general ability on general-retention" in text(app)
    assert "The answers are gone: the runs lora_model_medical-" in text(app)
    assert "hx-item" not in html(app)


def test_a_run_that_breaks_while_it_is_looked_at_is_told_in_its_place(
    visit: Open, workspace: Workspace, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    shutil.copytree(workspace.store, store, ignore=shutil.ignore_patterns("completions.sqlite*"))
    (broken,) = store.glob("lora_model_medical-medical-*/samples.parquet")
    broken.write_bytes(b"PAR1" + b"\0" * 64 + b"PAR1")
    settings = workspace.settings.model_copy(update={"store": str(store)})
    app = visit(settings, "compare", comparison=workspace.comparisons["medical"])
    assert "lost general ability on general-retention" in text(app), "the numbers stand"
    assert f"run {broken.parent.name} cannot be read" in text(app)


def test_the_language_is_that_of_the_address_then_of_the_last_visit_then_of_the_machine(
    visit: Open, workspace: Workspace, tmp_path: Path
) -> None:
    settings = workspace.settings.model_copy(update={"preferences": tmp_path / "cache" / "dashboard.json"})
    app = visit(settings)
    assert "Overview" in text(app)
    app.sidebar.get("button_group")[0].set_value("zh").run()
    assert "总览" in text(app)
    assert remembered(settings.preferences) == "zh"
    assert "总览" in text(visit(settings)), "the next visit"
    assert "Overview" in text(visit(settings, lang="en"))


def test_nothing_is_seen_without_the_token(visit: Open, workspace: Workspace) -> None:
    settings = workspace.settings.model_copy(update={"token": "s3cret-token"})
    for query in ({}, {"token": "s3cret-toke"}, {"token": "wrong"}):
        app = visit(settings, **query)
        said = text(app) + " ".join(str(one.value) for one in app.get("alert"))
        assert "medical" not in said
        assert str(workspace.store) not in json.dumps([str(element) for element in app.main])
        assert not app.get("page_link")
    app = visit(settings, token="s3cret-token")
    assert "medical/lora_model_medical" in cards(app)
    assert "token" not in app.query_params, "it does not stay in the address"


def test_a_typed_token_admits(visit: Open, workspace: Workspace) -> None:
    app = visit(workspace.settings.model_copy(update={"token": "s3cret-token"}))
    app.text_input[0].set_value("s3cret-token").run()
    assert "medical/lora_model_medical" in cards(app)
