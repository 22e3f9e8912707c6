"""`harness judge label|calibrate`: blind sheets that scripted people fill in, and what they make of a judge."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from harness.cli import main
from harness.errors import InputError
from harness.judge.labels.book import LabelBook
from harness.judge.labels.shown import open_draw, shown_rows
from harness.report.stored import read_comparison
from harness.runs.files import RunStore
from tests.engines.endpoint.server import Reply, chat, question, serving
from tests.judge.answers import JUDGE, RIGHT, gold, make_comparison, number_of, one, sides, wrong

ITEMS = 300

#: Of 300 pairs people prefer the candidate on 90 and the base on 150, and find 60 alike: -20 points.
TRUTH = -0.2


def people_prefer(n: int) -> str:
    turn = random.Random(n).random()
    return "candidate" if turn < 0.3 else "base" if turn < 0.8 else "tie"


def judge_prefers(n: int) -> str:
    """A judge with a taste of its own: on a third of the items it likes the candidate whatever people say."""
    return "candidate" if random.Random(f"taste {n}").random() < 0.35 else people_prefer(n)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison of 300 pairs, judged in pairs; made once and copied for each test."""
    place = tmp_path_factory.mktemp("judged")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        make_comparison(
            ITEMS,
            lambda n: f"甲{n}",
            lambda n: f"乙{n}",
            lambda n: {"metadata": {"topic": "内科" if n % 2 else "外科"}},
        )
        with serving(as_it_prefers(judge_prefers), models=JUDGE) as server:
            assert run("pairwise", comparison(), "--judge", f"openai:judge@{server.url}", "--json", "j.json") == 0
    return place


