"""Suites: what is valid, what defaults to what, and faults with their key."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import InputError
from harness.suites.spec import Suite, Task, list_suites, load_suite

LEAST = """
name: my-suite
tasks:
  - name: qa
    role: guard
    goldset: set.jsonl
    scorers: [exact]
    primary: exact
    margin: 0.02
"""


def suite_file(folder: Path, text: str) -> Path:
    path = folder / "suite.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_least_valid_suite_is_enough(tmp_path: Path) -> None:
    suite, folder = load_suite(suite_file(tmp_path, LEAST))
    assert suite.tasks[0].must == "hold"
    assert suite.tasks[0].max_error_rate == 0.01
    assert folder == tmp_path


def test_a_target_must_improve_unless_told_otherwise() -> None:
    common = {"name": "t", "role": "target", "goldset": "g", "scorers": ["exact"], "primary": "exact"}
    assert Task.model_validate(common).must == "improve"
    assert Task.model_validate({**common, "require": "hold"}).must == "hold"


def test_the_prompt_follows_the_language_of_the_item() -> None:
    task = Task.model_validate(
        {
            "name": "t", "role": "target", "goldset": "g", "scorers": ["exact"], "primary": "exact",
            "prompt": {"zh": "{question}\n请回答。", "en": "{question}\nAnswer."},
        }
    )  # fmt: skip
    assert task.prompt_for("en").endswith("Answer.")
    assert task.prompt_for("zh").endswith("请回答。")
    assert task.prompt_for("fr") in (task.prompt_for("zh"), task.prompt_for("en"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("margin: 0.02", "margn: 0.02"), "unknown key 'tasks.0.margn'. Did you mean 'margin'"),
        (("primary: exact", "primary: f1"), "primary 'f1' is not among the metrics"),
        (("role: guard", "role: watch"), "role"),
        (("scorers: [exact]", "scorers: [exat]"), "Did you mean 'exact'"),
        (("    goldset: set.jsonl\n", ""), "the key 'tasks.0.goldset' is missing"),
        (("margin: 0.02", "margin: 2"), "margin"),
        (("scorers: [exact]", "scorers: [exact, exact]"), "same name"),
        (("name: qa", "name: qa\n    prompt: no place for it"), "must contain {question}"),
        (("tasks:", "tasks: ["), "is not valid YAML"),
    ],
)
def test_a_fault_is_named_with_its_key(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    path = suite_file(tmp_path, LEAST.replace(*change))
    with pytest.raises(InputError) as caught:
        load_suite(path)
    assert str(path) in str(caught.value)
    assert says in str(caught.value)


def test_an_unknown_suite_suggests_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Did you mean 'medical'"):
        load_suite("medcal", folder=tmp_path)


@pytest.mark.parametrize("name", sorted(list_suites()))
def test_every_packaged_suite_is_valid(name: str) -> None:
    suite, _ = load_suite(name)
    assert suite.name == name
    assert isinstance(suite, Suite)


def test_the_identity_of_a_suite_is_its_content(tmp_path: Path) -> None:
    first, _ = load_suite(suite_file(tmp_path, LEAST))
    reworded, _ = load_suite(suite_file(tmp_path, "description: words\n" + LEAST))
    stricter, _ = load_suite(suite_file(tmp_path, LEAST.replace("0.02", "0.01")))
    assert first.digest == reworded.digest
    assert first.digest != stricter.digest
