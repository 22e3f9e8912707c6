"""The gold sets in the tree are what the script writes, and their cards tell the truth."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from harness.demo import goldsets
from harness.demo.facts import load
from harness.gold.goldset import GoldSet, load_goldset
from harness.scorers.exact import Exact
from harness.scorers.number import Number

FOLDER = Path(__file__).parents[2] / "goldsets"
LEAST = {"medical-qa": 150, "general-retention": 300, "arithmetic-mini": 300}


@pytest.fixture(params=goldsets.NAMES)
def goldset(request: pytest.FixtureRequest) -> GoldSet:
    return load_goldset(str(FOLDER / f"{request.param}.jsonl"))


def test_files_are_what_the_script_writes(tmp_path: Path) -> None:
    goldsets.write(tmp_path)
    for name in goldsets.NAMES:
        for suffix in ("jsonl", "yaml"):
            file = f"{name}.{suffix}"
            assert (FOLDER / file).read_bytes() == (tmp_path / file).read_bytes(), (
                f"{file} is out of date: run `python -m harness.demo.build --only goldsets`"
            )


def test_card_is_true(goldset: GoldSet) -> None:
    assert goldset.card is not None
    assert goldset.warnings == ()
    assert goldset.card.digest == goldset.digest
    assert goldset.card.items == len(goldset.items)
    assert goldset.card.counts == goldset.counts()
    assert goldset.card.licence == "Apache-2.0"
    assert set(goldset.card.languages) == {item.language for item in goldset.items}


def test_size_tiers_and_metadata(goldset: GoldSet) -> None:
    assert len(goldset.items) >= LEAST[goldset.name]
    tiers = Counter(item.metadata["difficulty"] for item in goldset.items)
    assert set(tiers) == {"easy", "medium", "hard"}
    assert min(tiers.values()) >= 50
    assert len({item.id for item in goldset.items}) == len({item.text for item in goldset.items}) == len(goldset.items)
    for item in goldset.items:
        assert set(item.metadata) == {"topic", "difficulty", "language", "reference"}
        assert "{" not in item.text


def test_every_canonical_answer_is_right(goldset: GoldSet) -> None:
    scorer = Number() if goldset.name == "arithmetic-mini" else Exact()
    for item in goldset.items:
        assert scorer.score(item, item.answer[0])[0].value == 1.0, item


def test_breadth() -> None:
    medical = load_goldset(str(FOLDER / "medical-qa.jsonl"))
    assert len(medical.counts()) >= 8
    assert medical.card is not None
    assert "Not reviewed by a clinician" in medical.card.notes
    general = load_goldset(str(FOLDER / "general-retention.jsonl"))
    assert set(general.counts()) == {
        "world-knowledge",
        "chinese-language",
        "common-sense",
        "instruction-following",
        "translation",
    }
    for name in ("general-retention", "arithmetic-mini"):
        assert {item.language for item in load_goldset(str(FOLDER / f"{name}.jsonl")).items} == {"zh", "en"}


def test_worked_solutions_add_up() -> None:
    """Every line of a solution is a true equation (percentages and fractions included)."""
    for item in goldsets.generate("arithmetic-mini").items:
        *lines, last = item.answer[0].split("\n")
        for line in lines:
            values = {eval(_python(side), {"__builtins__": {}}) for side in line.split("=")}
            assert max(values) - min(values) < 1e-6, (item.id, line)
        assert last == f"#### {lines[-1].rsplit('=', 1)[1]}"


def _python(side: str) -> str:
    return side.replace("×", "*").replace("÷", "/").replace("%", "/100")


def test_questions_that_exact_match_cannot_score_are_not_asked() -> None:
    relations = {relation.name: relation for relation in load("general").relations}
    asked = {item.metadata["reference"] for item in goldsets.generate("general-retention").items}
    for name in goldsets.NOT_ASKED:
        assert not asked & {relations[name].statement(x) for x in relations[name].facts}