@pytest.fixture
def folder(judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A comparison of 300 pairs, judged in pairs."""
    place = tmp_path / "work"
    shutil.copytree(judged, place)
    monkeypatch.chdir(place)
    monkeypatch.setenv("COLUMNS", "220")
    capsys.readouterr()
    return place


def run(*arguments: str) -> int:
    return main(["judge", *arguments])


def comparison() -> str:
    return str(json.loads(Path("c.json").read_text())["id"])


def judging() -> str:
    return str(json.loads(Path("j.json").read_text())["id"])


def as_it_prefers(prefers: Callable[[int], str]) -> Callable[[dict[str, Any], int], Reply]:
    def script(body: dict[str, Any], nth: int) -> Reply:
        side = prefers(number_of(question(body)))
        first, _ = sides(body)
        shown = "base" if first.startswith("甲") else "candidate"
        verdict = "tie" if side == "tie" else "A" if side == shown else "B"
        return chat(f"Verdict: {verdict}", model="judge")

    return script


def rows(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def fill(sheet: str, filled: str, says: Callable[[dict[str, Any]], dict[str, str]]) -> None:
    """What an annotator does."""
    lines = [json.dumps(row | says(row), ensure_ascii=False) for row in rows(sheet)]
    Path(filled).write_text("\n".join(lines) + "\n")


def preference(row: dict[str, Any], prefers: Callable[[int], str] = people_prefer) -> dict[str, str]:
    side = prefers(number_of(row["question"]))
    shown = "base" if row["answer_a"].startswith("甲") else "candidate"
    return {"preference": "tie" if side == "tie" else "A" if side == shown else "B"}


def drawn(items: int = 80, *more: str) -> None:
    assert run("label", comparison(), "--output", "sheet.jsonl", "--items", str(items), *more) == 0


def calibrated(*sheets: str) -> dict[str, Any]:
    assert run("calibrate", judging(), *sheets, "--json", "cal.json") == 0
    found: dict[str, Any] = json.loads(Path("cal.json").read_text())
    return found


def test_a_sheet_is_blind(folder: Path) -> None:
    drawn(100)
    sheet = rows("sheet.jsonl")
    assert len(sheet) == 100
    assert set(sheet[0]) == {"row", "question", "reference", "answer_a", "answer_b", "preference", "note"}
    text = Path("sheet.jsonl").read_text()
    assert not re.search("replay|tuned|base|candidate|qa", text), "no name of anybody"
    first = [row["answer_a"].startswith("甲") for row in sheet]
    assert 30 <= sum(first) <= 70, "which answer stands first is tossed"
    numbers = [number_of(row["question"]) for row in sheet]
    assert numbers != sorted(numbers), "the order of the gold set says nothing"
    assert len(set(numbers)) == 100


def test_the_correction_finds_what_the_judge_alone_misses(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn(100)
    fill("sheet.jsonl", "wang.jsonl", preference)
    found = calibrated("wang.jsonl")
    (task,) = found["tasks"]
    (measure,) = task["measures"]
    corrected = measure["corrected"]
    truth = sum({"candidate": 1, "tie": 0, "base": -1}[people_prefer(n)] for n in range(ITEMS)) / ITEMS
    assert truth == pytest.approx(TRUTH, abs=0.05)
    low, high = corrected["judge_ci"]
    assert not low <= truth <= high, "the judge alone is sure of what is wrong"
    low, high = corrected["ci"]
    assert low <= truth <= high
    assert high - low < corrected["people_ci"][1] - corrected["people_ci"][0], "and tells more than people alone"
    assert (corrected["labelled"], corrected["unlabelled"]) == (100, 200)
    assert corrected["error"] > 0.2


def test_agreement_with_people_and_of_people_with_one_another(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def careless(n: int) -> str:
        return "tie" if random.Random(f"careless {n}").random() < 0.2 else people_prefer(n)

    drawn(100)
    fill("sheet.jsonl", "wang.jsonl", preference)
    fill("sheet.jsonl", "li.jsonl", lambda row: preference(row, careless))
    found = calibrated("wang.jsonl", "li.jsonl")
    agreement = found["tasks"][0]["measures"][0]["agreement"]
    numbers = [number_of(row["question"]) for row in rows("sheet.jsonl")]
    judge = [judge_prefers(n) for n in numbers]
    wang, li = [people_prefer(n) for n in numbers], [careless(n) for n in numbers]

    def same(first: list[str], second: list[str]) -> float:
        return sum(a == b for a, b in zip(first, second, strict=True)) / len(first)

    assert agreement["by_annotator"]["wang"]["accuracy"] == pytest.approx(same(judge, wang))
    assert agreement["by_annotator"]["li"]["accuracy"] == pytest.approx(same(judge, li))
    assert agreement["all"]["n"] == 200
    assert agreement["people"]["accuracy"] == pytest.approx(same(wang, li))
    assert agreement["people"]["kappa"] > agreement["all"]["kappa"]
    from statsmodels.stats.inter_rater import cohens_kappa

    labels = ["base", "tie", "candidate"]
    assert agreement["labels"] == labels
    said = list(zip([*wang, *li], [*judge, *judge], strict=True))
    counts = [[said.count((row, column)) for column in labels] for row in labels]
    assert agreement["confusion"] == counts
    assert agreement["all"]["kappa"] == pytest.approx(cohens_kappa(counts).kappa)
    topics = {part["value"]: part for part in agreement["by_slice"]}
    assert set(topics) == {"内科", "外科"}
    odd = [at for at, n in enumerate(numbers) if n % 2]
    assert topics["内科"]["n"] == 2 * len(odd)
    assert topics["内科"]["accuracy"] == pytest.approx(
        sum(same([judge[at] for at in odd], [who[at] for at in odd]) for who in (wang, li)) / 2
    )


def test_from_then_on_the_judging_is_shown_with_its_correction(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("show", judging(), "--lang", "en") == 0
    assert "uncalibrated judge" in capsys.readouterr().out
    drawn(60)
    fill("sheet.jsonl", "wang.jsonl", preference)
    capsys.readouterr()
    assert run("calibrate", judging(), "wang.jsonl", "--lang", "en") == 0
    out = capsys.readouterr().out
    assert run("show", judging(), "--lang", "en") == 0
    assert capsys.readouterr().out == out
    assert "uncalibrated judge" not in out
    assert "calibrated by wang on 60 items drawn at random" in out
    assert "Corrected by people" in out
    assert "Agreement of the judge with people" in out
    assert run("show", judging(), "--lang", "zh") == 0
    assert "用人的标注校正之后" in capsys.readouterr().out


def test_a_judge_that_is_partly_silent_is_corrected_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it could not read counts as no difference; people make up for it."""

    def script(body: dict[str, Any], nth: int) -> Reply:
        silent = number_of(question(body)) % 3 == 0
        return chat("No comment.", model="judge") if silent else as_it_prefers(people_prefer)(body, nth)

    with serving(script, models=JUDGE) as server:
        assert run("pairwise", comparison(), "--judge", f"openai:judge@{server.url}", "--json", "j.json") == 0
    drawn(100)
    fill("sheet.jsonl", "wang.jsonl", preference)
    (measure,) = calibrated("wang.jsonl")["tasks"][0]["measures"]
    silent = sum(number_of(row["question"]) % 3 == 0 for row in rows("sheet.jsonl"))
    assert measure["agreement"]["unread"] == silent > 0
    assert measure["agreement"]["all"] == {"n": 100 - silent, "accuracy": 1.0, "kappa": 1.0}
    truth = sum({"candidate": 1, "tie": 0, "base": -1}[people_prefer(n)] for n in range(ITEMS)) / ITEMS
    low, high = measure["corrected"]["ci"]
    assert low <= truth <= high


def test_excel_can_be_filled_in_and_answers_are_no_formulas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Grades, in Chinese and full width as people write them."""
    monkeypatch.chdir(tmp_path)
    make_comparison(30, lambda n: f"=1+{n}", lambda n: RIGHT.format(n=n) if n % 3 else wrong(n))
    with serving(
        lambda body, nth: chat(f"Grade: {'correct' if gold(body) in one(body) else 'wrong'}", model="judge"),
        models=JUDGE,
    ) as server:
        assert run("reference", comparison(), "--judge", f"openai:judge@{server.url}", "--json", "j.json") == 0
    asked = ["label", comparison(), "--mode", "reference", "--items", "30", "--output", "sheet.xlsx", "--lang", "zh"]
    assert run(*asked) == 0
    book = openpyxl.load_workbook("sheet.xlsx")
    page = book["labels"]
    heads = [cell.value for cell in page[1]]
    assert heads == ["row", "question", "reference", "answer", "grade", "note"]
    assert "回答与标准答案一致吗" in book["how"]["A1"].value
    formulas = 0
    for line in page.iter_rows(min_row=2):
        answer = line[heads.index("answer")]
        formulas += answer.data_type == "f"
        right = line[heads.index("reference")].value.splitlines()[0] in answer.value
        line[heads.index("grade")].value = " 正确 " if right else "ｗｒｏｎｇ"
    assert formulas == 0
    book.save("li.xlsx")
    (measure,) = calibrated("li.xlsx")["tasks"][0]["measures"]
    assert measure["agreement"]["all"]["accuracy"] == 1.0
    assert measure["agreement"]["weights"] == "quadratic"
    assert measure["corrected"]["estimate"] == pytest.approx(20 / 30, abs=0.001)
    assert measure["corrected"]["preferred"] == "candidate"


def test_a_rubric_is_calibrated_by_criterion_and_over_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The judge is a point too generous to right answers on one criterion; people correct it."""
    monkeypatch.chdir(tmp_path)
    make_comparison(60, wrong, lambda n: RIGHT.format(n=n) if n % 2 else wrong(n))

    def script(body: dict[str, Any], nth: int) -> Reply:
        right = gold(body) in one(body)
        said = {"correctness": 5 if right else 1, "instruction": 3, "clarity": 4}
        return chat(json.dumps(said), model="judge")

    def person(row: dict[str, Any]) -> dict[str, str]:
        right = row["reference"].splitlines()[0] in row["answer"]
        return {"correctness": "4" if right else "1", "instruction": "3", "clarity": "4"}

    with serving(script, models=JUDGE) as server:
        asked = ["rubric", comparison(), "--judge", f"openai:judge@{server.url}", "--json", "j.json"]
        assert run(*asked) == 0
    drawn(40, "--mode", "rubric", "--rubric", "general")
    assert "look_for" not in rows("sheet.jsonl")[0], "the gold set says nothing of its own"
    fill("sheet.jsonl", "wang.jsonl", person)
    found = {measure["name"]: measure for measure in calibrated("wang.jsonl")["tasks"][0]["measures"]}
    assert found["correctness"]["corrected"]["judge"] == pytest.approx(2.0)
    assert found["correctness"]["corrected"]["estimate"] == pytest.approx(1.5, abs=0.06)
    assert found["correctness"]["agreement"]["by_slice"] is not None
    assert found["overall"]["agreement"] is None
    assert found["overall"]["corrected"]["estimate"] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (
            lambda lines: [line | {"preference": ""} if at < 2 else line for at, line in enumerate(lines)],
            "2 of 20 rows",
        ),
        (lambda lines: lines[3:], "3 of 20 rows have no label"),
        (lambda lines: [*lines, lines[0] | {"preference": "tie"}], "contradict each other"),
        (lambda lines: [lines[0] | {"preference": "both"}, *lines[1:]], "'both' is no label"),
        (lambda lines: [lines[0] | {"row": "mine-1"}, *lines[1:]], "was not drawn by this tool"),
        (lambda lines: [lines[0] | {"row": lines[0]["row"][:13] + "9999"}, *lines[1:]], "was not drawn"),
        (lambda lines: [line | {"row": f"{'0' * 12}-{at:04d}"} for at, line in enumerate(lines, 1)], "is not in the"),
        (lambda lines: [], "there is no row"),
    ],
)
def test_sheets_that_calibrate_nothing(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
    says: str,
) -> None:
    drawn(20)
    lines = [{**row, **preference(row), "preference": "A"} for row in rows("sheet.jsonl")]
    spoilt = spoil(lines)
    Path("wang.jsonl").write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in spoilt))
    assert run("calibrate", judging(), "wang.jsonl") == 2
    assert says in capsys.readouterr().err


