"""Multiple choice in a suite: what is valid, what an item must have, how it is asked, and what guessing scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.answers.direct import conversation
from harness.errors import InputError
from harness.gold.item import Item
from harness.runs.plan import Options
from harness.runs.planning.tasks import load_tasks
from harness.suites.choices import floor_of
from harness.suites.spec import Suite, Task

OPTIONS = ["蔗糖", "氯化钠", "酒精", "葡萄糖"]
ROW = {"id": "q1", "question": "哪项是电解质？", "choices": OPTIONS, "answer": "B"}
LETTERS = {"answer": "loglikelihood", "scorers": [{"choice": {"method": "loglikelihood"}}]}
TEXTS = {"answer": "loglikelihood", "scorers": [{"choice": {"method": "loglikelihood", "options": "text"}}]}
GENERATED = {"scorers": ["choice"]}


def task(**given: Any) -> Task:
    return Task.model_validate(
        {"name": "mc", "role": "guard", "goldset": "set.jsonl", "primary": "choice", **GENERATED, **given}
    )


def load(folder: Path, rows: list[dict[str, Any]], **given: Any) -> Any:
    (folder / "set.jsonl").write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), encoding="utf-8")
    return load_tasks(Suite(name="s", tasks=(task(**given),)), folder, Options())


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"answer": "loglikelihood"}, "does not go with the scorer 'choice', which reads generated texts"),
        ({**LETTERS, "answer": "generate"}, "does not go with the scorer 'choice', which reads likelihoods"),
        ({**LETTERS, "scorers": [*LETTERS["scorers"], "exact"]}, "the scorer 'exact', which reads generated texts"),
        ({"answer": "likelihood"}, "Input should be 'generate' or 'loglikelihood'"),
    ],
)
def test_scorers_must_read_what_the_task_answers(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match="answer") as caught:
        task(**given)
    assert says in str(caught.value)


@pytest.mark.parametrize("given", [GENERATED, LETTERS, TEXTS], ids=["generated", "letters", "texts"])
@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({**ROW, "answer": "E"}, "the answer 'E' is neither a letter from A to D nor the text of an option"),
        ({**ROW, "answer": "食盐"}, "the answer '食盐' is neither a letter"),
        ({k: v for k, v in ROW.items() if k != "choices"}, "there are no 'choices' to choose from"),
    ],
)
def test_an_item_that_cannot_be_answered_is_refused_before_anything_starts(
    tmp_path: Path, given: dict[str, Any], row: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, [{**ROW, "id": "fine"}, row], **given)
    assert says in str(caught.value)
    assert f"{tmp_path / 'set.jsonl'}: item 'q1'" in str(caught.value)


def test_likelihoods_cannot_choose_several_letters_together(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"item 'q1'.*several options are right together \(ABD\)"):
        load(tmp_path, [{**ROW, "answer": "ABD"}], **LETTERS)
    assert load(tmp_path, [{**ROW, "answer": "ABD"}], **GENERATED)


def test_a_prompt_that_hides_the_options_is_refused_for_letters_only(tmp_path: Path) -> None:
    for given in (GENERATED, LETTERS):
        with pytest.raises(InputError, match=r"does not show the options.*\{choices\}"):
            load(tmp_path, [ROW], prompt="{question}", **given)
    assert load(tmp_path, [ROW], prompt="{question}", **TEXTS)
    shown = {**ROW, "question": "哪项是电解质？A. 蔗糖 B. 氯化钠 C. 酒精 D. 葡萄糖"}
    assert load(tmp_path, [shown], prompt="{question}", **LETTERS)


def test_a_prompt_that_asks_for_options_needs_items_that_have_them(tmp_path: Path) -> None:
    plain = {"question": "1 + 1?", "answer": "2"}
    with pytest.raises(InputError, match="asks for 'choices', but there are none"):
        load(tmp_path, [plain], scorers=["exact"], primary="exact", prompt="{question}\n{choices}")


def test_without_a_prompt_the_options_are_shown_and_a_letter_is_asked_for() -> None:
    (turn,) = conversation(Item.model_validate(ROW), task())
    assert turn.content == "哪项是电解质？\nA. 蔗糖\nB. 氯化钠\nC. 酒精\nD. 葡萄糖\n请只回答正确选项的字母。"
    english = Item(question="Which conducts?", choices=("salt", "sugar"), answer="A")
    (turn,) = conversation(english, task())
    assert turn.content == (
        "Which conducts?\nA. salt\nB. sugar\nAnswer with the letter of the right option only."
    )  # fmt: skip
    (turn,) = conversation(english, task(**TEXTS))
    assert turn.content == "Which conducts?", "weighed texts need not be shown"


def test_a_question_that_looks_like_a_template_is_left_alone() -> None:
    item = Item(question="What is {choices} in {context}?", choices=("x", "{question}"), answer="A")
    (turn,) = conversation(item, task(prompt="{question}\n{choices}"))
    assert turn.content == "What is {choices} in {context}?\nA. x\nB. {question}"


def test_the_floor_is_chance_unless_the_suite_says_otherwise(tmp_path: Path) -> None:
    two = {"question": "Which?", "choices": ["x", "y"], "answer": "A"}
    (loaded,) = load(tmp_path, [ROW, two])
    assert loaded.floor == (0.25 + 0.5) / 2
    (loaded,) = load(tmp_path, [ROW, two], floor=0.1)
    assert loaded.floor == 0.1
    (loaded,) = load(tmp_path, [ROW, two], floor=0.0)
    assert loaded.floor == 0.0
    plain = task(scorers=["exact"], primary="exact")
    assert floor_of(plain, [Item.model_validate(ROW)]) == 0.0


def test_the_identity_of_other_suites_is_what_it_was() -> None:
    # Computed by version 0.1.0, before tasks could have options.
    plain = {"name": "qa", "role": "guard", "goldset": "set.jsonl", "scorers": ["exact"], "primary": "exact"}
    suite = Suite.model_validate({"name": "my-suite", "tasks": [plain]})
    assert suite.digest == "f1b2221d32a02d1ad4e2d453e545e54bf023f25619a50f82eb5cffaaa2dc9bc6"


def test_the_way_of_answering_is_part_of_a_suites_identity() -> None:
    digests = {Suite(name="s", tasks=(task(**given),)).digest for given in (GENERATED, LETTERS, TEXTS)}
    assert len(digests) == 3
    stated = {Suite(name="s", tasks=(task(floor=floor),)).digest for floor in (None, 0.25)}
    assert len(stated) == 2
    assert Suite(name="s", tasks=(task(optional=True),)).digest == Suite(name="s", tasks=(task(),)).digest