def test_hand_picked_items_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A draw that somebody wrote, with its digest right: its items are not what its seed draws."""
    from harness.judge.labels.drawing import Draw
    from harness.runs.files import RunStore

    drawn(20)
    store = RunStore("runs")
    (name,) = store.list_documents("draw")
    true = Draw.model_validate_json(store.read_document("draw", name))
    kept = [item for item in true.items if judge_prefers(int(item.item_id[1:])) == people_prefer(int(item.item_id[1:]))]
    picked = true.model_copy(
        update={
            "items": tuple(kept),
            "rows": tuple(row for row in true.rows if row.item_id in {item.item_id for item in kept}),
        }
    ).named()
    store.write_document("draw", picked.id, picked.to_json().encode())
    lines = [{"row": picked.row_name(at), "preference": "A"} for at in range(len(picked.rows))]
    Path("wang.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert run("calibrate", judging(), "wang.jsonl") == 2
    assert "not those that seed 0 draws" in capsys.readouterr().err


def test_a_draw_that_was_changed_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn(20)
    fill("sheet.jsonl", "wang.jsonl", preference)
    (path,) = Path("runs/draws").glob("*/draw.json")
    path.write_text(path.read_text().replace('"shown": "base"', '"shown": "candidate"', 1))
    assert run("calibrate", judging(), "wang.jsonl") == 2
    assert "was changed after it was drawn" in capsys.readouterr().err


def test_sheets_of_another_comparison_or_way_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn(20, "--mode", "reference")
    fill("sheet.jsonl", "wang.jsonl", lambda row: {"grade": "correct"})
    assert run("calibrate", judging(), "wang.jsonl") == 2
    assert "drawn for another way of judging" in capsys.readouterr().err


def test_annotators_and_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn(20)
    fill("sheet.jsonl", "wang.jsonl", preference)
    Path("other").mkdir()
    shutil.copy("wang.jsonl", "other/wang.jsonl")
    assert run("calibrate", judging(), "wang.jsonl", "other/wang.jsonl") == 2
    assert "two annotators are named 'wang'" in capsys.readouterr().err
    assert run("label", comparison(), "--output", "sheet.jsonl") == 2
    assert "may hold labels" in capsys.readouterr().err
    assert run("label", comparison(), "--output", "sheet.csv") == 2
    assert "neither .xlsx nor .jsonl" in capsys.readouterr().err
    assert run("label", comparison(), "--output", "s.jsonl", "--items", "1") == 2
    assert "at least 2" in capsys.readouterr().err


def test_who_draws_until_a_sheet_pleases_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in ("1", "2", "3"):
        Path("sheet.jsonl").unlink(missing_ok=True)
        drawn(20, "--seed", seed)
    fill("sheet.jsonl", "wang.jsonl", preference)
    assert calibrated("wang.jsonl")["draws"] == 3
    assert run("show", judging(), "--lang", "en") == 0
    assert "3 sheets of this kind were drawn" in capsys.readouterr().out


def label_in_the_dashboard(
    name: str, prefers: Callable[[int], str] = people_prefer, *, rows: int | None = None
) -> None:
    """What the page does for each key that is pressed."""
    store = RunStore("runs")
    (draw_id,) = store.list_documents("draw")
    draw = open_draw(store, draw_id)
    made = read_comparison(comparison(), "runs")
    sheet = shown_rows(draw, made, store, overrides={}, folder=Path(), language="zh").sheet
    book = LabelBook(store, draw)
    for position, texts in enumerate(sheet.rows[:rows]):
        book.add(name, position, preference(dict(zip(sheet.columns, texts, strict=True)), prefers))


def test_labels_of_the_dashboard_calibrate_as_those_of_sheets_do(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn(40)
    fill("sheet.jsonl", "wang.jsonl", preference)
    of_sheet = calibrated("wang.jsonl")
    label_in_the_dashboard("wang")
    label_in_the_dashboard("li", rows=30)
    capsys.readouterr()
    assert calibrated() | {"created": None} == of_sheet | {"created": None}
    assert "left out: li: 30 of 40 rows are labelled" in capsys.readouterr().err


def test_a_draw_without_a_sheet_is_labelled_in_the_dashboard(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("calibrate", judging()) == 2
    assert "nobody has labelled a draw for this judging" in capsys.readouterr().err
    assert run("label", comparison(), "--items", "20") == 0
    assert "label it with harness dashboard" in capsys.readouterr().out
    label_in_the_dashboard("wang", rows=5)
    assert run("calibrate", judging()) == 2
    assert "nobody has labelled all 20 rows (wang 5)" in capsys.readouterr().err
    label_in_the_dashboard("wang")
    label_in_the_dashboard("li", lambda n: "tie")
    assert calibrated()["annotators"] == ["li", "wang"]


def test_of_two_draws_that_were_labelled_one_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("label", comparison(), "--items", "4") == 0
    label_in_the_dashboard("wang")
    store = RunStore("runs")
    (first,) = store.list_documents("draw")
    assert run("label", comparison(), "--items", "4", "--seed", "1") == 0
    (second,) = set(store.list_documents("draw")) - {first}
    LabelBook(store, open_draw(store, second)).add("li", 0, {"preference": "A"})
    assert run("calibrate", judging()) == 2
    assert first in capsys.readouterr().err
    assert run("calibrate", judging(), "--draw", first) == 0
    assert run("calibrate", judging(), "wang.jsonl", "--draw", first) == 2


def test_rows_whose_question_has_changed_cannot_be_labelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_comparison(20, lambda n: f"甲{n}", lambda n: f"乙{n}")
    assert run("label", comparison(), "--items", "20") == 0
    first, *rest = Path("qa.jsonl").read_text().splitlines()
    Path("qa.jsonl").write_text("\n".join([first.replace("是什么", "是啥"), *rest]) + "\n")
    with pytest.raises(InputError, match="1 of 20 rows cannot be shown"):
        label_in_the_dashboard("wang")
